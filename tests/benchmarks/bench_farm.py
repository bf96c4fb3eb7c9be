"""Measure the figures of `farm_model` on this machine, and hold the model against what it did not see.

    python -m tests.benchmarks.bench_farm [--rounds 1]

A 2K plate (2048x1080, half-float EXR, ZIP, with grain; a pan past an object, so that its mattes hide what
other frames show) is rendered without real pixels at several working sizes: two fit the model, the others
test it. Looking at a plate and searching it for real pixels is measured by itself, for mattes of three
sizes. Both are then put together and held against whole tasks, a chunk in the middle of the shot and its
first. A batch of small shots on two workers is foretold from one on one worker, and the table of
docs/farm.md is printed.

What is painted comes on top and is measured by itself: a first pass over the shot, and carrying.

All is told in core seconds, which hardly care what else runs on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import psutil

from plugin_core.job.settings import PROPAGATE_FRAMES, Settings, Shot
from plugin_core.motion.finder import Propagator
from plugin_core.network.bundle import Bundle, find_bundle
from plugin_core.render.plan import make_plan
from plugin_core.render.sources import mattes_of, open_sources
from tests.benchmarks.farm_model import Load, Machine, machine_hours, simulate
from tests.plugin_core.batches import Shots
from tests.plugin_core.shots import write_matte, write_plate

WIDTH, HEIGHT, FRAMES = 2048, 1080, 130
MIDDLE = 65
"""Everything within reach of it, and of what the network looks at, is inside the shot."""

HOLES = {"small": (240, 180), "middle": (480, 360), "large": (800, 600)}
FITTED, TESTED = (256, 512), (320, 384)
CORES = 8
PAN_PX = 3


@dataclass(frozen=True)
class RealPixels:
    """What the real pixels of one frame cost.

    Attributes:
        look: core seconds for each plate that is looked at.
        search: core seconds for each plate that is searched.
        frame: core seconds of a frame in the middle of a long shot: one look, all searches.
        alone: share of that spent in one thread.
        reads: plates read again for such a frame, beside the one that is new.
    """

    look: float
    search: float
    frame: float
    alone: float
    reads: int


def main() -> None:
    """Measure, fit, test, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", default="vinet")
    parser.add_argument("--folder", type=Path, help="keep the shot here, and take the one that is there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cleanplate-bench-") as name:
        folder = asked.folder or Path(name)
        megabytes = _shot(folder)
        network = _network(folder, asked.model, asked.rounds)
        seen = _pixels_seen(folder, "large", 512, asked.model)
        real = {hole: _real_pixels(folder, hole, asked.model) for hole in HOLES}
        for hole, (width, height) in HOLES.items():
            cost = real[hole]
            print(
                f"  hole {width}x{height}: {cost.look:.2f} a plate looked at, {1000 * cost.search:.1f} ms a "
                f"plate searched; {cost.frame:.2f} a frame, {100 * cost.alone:.0f} % in one thread, "
                f"{cost.reads} plates read again",
                flush=True,
            )
        for hole, first, last in (("large", 62, 67), ("small", 62, 67), ("middle", 62, 65), ("large", 1, 6)):
            _check_task(folder, network, real[hole], (hole, first, last), asked.model)
        for hole in HOLES:
            _painting(folder, hole, asked.model)
        _check_batch(Path(name), asked.model)
        for hole, cost in {"off": None, **real}.items():
            _table(hole, network, network.frame(seen), cost, megabytes)
        print(f"load: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")


def _shot(folder: Path) -> float:
    """Write the shot; returns the megabytes of a plate."""
    folder.mkdir(parents=True, exist_ok=True)
    plate = folder / f"plate.{FRAMES:04d}.exr"
    if plate.exists():
        return plate.stat().st_size / 1e6
    rng = np.random.default_rng(1)
    wide = WIDTH + PAN_PX * (FRAMES + 1)
    world = np.full((HEIGHT, wide, 3), 0.4, np.float32)
    for size in (4, 16, 64):
        spots = rng.normal(0, 0.12, (HEIGHT // size + 2, wide // size + 2, 3)).astype(np.float32)
        world += cv2.resize(spots, (wide, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grains = [rng.normal(0, 0.01, (HEIGHT, WIDTH, 3)).astype(np.float32) for _ in range(7)]
    alpha = np.broadcast_to(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, WIDTH))
    for frame in range(1, FRAMES + 1):
        shown = world[:, PAN_PX * frame : PAN_PX * frame + WIDTH] + grains[frame % len(grains)]
        write_plate(folder / f"plate.{frame:04d}.exr", np.dstack([shown, alpha]))
        for hole, (width, height) in HOLES.items():
            matte = np.zeros((HEIGHT, WIDTH), np.uint8)
            matte[240 : 240 + height, 500 + 4 * frame : 500 + 4 * frame + width] = 255
            write_matte(folder / f"{hole}.{frame:04d}.png", matte)
    return plate.stat().st_size / 1e6


def _network(folder: Path, model: str, rounds: int) -> Machine:
    """Fit what a frame costs without real pixels."""
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in (*FITTED, *TESTED)}
    for _ in range(rounds):
        for size, results in found.items():
            results.append(_render(folder, size, model))
    pace = {size: statistics.median(frame for _, frame in results) for size, results in found.items()}
    seen = {size: _pixels_seen(folder, "large", size, model) for size in found}
    start = statistics.median(start for results in found.values() for start, _ in results)
    low, high = FITTED
    per_pixel = (pace[high] - pace[low]) / (seen[high] - seen[low])
    machine = Machine(start, pace[low] - per_pixel * seen[low], per_pixel)
    parts = f"{machine.fixed:.2f} + {1e6 * per_pixel:.2f} a megapixel seen"
    print(f"core seconds without real pixels: start {start:.1f}; a frame {parts}")
    for size, took in pace.items():
        told = machine.frame(seen[size])
        off = 100 * (told / took - 1)
        print(
            f"  {size}: {seen[size]} pixels, model {told:.2f}, measured {took:.2f}, {off:+.0f} %", flush=True
        )
    return machine


def _command(folder: Path, hole: str, size: int, model: str, *options: str) -> list[str]:
    command = [sys.executable, "-m", "plugin_core.cli", "render", "--plate", str(folder / "plate.####.exr")]
    command += ["--matte", str(folder / f"{hole}.####.png"), "--output", str(folder / "out/clean.####.exr")]
    command += ["--working-size", str(size), "--model", model, "--overwrite", "--progress", "json"]
    command += ["--paint", "network"]
    return [*command, *options]


def _render(folder: Path, size: int, model: str) -> tuple[float, float]:
    """Render once without real pixels; returns core seconds of the start, and of a frame."""
    options = ["--propagate", "off", "--chunk", "60-73", "--pre-roll", "0"]
    process = subprocess.Popen(
        _command(folder, "large", size, model, *options), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    spent = [_core_seconds(process.pid) for line in process.stdout if json.loads(line)["event"] == "frame"]
    assert process.wait() == 0
    frame = (spent[-2] - spent[1]) / (len(spent) - 3)  # the last frame may be told when the process is over
    return spent[0] - frame, frame


def _core_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _pixels_seen(folder: Path, hole: str, size: int, model: str) -> int:
    """Pixels of the network's own picture at a working size: it goes in steps of 16 along each side."""
    command = [sys.executable, "-m", "plugin_core.cli", "probe", "--quick", "--json", "--model", model]
    command += ["--plate", str(folder / "plate.####.exr"), "--matte", str(folder / f"{hole}.####.png")]
    done = subprocess.run([*command, "--working-size", str(size)], capture_output=True, text=True, check=True)
    width, height = json.loads(done.stdout)["crops"][0]["network"]
    return int(width * height)


def _real_pixels(folder: Path, hole: str, model: str) -> RealPixels:
    """Find real pixels for frames in a row: the first looks at all within reach, each later at one."""
    shot = Shot(
        plate=str(folder / "plate.####.exr"),
        matte=str(folder / f"{hole}.####.png"),
        output=str(folder / "out/clean.####.exr"),
    )
    sources = open_sources(shot)
    settings = Settings(working_size=512)
    plan = make_plan(sources, shot, settings, Bundle.open(find_bundle(model)))
    assert plan.motion is not None
    clip = _Counted(plan.sources.plate.again())
    mattes = mattes_of(sources, settings, ())
    propagator = Propagator(clip, mattes, plan.color, plan.motion, plan.searched, plan.schedule.span)
    holes = {frame: mattes.hole(frame) for frame in range(MIDDLE, MIDDLE + 9)}
    spent, alone, looked = [], [], 1
    for frame in (MIDDLE, *holes):  # the first one again: nothing is new then
        began, thread = time.process_time(), time.thread_time()
        if frame == MIDDLE + 1:
            looked, clip.count = clip.count, 0
        propagator.find(frame, holes[frame])
        spent.append(time.process_time() - began)
        alone.append(time.thread_time() - thread)
    propagator.close()
    look = (spent[0] - spent[1]) / looked
    # Every fourth frame looks at four new plates.
    steady = statistics.mean(spent[2:])
    reads = round(clip.count / 8) - 1
    return RealPixels(
        look, (steady - look) / (2 * PROPAGATE_FRAMES), steady, statistics.mean(alone[2:]) / steady, reads
    )


class _Counted:
    """A clip that counts the plates it gives."""

    def __init__(self, clip) -> None:
        self._clip = clip
        self.count = 0

    def plate(self, frame: int):
        self.count += 1
        return self._clip.plate(frame)


def _check_task(
    folder: Path, network: Machine, real: RealPixels, part: tuple[str, int, int], model: str
) -> None:
    """Foretell a whole task with real pixels, and run it."""
    hole, first, last = part
    machine = replace(network, look=real.look, search=real.search)
    task = Load(1, FRAMES, pre_roll=0, propagate=PROPAGATE_FRAMES).task(first - 1, last)
    told = task.seconds(machine, machine.frame(_pixels_seen(folder, hole, 512, model)))
    before = _children()
    options = [] if first == 1 else ["--pre-roll", "0"]
    command = _command(folder, hole, 512, model, "--chunk", f"{first}-{last}", *options)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took = _children() - before
    print(
        f"  {hole}, frames {first}-{last} of {FRAMES} ({task.looks} looks, {task.searches} searches): model "
        f"{told:.0f}, measured {took:.0f}, {100 * (told / took - 1):+.0f} %",
        flush=True,
    )


def _painting(folder: Path, hole: str, model: str) -> None:
    """Measure the first pass, which paints a shot's key frames, and what carrying them costs a frame."""
    before = _children()
    command = _command(folder, hole, 512, model)
    command[command.index("render")] = "paint"
    for option in ("--overwrite", "--paint", "network"):
        command.remove(option)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    painted = _children() - before
    took = []
    for paint in ("network", "auto"):
        before = _children()
        chunk = ["--chunk", f"{MIDDLE}-{MIDDLE + 7}", "--pre-roll", "0", "--paint", paint]
        subprocess.run(_command(folder, hole, 512, model, *chunk), check=True, stdout=subprocess.DEVNULL)
        took.append(_children() - before)
    carried = (took[1] - took[0]) / 8
    hours = 1000 * 150 * (painted / FRAMES + carried) / 3600
    print(
        f"  {hole}: key frames of {FRAMES} frames painted in {painted:.0f}, carried at {carried:.2f} a "
        f"frame: {hours:.0f} core hours for 1,000 shots of 150, on top of the tables",
        flush=True,
    )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
    print(
        f"  7 shots: one worker {one:.1f} s; two foretold {foretold:.1f} s, measured {two:.1f} s", flush=True
    )


def _table(hole: str, network: Machine, frame: float, real: RealPixels | None, megabytes: float) -> None:
    """What 1,000 shots of 150 frames at 2K cost on machines of eight cores that run eight tasks at a time."""
    reach = 0 if real is None else PROPAGATE_FRAMES
    machine = network if real is None else replace(network, look=real.look, search=real.search)
    loads = {
        "whole shots, exact": Load(1000, 150, propagate=reach),
        "chains of 50, exact": Load(1000, 150, 50, propagate=reach),
        "chunks of 50, pre-roll 0": Load(1000, 150, 50, 0, propagate=reach),
        "chunks of 50, pre-roll 8": Load(1000, 150, 50, 8, propagate=reach),
        "chunks of 25, pre-roll 8": Load(1000, 150, 25, 8, propagate=reach),
        "one shot, whole": Load(1, 150, propagate=reach),
        "one shot, chunks of 15, pre-roll 8": Load(1, 150, 15, 8, propagate=reach),
    }
    counts = (1, 10, 100, 1000)
    named = "".join(f"{count:>10}" for count in counts)
    print(f"{'real pixels: ' + hole:36}{'core hours':>11}{named}  GB moved, MB/s a machine")
    for name, load in loads.items():
        minutes = [simulate(load, n * CORES, machine, frame, spread=0.15) / 60 for n in counts]
        told = "".join(f"{value:9.1f}m" for value in minutes)
        hours = machine_hours(load, machine, frame)
        moved = load.shots * megabytes * sum(task.plates for task in load.tasks())
        print(
            f"{name:36}{hours:11.1f}{told}{moved / 1000:10.1f}{moved / hours / 3600 * CORES:6.0f}", flush=True
        )


if __name__ == "__main__":
    main()
