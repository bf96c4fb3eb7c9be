"""The wheel, installed where there is no clone: command, model, sample, hosts and pages are in it.

In CI it is installed with all that it asks for into an environment of its own (`CLEANPLATE_TEST_WHEEL` names
its Python). Elsewhere only the wheel is unpacked, and the libraries are those of the tests, which is quicker.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.installed]

Cleanplate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def cleanplate(tmp_path_factory) -> Cleanplate:
    """Run the installed command, in a folder from which no clone is seen."""
    away = tmp_path_factory.mktemp("away")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    python = os.environ.get("CLEANPLATE_TEST_WHEEL")
    if python is None:
        python = sys.executable
        target = tmp_path_factory.mktemp("unpacked")
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", str(away / "dist"), str(ROOT)], check=True)
        (wheel,) = (away / "dist").glob("cleanplate-*.whl")
        subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
        # Before the editable install of these tests, whose finder only knows what nobody else has found.
        environment["PYTHONPATH"] = str(target)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [python, "-m", "plugin_core.cli", *arguments],
            cwd=away,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not [part for part in ("plugin_core", "models", "docs") if str(ROOT / part) in done.stdout], (
            "the clone, not the wheel"
        )
        return done

    return run


def test_the_doctor_finds_the_shipped_model(cleanplate):
    told = cleanplate("doctor").stdout
    assert "model vinet:" in told and "cleanplate_models" in told


def test_the_demo_renders(cleanplate, tmp_path):
    out = tmp_path / "demo"
    told = cleanplate("demo", "--frames", "1001-1002", "--output", str(out)).stdout
    assert "dB PSNR" in told
    for name in ("clean.1001.exr", "clean.1002.exr", "before_after.png", "review/review.html"):
        assert (out / name).is_file(), name


@pytest.mark.parametrize("host", ["nuke", "fusion", "blender"])
def test_a_host_is_set_up_and_taken_out_again(cleanplate, host, tmp_path):
    folder = tmp_path / host
    cleanplate("install", host, "--folder", str(folder))
    assert [path for path in folder.rglob("*") if path.is_file()]
    cleanplate("install", host, "--folder", str(folder), "--uninstall")
    left = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    assert left == []


def test_the_pages_that_the_help_names_are_there(cleanplate):
    for name in ("farm", "settings", "exit_codes", "job.schema.json", "shots.schema.json"):
        assert Path(cleanplate("docs", name).stdout.strip()).is_file()
