"""Disks that are full, vanish, or may not be written to: real ones, mounted for the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..commands import Render, render
from ..shots import ShotOnDisk, leftovers, make_shot, same_files

LAST = 18
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")]


@pytest.fixture
def mount():
    """A function that mounts a small disk in memory on a folder."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk for the test")
    mounted: list[Path] = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "test", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


@pytest.fixture(scope="module")
def shot(tmp_path_factory, bundle_512) -> ShotOnDisk:
    made = make_shot(tmp_path_factory.mktemp("shot"), 1, LAST)
    render(made, bundle_512, "whole")
    return made


def test_a_full_disk_stops_with_the_state_intact(shot, bundle_512, mount: Callable[[Path, str], None]):
    out = shot.folder / "full"
    mount(out, "240k")
    code, err = Render(shot, bundle_512, "full", "--checkpoint-every", "2", "--progress", "none").end()
    assert code == 6 and "No space left on device" in err and err.count("\n") == 1, err
    there = sorted(out.glob("clean.*.exr"))
    assert 0 < len(there) < LAST
    same_files(shot, "full", "whole", range(1, len(there) + 1))
    code, err = Render(shot, bundle_512, "full", "--resume").end()
    assert code == 6, "still full"
    remount(out, "size=64m")
    resumed = render(shot, bundle_512, "full", "--resume")
    assert resumed.frames()[-1] == LAST
    same_files(shot, "full", "whole")
    assert leftovers(out) == []


def test_a_mount_that_vanishes_stops_the_render(shot, bundle_512, mount: Callable[[Path, str], None]):
    out = shot.folder / "vanishes"
    mount(out, "64m")
    running = Render(shot, bundle_512, "vanishes", "--checkpoint-every", "1", "--progress", "none", hold=4)
    subprocess.run(["umount", "-l", str(out)], check=True)
    running.held.go()
    code, err = running.end()
    assert code == 6 and err.count("\n") == 1, err
    assert "has gone" in err or "can't write" in err.lower() or "can't be written" in err
    assert not (out / ".cleanplate").exists(), "no second journal where the disk was"


def test_plates_that_may_only_be_read(tmp_path, bundle_512, shot, mount: Callable[[Path, str], None]):
    for name in ("plate", "matte"):
        mount(tmp_path / name, "16m")
    made = make_shot(tmp_path, 1, LAST)
    for name in ("plate", "matte"):
        remount(tmp_path / name, "ro")
    render(made, bundle_512, "out")
    for frame in range(1, LAST + 1):
        assert made.written(frame).read_bytes() == shot.written(frame, "whole").read_bytes()


def test_nothing_is_written_anywhere_else(tmp_path, bundle_512, shot):
    """Working folder, home and temporary folder stay empty; plates and mattes stay as they are."""
    places = {name: tmp_path / name for name in ("home", "temporary", "working")}
    for folder in places.values():
        folder.mkdir()
    environment = {**os.environ, "HOME": str(places["home"]), "TMPDIR": str(places["temporary"])}
    inputs = [path for name in ("plate", "matte") for path in (shot.folder / name).iterdir()]
    before = {path: path.stat().st_mtime_ns for path in inputs}
    given = shot.arguments("elsewhere", "--model", str(bundle_512), "--frames", "1-3", "--progress", "none")
    command = [sys.executable, "-m", "plugin_core.cli", *given]
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    done = subprocess.run(command, cwd=places["working"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path for folder in places.values() for path in folder.rglob("*")] == []
    assert before == {path: path.stat().st_mtime_ns for path in before}
    there = {path.name for path in (shot.folder / "elsewhere").iterdir()}
    assert there == {".cleanplate", *(f"clean.{frame:04d}.exr" for frame in (1, 2, 3))}
