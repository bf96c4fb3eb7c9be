"""Small shots for farm jobs: a whole one, an exact chain, and a grid whose pre-roll makes it exact too."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import psutil

from plugin_core.cli import main

from ..batches import Shots

QC = "qc --job {job} --max-seam 1000 --max-flicker 1000"
"""The step as it is by default, but for limits that the test network's fill would not keep."""

CLEANPLATE = str(Path(sys.executable).parent / "cleanplate")


def make_shots(folder: Path, bundle: Path) -> Shots:
    """Write the shots; each is a process a chunk."""
    shots = Shots(folder, bundle, [12, 12, 12])
    shots.rows[1] |= {"chunk_frames": 6}
    shots.rows[2] |= {"chunk_frames": 6, "pre_roll": 20}
    shots.write_list()
    return shots


def export(shots: Shots, engine: str, out: Path, *options: str) -> str:
    """Run `cleanplate farm`; returns what it printed."""
    command = ["farm", engine, str(shots.list), "--out", str(out), "--command", CLEANPLATE]
    command += ["--qc", QC, "--cores", "1", "--memory", "500", *options]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(command) == 0
    return said.getvalue()


def written(shots: Shots, number: int) -> int:
    """Frames of one shot that are on disk."""
    return len(list((shots.shots[number].folder / "out").glob("clean.*.exr")))


def renders(out: Path, name: str) -> list[psutil.Process]:
    """Processes that render a shot of the job in that folder now."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "render" in words and str(out / "jobs" / f"{name}.json") in words:
            found.append(process)
    return found
