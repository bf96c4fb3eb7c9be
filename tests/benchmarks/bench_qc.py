"""Seconds a frame and memory of `cleanplate qc`, by picture size and length of the shot.

    python -m tests.benchmarks.bench_qc [--frames 8 32]

Half-float EXR, a hole of a sixth of the picture's height; memory must not grow with the frames.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plugin_core.job.job import Job
from plugin_core.qc.check import check
from plugin_core.qc.pictures import QcShot
from tests.plugin_core.shots import ShotOnDisk, hole, picture, write_matte, write_plate

SIZES = {"HD": (1920, 1080), "UHD": (3840, 2160)}


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each size and length."""
    parser = argparse.ArgumentParser(description="Speed and memory of the QC.")
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        _measure(given.child, given.frames[0])
        return
    print(f"{'size':>5} {'frames':>7} {'s/frame':>8} {'MiB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            for frames in given.frames:
                shot = _shot(Path(folder) / f"{name}{frames}", frames, size)
                command = [sys.executable, "-m", "tests.benchmarks.bench_qc", "--child", str(shot.folder)]
                ended = subprocess.run(
                    [*command, "--frames", str(frames)], stdout=subprocess.PIPE, text=True, check=True
                )
                print(f"{name:>5} {frames:7} {ended.stdout.strip()}", flush=True)


def _shot(folder: Path, frames: int, size: tuple[int, int]) -> ShotOnDisk:
    """Two pictures, linked to in turn, as plate and as result."""
    shot = ShotOnDisk(folder, 1, frames)
    for frame in range(1, frames + 1):
        for path in (shot.plate(frame), shot.written(frame)):
            path.parent.mkdir(parents=True, exist_ok=True)
            if frame <= 2:
                write_plate(path, picture(frame, size))
            else:
                path.hardlink_to(path.with_name(path.name.replace(f"{frame:04d}", f"{2 - frame % 2:04d}")))
        mask = hole(frame, size)
        middle, reach = size[1] // 2, size[1] // 12
        mask[middle - reach : middle + reach, middle - reach : middle + reach] = 255
        write_matte(shot.matte(frame), mask)
    return shot


def _measure(folder: Path, frames: int) -> None:
    shot = ShotOnDisk(folder, 1, frames)
    began = time.perf_counter()
    check(QcShot(Job(shot=shot.shot())))
    seconds = (time.perf_counter() - began) / frames
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:8.2f} {highest:7.0f}")


if __name__ == "__main__":
    main()
