"""Resident memory of a render over 50, 200 and 800 frames: it must not grow with the shot.

    python -m tests.benchmarks.bench_memory [--frames 50 200 800]

Each render runs in a process of its own, with the tests' toy network: what could grow is around the network.
Frames are 640x360 half-float EXR (sixteen of them, linked to as often as needed).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from plugin_core.cli.memory import keep_freed
from plugin_core.job.settings import Run, Settings
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.render import render
from tests.plugin_core.shots import ShotOnDisk, hole, picture, write_matte, write_plate
from tests.plugin_core.toy_network import ToyNetwork

SIZE = (640, 360)
DIFFERENT = 16
SETTLED = 30
"""From this frame on every queue and cache is full."""


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each length."""
    parser = argparse.ArgumentParser(description="Resident memory of renders of different lengths.")
    parser.add_argument("--frames", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        print(json.dumps(_measure(given.child, given.frames[0])))
        return
    print(f"{'frames':>7} {f'frame {SETTLED}':>10} {'last':>10} {'highest':>10}   MiB resident")
    with tempfile.TemporaryDirectory() as folder:
        for frames in given.frames:
            found = _in_a_process(Path(folder) / str(frames), frames)
            shown = (found[name] / 2**20 for name in ("settled", "last", "highest"))
            print(f"{frames:7}", *(f"{megabytes:10.1f}" for megabytes in shown), flush=True)


def _in_a_process(folder: Path, frames: int) -> dict[str, int]:
    _linked_shot(folder, frames)
    command = [sys.executable, "-m", "tests.benchmarks.bench_memory", "--child", str(folder)]
    ended = subprocess.run([*command, "--frames", str(frames)], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, int] = json.loads(ended.stdout)
    return found


def _linked_shot(folder: Path, frames: int) -> None:
    few = ShotOnDisk(folder / "few", 0, DIFFERENT - 1)
    for frame in range(DIFFERENT):
        write_plate(few.plate(frame), picture(frame, SIZE))
        write_matte(few.matte(frame), hole(frame, SIZE))
    shot = ShotOnDisk(folder, 1, frames)
    shot.plate(1).parent.mkdir(parents=True)
    shot.matte(1).parent.mkdir()
    for frame in range(1, frames + 1):
        shot.plate(frame).symlink_to(few.plate(frame % DIFFERENT))
        shot.matte(frame).symlink_to(few.matte(frame % DIFFERENT))


def _measure(folder: Path, frames: int) -> dict[str, int]:
    keep_freed()  # as the command does
    process = psutil.Process()
    shot = ShotOnDisk(folder, 1, frames)
    frames_done = render(shot.shot(), Settings(working_size=128), Run(), ToyNetwork(), Reporters([]), Stop())
    found = [process.memory_info().rss for _ in frames_done]
    settled = found[min(SETTLED, frames) - 1]
    return {"settled": settled, "last": found[-1], "highest": max(found)}


if __name__ == "__main__":
    main()
