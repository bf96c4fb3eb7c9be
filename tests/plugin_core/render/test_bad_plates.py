"""Damaged plates, limits on memory, folders without end: an error in time, or the render as usual."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plugin_core.cli import main
from plugin_core.errors import ImageError

from ..pictures_on_disk import save, spec_of
from ..shots import ShotOnDisk, make_shot, picture, read, run_toy


@pytest.mark.parametrize("extension", [".exr", ".tif", ".png"])
def test_a_damaged_plate_is_refused_though_no_matte_has_a_hole(tmp_path: Path, extension: str) -> None:
    shot = make_shot(tmp_path, 1, 4, empty=(1, 2, 3, 4), extension=extension)
    data = shot.plate(3).read_bytes()
    shot.plate(3).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ImageError, match=rf"plate\.0003\{extension} can't be read as a picture"):
        run_toy(shot.shot())
    assert not shot.written(3).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on memory")
@pytest.mark.parametrize("megabytes", [250, 400, 550, 700, 1100])
def test_a_limit_on_memory_that_is_too_low_is_told(tmp_path: Path, megabytes: int) -> None:
    shot = make_shot(tmp_path, 1, 2)
    given = " ".join(shot.arguments())
    command = f"ulimit -v {megabytes << 10}; exec {sys.executable} -m plugin_core.cli {given}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5, done.stderr
    assert done.stderr.startswith("cleanplate: This process may use") and done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_a_folder_below_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a path can name."""
    shot = make_shot(tmp_path, 1, 2)
    monkeypatch.chdir(tmp_path)
    deep = "/".join(["out"] + ["d"] * ((3700 - len(str(tmp_path))) // 2))
    try:
        done = run_toy(shot.shot(deep))
        assert [frame.frame for frame in done] == [1, 2]
        assert shot.written(2, deep).is_file()
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "out")], check=True)  # Python's own recurses


def overscan(tmp_path: Path) -> ShotOnDisk:
    """Plates whose data window is 8 pixels larger all around than the display window."""
    shot = make_shot(tmp_path, 1, 3)
    for frame in range(1, 4):
        large = picture(frame, (112, 80))
        spec = spec_of(112, 80, "RGBZ", "float", x=-8, y=-8, full_width=96, full_height=64)
        save(shot.plate(frame), (spec, large))
    return shot


def test_overscan_to_a_format_without_windows_lies_where_it_was_and_passes_qc(tmp_path: Path) -> None:
    shot = overscan(tmp_path)
    output = str(tmp_path / "out" / "clean.####.tif")
    run_toy(shot.shot().model_copy(update={"output": output}))
    for frame in range(1, 4):
        written = read(tmp_path / "out" / f"clean.{frame:04d}.tif")
        plate = picture(frame, (112, 80))[8:-8, 8:-8, :3]
        touched = (written != plate).any(axis=2)
        assert written.shape == (64, 96, 3) and 0 < touched.mean() < 0.2
    given = ["--plate", shot.plate_pattern, "--matte", shot.matte_pattern, "--result", output]
    report = tmp_path / "qc.json"
    main(["qc", *given, "--json", str(report)])
    checks = {check["name"]: check for check in json.loads(report.read_text())["checks"]}
    assert checks["untouched"]["verdict"] == "ok" and checks["frames"]["verdict"] == "ok"
    assert np.isfinite(read(tmp_path / "out" / "clean.0001.tif")).all()
