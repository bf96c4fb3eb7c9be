"""From the buttons through the real core and back, on the sample shot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.sample import frame_path, matte_pattern, plate_pattern

from .host import Host

pytestmark = pytest.mark.slow


def pixels(path: Path) -> np.ndarray:
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT))


def events(places: Path) -> list[dict]:
    text = (places / "run" / "progress.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def rendered(places: Path) -> list[int]:
    return [event["frame"] for event in events(places) if event["event"] == "frame"]


def copy_sample(folder: Path, offset: int, count: int) -> tuple[str, str]:
    """Copy the sample's first frames under other numbers; returns the patterns."""
    folder.mkdir()
    for frame in range(1001, 1001 + count):
        for pattern, name in ((plate_pattern(), "plate"), (matte_pattern(), "matte")):
            shutil.copy(frame_path(pattern, frame), folder / f"{name}.{frame - offset:04d}.exr")
    return str(folder / "plate.####.exr"), str(folder / "matte.####.exr")


def exactly_the_matte(host: Host) -> None:
    """Fill no more than the matte covers, so that a test knows the pixels beside it."""
    host.set("Grow", 0)
    host.set("Feather", 0)


def test_an_artists_afternoon(folder, new_host, monkeypatch, tmp_path):
    """Render, look, render again, change the matte and update, change a setting and render."""
    poison = tmp_path / "poison"
    poison.mkdir()
    (poison / "plugin_core.py").write_text("raise SystemExit('the host Python leaks into the core')")
    monkeypatch.setenv("PYTHONPATH", str(poison))
    monkeypatch.setenv("PYTHONHOME", str(poison))
    plate, matte = copy_sample(folder / "in", 0, 4)
    host: Host = new_host(1001, 1004, plate=plate, matte=matte)
    exactly_the_matte(host)
    places = folder / "cleanplate" / "sh010" / "VINetInpaint"

    assert host.press("Render").startswith("Done: frames 1001-1004. Color: linear (auto:")
    assert rendered(places) == [1001, 1002, 1003, 1004]
    for frame in (1003, 1001, 1004, 1002):
        hole = pixels(frame_path(matte, frame))[:, :, 0] >= 0.05
        seen, original = host.look(frame), pixels(frame_path(plate, frame))
        np.testing.assert_array_equal(seen[~hole][:, :3], original[~hole])
        assert np.abs(seen[hole][:, :3] - original[hole]).max() > 0.01
    assert host.call("passes", b"CleanplatePlate") and host.call("passes", b"CleanplateMatte")
    assert not host.call("passes", b"FinalSaver")
    assert not list(folder.glob("final*")), "other Savers write nothing"

    assert host.press("Render").startswith("Done")
    assert rendered(places) == [], "nothing changed, nothing is rendered"

    grown = np.zeros((234, 416, 1), np.float32)
    grown[60:120, 200:260] = 1
    oiio.ImageBuf(grown).write(str(frame_path(matte, 1004)))
    host.host[b"now"] = 1004
    before = (places / "plate" / "plate.1002.exr").stat().st_mtime_ns
    assert host.press("Update").startswith("Done")
    assert (places / "plate" / "plate.1002.exr").stat().st_mtime_ns == before, "written from 1004 on only"
    assert rendered(places), "the changed frame is rendered again"
    assert (
        np.abs(host.look(1004)[60:120, 200:260, :3] - pixels(frame_path(plate, 1004))[60:120, 200:260]).max()
        > 0
    )

    host.set("Grow", 3)
    assert host.press("Render").startswith("Done")
    assert rendered(places) == [1001, 1002, 1003, 1004]
    assert any("rendered again" in line for line in host.said())
    assert json.loads((places / "run" / "job.json").read_text())["settings"] == {"grow": 3, "feather": 0}


def test_cancel_midway_and_go_on(folder, new_host):
    host: Host = new_host(1001, 1006)
    places = folder / "cleanplate" / "sh010" / "VINetInpaint"

    def cancel_after_two() -> None:
        progress = places / "run" / "progress.jsonl"
        if progress.exists() and progress.read_text("utf-8").count('"frame"') >= 3:
            (places / "run" / "cancel").touch()

    host.on_wait = cancel_after_two
    message = host.press("Render")
    assert message.startswith("Stopped") and message.endswith("Press Render to go on.")
    done = sorted(int(path.name.split(".")[1]) for path in (places / "clean").glob("clean.*.exr"))
    assert done and done[0] == 1001 and done[-1] < 1006
    host.look(1001), host.look(1006)  # what is done is seen, the rest is the plate

    host.on_wait = None
    assert host.press("Render").startswith("Done: frames 1001-1006")
    assert rendered(places) == list(range(done[-1] + 1, 1007)), "goes on where it was stopped"


@pytest.mark.parametrize("science", ["davinciYRGB", "davinciYRGBColorManagedv2"])
def test_resolve_on_windows_starts_at_frame_0(folder, new_host, science, tmp_path):
    """A comp without a file, frames from 0 on, a home folder with letters that Lua's io can't open there."""
    plate, matte = copy_sample(folder / "in", 1001, 2)
    host: Host = new_host(0, 1, plate=plate, matte=matte, saved=False)
    exactly_the_matte(host)
    host.call("set_windows")
    shared = tmp_path / "ProgramData"
    shared.mkdir()
    names = {b"USERPROFILE": str(folder / "home").encode(), b"ProgramData": str(shared).encode()}
    host.host[b"environment"] = host.lua.table_from(names)
    host.host[b"resolve"] = science.encode()
    message = host.press("Render")
    expected = (
        "display (auto: Resolve does not manage"
        if science == "davinciYRGB"
        else "linear (auto: Resolve manages"
    )
    assert message.startswith("Done: frames 0-1.") and expected in message
    (clean,) = (folder / "home" / "Cleanplate").glob("comp-*/VINetInpaint/clean")
    assert sorted(path.name for path in clean.glob("*.exr")) == ["clean.0000.exr", "clean.0001.exr"]
    (work,) = (shared / "Cleanplate").iterdir()
    assert work.name.isascii() and (work / "plate" / "plate.0000.exr").exists()
    hole = pixels(frame_path(matte, 0))[:, :, 0] >= 0.05
    np.testing.assert_array_equal(host.look(0)[~hole][:, :3], pixels(frame_path(plate, 0))[~hole])
