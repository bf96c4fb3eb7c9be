"""Beside plate, matte and Render: shadows, repairs, painted frames, patch, advice, timing, status."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from plugin_core.cli import _parser
from plugin_core.images import read_plate

from .host import Host, _write
from .pictures import sequence
from .test_buttons import is_as_before, job, places
from .test_real_core import pixels


def names_written(host: Host) -> set[str]:
    return {Path(bytes(file).decode()).name for file in host.host[b"saver_files"].values()}


def test_a_shadow_matte_is_written_where_one_is_connected(host, folder):
    host.press("Render")
    assert "shadow_matte" not in job(folder)["shot"] and not (places(folder) / "shadow").exists()
    host.call("connect", host.macro, b"MainInput3", b"MatteLoader")
    assert host.press("Render").startswith("Done")
    shot = job(folder)["shot"]
    assert shot["shadow_matte"] == str(places(folder) / "shadow" / "shadow.####.exr")
    assert sorted(path.name for path in (places(folder) / "shadow").iterdir())[0] == "shadow.0010.exr"
    assert host.call("passes", b"CleanplateShadow") and is_as_before(host)


def test_a_repair_needs_no_matte_and_takes_one(host, folder):
    host.set("Task", 1)
    host.set("Sensitivity", 0.75)
    host.set("Reference", "/refs")
    assert host.press("Render").startswith("Done")
    asked = job(folder)
    assert (asked["do"], asked["restore"]) == ("restore", {"sensitivity": 0.75})
    assert asked["shot"]["matte"].endswith("matte.####.exr") and "reference" not in asked["shot"]
    host.call("connect", host.macro, b"MainInput2", None)
    assert host.press("Render").startswith("Done")
    assert "matte" not in job(folder)["shot"] and "settings" not in job(folder)
    host.call("connect", host.macro, b"MainInput2", b"MatteLoader")
    host.set("Task", 2)
    assert host.press("Render").startswith("Done")
    assert job(folder)["do"] == "detect" and "matte" not in job(folder)["shot"]
    host.call("sandbox")
    _parser().parse_args(shlex.split(host.press("Render").partition("Update:  ")[2])[1:])
    assert (
        " cleanplate detect all --plate " in host.status()
        and f"--matte {places(folder)}" not in host.status()
    )
    host.call("connect", host.macro, b"MainInput2", None)
    host.set("Task", 1)
    assert "press Update:  cleanplate restore --plate " in host.press("Render")
    assert "--sensitivity 0.75 --resume" in host.status() and "--matte" not in host.status()
    _parser().parse_args(shlex.split(host.status().partition("Update:  ")[2])[1:])


def test_another_aspect_is_asked_for(host, folder):
    host.set("Task", 3)
    host.set("Aspect", " 9:16 ")
    host.set("Background", 1)
    host.set("Patch", 1)
    assert host.press("Render").startswith("Done")
    asked = job(folder)
    assert (asked["do"], asked["retarget"]) == ("retarget", {"aspect": "9:16", "keep": "crop"})
    assert asked["shot"]["matte"].endswith("matte.####.exr") and "patch" not in asked["shot"]
    host.call("sandbox")
    assert " cleanplate retarget --plate " in host.press("Render")
    assert "--aspect 9:16" in host.status() and "--keep crop" in host.status()
    _parser().parse_args(shlex.split(host.status().partition("Update:  ")[2])[1:])


def test_a_painted_frame_is_written_by_render_and_stays_as_it_was_painted(host, folder):
    host.host[b"now"] = 11
    assert host.press("PaintFrame").startswith("There is no clean plate of frame 11 yet")
    host.press("Render")
    assert host.press("PaintFrame") == "Paint frame 11 in Paint1, then press Render."
    assert bytes(host.host[b"active"]) == b"Paint1"
    assert host.call("source", b"Paint1", b"Input") == b"Loader1"
    assert host.call("source", b"Saver1", b"Input") == b"Paint1" and host.call("passes", b"Saver1")
    root = places(folder)
    assert host.get("CleanplateControls", "Reference") == f"{root}/reference/"
    base = root / "painted" / "11" / "base.0011.exr"
    assert host.get("Loader1", "Clip") == str(base) and base.exists()
    stroke = np.full((8, 12, 4), 0.9, np.float32)
    _write(str(folder / "stroke.exr").encode(), 12, 8, stroke.tobytes(), False)
    host.call("paint", b"Paint1", str(folder / "stroke.exr").encode())
    host.host[b"saver_files"] = host.lua.table_from([])
    before = base.read_bytes()
    assert host.press("Render").startswith("Done")
    painted = root / "reference" / "ref.0011.exr"
    assert (
        pixels(painted)[0, 0, 0] == np.float32(0.9)
        and job(folder)["shot"]["reference"] == f"{root}/reference/"
    )
    assert "ref.0011.exr" in names_written(host) and "ref.0010.exr" not in names_written(host)
    assert base.read_bytes() == before, "what is painted on is no clean plate that holds the strokes"
    assert host.call("passes", b"Saver1") and is_as_before(host)
    host.set("Reference", "/refs/ref.####.exr")
    assert host.press("PaintFrame").startswith(
        "Reference frames names files, /refs/ref.####.exr; name a folder"
    )


def test_advice_comes_with_its_frame(host, monkeypatch, tmp_path):
    assert host.press("GoToFrame") == "The status names no frame. Press Check first."
    warnings = [{"code": "matte_empty", "message": "The matte is empty on frames 12-13: they stay."}] * 2
    checks = [
        {"name": "frames", "verdict": "ok", "found": "all there", "frames": []},
        {"name": "detail", "verdict": "look", "found": "soft on frame 11", "frames": [11]},
        {"name": "seam", "verdict": "FAULT", "found": "a step on frame 13 (3.1)", "frames": [13, 10]},
    ]
    monkeypatch.setenv("FAKE_REPORT", json.dumps({"warnings": warnings, "checks": checks}, indent=2))
    assert host.press("Check") == (
        "Before you render: The matte is empty on frames 12-13: they stay. (1 more in look.json.) "
        "Go to frame shows it."
    )
    assert host.press("GoToFrame") == "Frame 12." and host.host[b"now"] == 12
    host.press("Render")
    assert host.press("Check") == "Fault: seam: a step on frame 13 (3.1). Go to frame shows it."
    host.press("GoToFrame")
    assert host.host[b"now"] == 13
    monkeypatch.setenv("FAKE_REPORT", "no report")
    assert host.press("Check") == "a line of a library"
    monkeypatch.setenv("FAKE_REPORT", json.dumps({"warnings": [], "checks": checks[:1]}))
    (tmp_path / "shared").mkdir()
    host.host[b"environment"] = host.lua.table_from({b"ProgramData": str(tmp_path / "shared").encode()})
    host.call("set_windows")
    assert host.press("Check") == "Checked: no faults."
    assert host.press("GoToFrame").startswith("The status names no frame")


def test_a_trimmed_clip_is_written_again_whole(host, small):
    host.call("add_media", b"MediaIn1", small["plate"].encode(), 10, 13)
    host.call("connect", host.macro, b"MainInput1", b"MediaIn1")
    host.press("Render")
    host.host[b"now"] = 13
    host.host[b"saver_files"] = host.lua.table_from([])
    host.press("Update")
    assert names_written(host) == {"plate.0013.exr", "matte.0013.exr"}
    host.call("trim", b"MediaIn1", 9, 13)
    assert host.press("Update").startswith("Done")
    assert any("The clip was trimmed, slipped or retimed since" in line for line in host.said())
    assert "plate.0010.exr" in names_written(host)
    host.call("trim", b"MediaIn1", 10, 12)
    assert host.press("Render").startswith("Fusion did not write frame")
    assert any("MediaIn1 has frames 10-12 here, and 10-13 are asked for" in line for line in host.said())


def test_frames_are_seen_as_they_come(host, folder, monkeypatch):
    monkeypatch.setenv("FAKE_CORE", "hold")

    def go_on_when_the_first_is_seen() -> None:
        if host.get("CleanplateResult", "ResultPath"):
            assert host.look(10)[0, 0, 0] == np.float32(0.5)
            (places(folder) / "run" / "go").touch()

    host.on_wait = go_on_when_the_first_is_seen
    assert host.press("Render").startswith("Done: frames 10-13")


def test_the_status_is_text_in_the_color_of_how_it_goes(host, monkeypatch):
    host.fault("refuse", b"CleanplatePlate")
    message = host.press("Render")
    lines = host.get("CleanplateTold", "StyledText")
    assert " ".join(lines.split("\n")) == message and max(map(len, lines.split("\n"))) <= 44
    assert (host.get("CleanplateTold", "Red1"), host.get("CleanplateTold", "Green1")) == (1, 0.35)
    host.fault("refuse", None)
    monkeypatch.setenv("FAKE_CORE", "warn")
    assert host.press("Render").endswith(" Warning: The matte jumps on frame 12.")
    assert host.get("CleanplateTold", "Green1") == 0.9


@pytest.mark.slow
def test_through_the_real_core(folder, new_host, monkeypatch):
    """Advice, shadow, patch, layers, a painted frame, a check and a repair: small pictures, three frames."""
    frames, size = range(1001, 1004), (64, 96)
    noise = np.random.default_rng(5).random((*size, 4)).astype(np.float32) * 0.5 + 0.2
    noise[:, :, 3] = 1

    def mask(frame: int, rows: slice) -> np.ndarray:
        matte = np.zeros((*size, 4), np.float32)
        matte[rows, 20 + 4 * (frame - 1001) : 40 + 4 * (frame - 1001)] = 1
        return matte

    plate = sequence(folder / "in", "plate", frames, lambda frame: noise)
    matte = sequence(folder / "in", "matte", frames, lambda frame: mask(frame, slice(20, 36)))
    shadow = sequence(folder / "in", "shadow", frames, lambda frame: mask(frame, slice(44, 50)))
    comp = new_host(1001, 1003, plate=str(plate), matte=str(matte))
    comp.call("add_source", b"ShadowLoader", str(shadow).encode(), 8)
    comp.call("connect", comp.macro, b"MainInput3", b"ShadowLoader")
    for control, value in {"Quality": 1, "Patch": 1, "Device": 1, "Color": 1}.items():
        comp.set(control, value)
    assert comp.press("Check").startswith(("Before you render: ", "Looked at: "))
    assert comp.press("Render").startswith("Done")
    assert comp.press("PatchInComp") == "Merge1 lays the patch over the plate."
    clean = comp.look(1002)
    np.testing.assert_allclose(comp.look(1002, b"Merge1"), clean, atol=1e-4)
    for mode, name in ((4, "source"), (5, "confidence")):
        comp.set("Mode", mode)
        seen = comp.look(1002)
        assert (seen[28, 30, 0] > 2 * seen[28, 30, 1]) == (name == "source"), "red: the network's"
        assert (seen[28, 30, 0] == 0) == (name == "confidence"), "black: a guess"
        np.testing.assert_array_equal(seen[2, 2], noise[2, 2], "the plate around the hole")
    comp.set("Mode", 0)
    comp.host[b"now"] = 1002
    assert comp.press("PaintFrame").startswith("Paint frame 1002")
    stroke = clean.copy()
    stroke[24:32, 26:36, :3] = (0.9, 0.1, 0.9)
    _write(str(folder / "stroke.exr").encode(), size[1], size[0], stroke[::-1].tobytes(), False)
    comp.call("paint", b"Paint1", str(folder / "stroke.exr").encode())
    assert comp.press("Render").startswith("Done")
    np.testing.assert_allclose(comp.look(1002)[26:30, 28:34, :3], [[(0.9, 0.1, 0.9)] * 6] * 4, atol=0.1)
    assert comp.press("Check").startswith(("Fault: ", "Worth a look: ", "Checked: "))
    comp.set("Task", 1)
    comp.call("connect", comp.macro, b"MainInput2", None)
    comp.set("Folder", str(folder / "repaired"))
    assert comp.press("Render").startswith("Done")
    assert read_plate(folder / "repaired" / "VINetInpaint" / "clean" / "clean.1002.exr").rgb.shape == (
        *size,
        3,
    )
    comp.call("connect", comp.macro, b"MainInput2", b"MatteLoader")
    comp.set("Folder", str(folder / "square"))
    for control, value in (("Task", 3), ("Aspect", "1:1"), ("Paint", 2)):
        comp.set(control, value)
    assert comp.press("Render").startswith("Done")
    side = min(size)
    assert read_plate(folder / "square" / "VINetInpaint" / "clean" / "clean.1002.exr").rgb.shape == (
        side,
        side,
        3,
    )
    assert comp.look(1002).shape[:2] == (side, side)
