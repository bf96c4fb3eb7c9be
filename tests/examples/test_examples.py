"""The examples run as they stand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plugin_core.sample import frame_path, matte_pattern, plate_pattern

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAMES = range(1001, 1004)


def run(name: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    given = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(given, capture_output=True, text=True, check=False, cwd=cwd, timeout=300)


def write_shot(folder: Path) -> None:
    """Copy a few frames of the sample into plate/ and matte/."""
    for kind, pattern in (("plate", plate_pattern()), ("matte", matte_pattern())):
        (folder / kind).mkdir(parents=True)
        for frame in FRAMES:
            shutil.copy(frame_path(pattern, frame), folder / kind)


@pytest.fixture
def show(tmp_path) -> Path:
    write_shot(tmp_path / "show" / "sh010")
    return tmp_path / "show"


def test_a_shot_cell_by_cell(tmp_path):
    ended = run("fill_a_shot.py", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert len(list((tmp_path / "filled").glob("clean.*.exr"))) == 4
    assert ended.stdout.count("frame ") == 4


def test_a_show_of_which_one_shot_fails(show, tmp_path):
    (show / "sh020" / "matte").mkdir(parents=True)
    (show / "sh020" / "plate").mkdir()
    (show / "notes").mkdir()
    ended = run("fill_a_show.py", show, "--grow", 2, cwd=tmp_path)
    assert ended.returncode == 1, ended.stderr
    told = ended.stdout.splitlines()
    assert "sh010: done" in told and any(line.startswith("sh020: ") and "exit code" in line for line in told)
    assert len(list((show / "sh010" / "clean").glob("*.exr"))) == len(FRAMES)
    again = run("fill_a_show.py", show, "--only", "sh01*", "--grow", 2, cwd=tmp_path)
    assert again.returncode == 0 and again.stdout == "sh010: done\n", "nothing is rendered twice"
    assert run("fill_a_show.py", tmp_path / "nowhere", cwd=tmp_path).returncode == 2


def test_a_job_for_a_farm(show, tmp_path):
    write_shot(show / "sh020")
    ended = run(
        "submit_to_farm.py",
        "openjd",
        show / "sh010",
        show / "sh020",
        "--out",
        tmp_path / "night",
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    jobs = [json.loads(path.read_text()) for path in sorted((tmp_path / "night" / "job").rglob("sh0*.json"))]
    assert [Path(job["shot"]["plate"]).parent.name for job in jobs] == ["sh010", "sh020"]
