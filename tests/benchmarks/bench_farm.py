"""Measure the figures of `farm_model` on this machine, and hold the model against what it did not see.

    python -m tests.benchmarks.bench_farm [--frames 10] [--rounds 2]

A 2K plate (2048x1080, half-float EXR, ZIP, with grain) with a large matte is rendered at several working
sizes; two of them fit the model, the others test it. Then a batch of small shots on two workers is foretold
from one on one worker, and the table of docs/farm.md is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks.farm_model import Load, Machine, machine_hours, simulate
from tests.plugin_core.batches import Shots
from tests.plugin_core.shots import write_matte, write_plate

WIDTH, HEIGHT = 2048, 1080
FITTED, TESTED = (256, 512), (320, 384)
CORES = 8


def main() -> None:
    """Measure, fit, test, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", default="vinet")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cleanplate-bench-") as name:
        folder = Path(name)
        megabytes = _shot(folder, asked.frames)
        found: dict[int, list[tuple[float, float]]] = {size: [] for size in (*FITTED, *TESTED)}
        for _ in range(asked.rounds):
            for size, results in found.items():
                results.append(_render(folder, size, asked.model))
        pace = {size: statistics.median(frame for _, frame in results) for size, results in found.items()}
        seen = {size: _pixels_seen(folder, size, asked.model) for size in found}
        start = statistics.median(start for results in found.values() for start, _ in results)
        low, high = FITTED
        per_pixel = (pace[high] - pace[low]) / (seen[high] - seen[low])
        machine = Machine(start, pace[low] - per_pixel * seen[low], per_pixel)
        parts = f"{machine.fixed:.2f} + {1e6 * per_pixel:.2f} a megapixel seen"
        print(f"core seconds: start {start:.1f}; a frame {parts}")
        for size in found:
            told = machine.frame(seen[size])
            took = pace[size]
            off = 100 * (told / took - 1)
            print(f"  {size}: {seen[size]} pixels, model {told:.2f} s, measured {took:.2f} s, {off:+.0f} %")
        _check_batch(folder, asked.model)
        _table(machine, machine.frame(seen[high]), megabytes)


def _shot(folder: Path, frames: int) -> float:
    """Write the shot; returns the megabytes of a frame, plate and matte read and plate written."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for frame in range(1, frames + 1):
        waves = [0.4 + 0.3 * np.sin(x / (60 + 9 * c) + frame / 5) * np.cos(y / 70) for c in range(3)]
        grain = rng.normal(0, 0.01, (HEIGHT, WIDTH, 4)).astype(np.float32)
        write_plate(folder / f"plate.{frame:04d}.exr", np.stack([*waves, x / 99], axis=2) + grain)
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        matte[240:840, 500 + 4 * frame : 1300 + 4 * frame] = 255
        write_matte(folder / f"matte.{frame:04d}.png", matte)
    plate, matte = (folder / name for name in ("plate.0001.exr", "matte.0001.png"))
    return (2 * plate.stat().st_size + matte.stat().st_size) / 1e6


def _render(folder: Path, size: int, model: str) -> tuple[float, float]:
    """Render once in a process of its own; returns core seconds of the start, and of a frame.

    Core seconds hardly care what else runs on the machine, and a whole farm is paid in them.
    """
    events = folder / "events.jsonl"
    events.unlink(missing_ok=True)
    command = [sys.executable, "-m", "plugin_core.cli", "render", "--plate", str(folder / "plate.####.exr")]
    command += ["--matte", str(folder / "matte.####.png"), "--output", str(folder / "out" / "clean.####.exr")]
    command += ["--working-size", str(size), "--model", model, "--overwrite", "--progress", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    spent = [_core_seconds(process.pid) for line in process.stdout if json.loads(line)["event"] == "frame"]
    assert process.wait() == 0
    frame = (spent[-2] - spent[1]) / (len(spent) - 3)  # the last frame may be told when the process is over
    return spent[0] - frame, frame


def _core_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _pixels_seen(folder: Path, size: int, model: str) -> int:
    """Pixels of the network's own picture at a working size: it goes in steps of 64 along each side."""
    command = [sys.executable, "-m", "plugin_core.cli", "probe", "--quick", "--json", "--model", model]
    command += ["--plate", str(folder / "plate.####.exr"), "--matte", str(folder / "matte.####.png")]
    done = subprocess.run([*command, "--working-size", str(size)], capture_output=True, text=True, check=True)
    width, height = json.loads(done.stdout)["crops"][0]["network"]
    return int(width * height)


def _check_batch(folder: Path, model: str) -> None:
    """Foretell a batch on two workers from one on one, and measure it; one thread each, small pictures."""
    shots = Shots(folder / "batch", Path(model), [24] * 7)
    seconds = {}
    for jobs in (1, 2):
        shots.clear()
        began = time.perf_counter()
        summary = folder / "summary.json"
        code, _, err = shots.run("--jobs", str(jobs), "--summary", str(summary))
        assert code == 0, err
        seconds[jobs] = time.perf_counter() - began
        if jobs == 1:
            told = json.loads(summary.read_text("utf-8"))["shots"]
            each = statistics.median(shot["seconds"] for shot in told[1:])
            start = seconds[1] - each * len(told)
    foretold = start + simulate(Load(7, 1), 2, Machine(0, each, 0), each)
    one, two = seconds[1], seconds[2]
    print(f"  7 shots: one worker {one:.1f} s; two foretold {foretold:.1f} s, measured {two:.1f} s")


def _table(machine: Machine, frame: float, megabytes: float) -> None:
    """What 1,000 shots of 150 frames at 2K cost on machines of eight cores, if all cores are kept busy."""
    print(f"a frame moves {megabytes:.0f} MB; largest size: {frame:.2f} core seconds a frame")
    loads = {
        "whole shots, exact": Load(1000, 150),
        "chains of 50, exact": Load(1000, 150, 50),
        "chunks of 50, pre-roll 8": Load(1000, 150, 50, 8),
        "chunks of 25, pre-roll 8": Load(1000, 150, 25, 8),
        "one shot, whole": Load(1, 150),
        "one shot, chunks of 15, pre-roll 8": Load(1, 150, 15, 8),
    }
    ours = Machine(machine.start / CORES, 0, 0)
    counts = (1, 10, 100, 1000)
    print(f"{'':36}{'core hours':>11}" + "".join(f"{count:>10}" for count in counts))
    for name, load in loads.items():
        hours = [simulate(load, count, ours, frame / CORES, spread=0.15) / 3600 for count in counts]
        told = "".join(f"{value:9.2f}h" for value in hours)
        print(f"{name:36}{machine_hours(load, machine, frame):11.1f}{told}")


if __name__ == "__main__":
    main()
