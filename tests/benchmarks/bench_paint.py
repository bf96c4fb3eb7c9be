"""What it costs to carry paint: core seconds a frame, at 2K with a hole of 800x600.

    python -m tests.benchmarks.bench_paint [--frames 24]

A hole stands before a plate that pans, so that most of it is painted. Only what paint adds to a frame is
counted: carrying it, telling where it gives way, and what the blend does for it. Key frames, and the frame on
which one is opened for the first time, are counted apart. Past 0.15 core seconds a frame in the mean it ends
with exit code 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.cli.memory import keep_freed
from plugin_core.compose.texture import textured
from plugin_core.compose.undertone import led
from plugin_core.job.settings import Settings
from plugin_core.patch import Patch, laid_over
from plugin_core.progress.watch import unwatched
from plugin_core.render.painted import open_painted
from plugin_core.render.plan import Plan, make_plan
from plugin_core.render.real_pixels import open_real_pixels
from plugin_core.render.sources import mattes_of, open_sources
from tests.benchmarks.travelling import FIRST, travelling_shot
from tests.plugin_core.shots import write_matte
from tests.plugin_core.toy_network import ToyNetwork

WIDTH, HEIGHT = 2048, 1152
HOLE = 800, 600
SEARCH = 12
BAR = 0.15


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; ends the program where the bar is failed."""
    parser = argparse.ArgumentParser(description="What it costs to carry paint.")
    parser.add_argument("--frames", type=int, default=24)
    given = parser.parse_args(arguments)
    keep_freed()  # as the command does
    with tempfile.TemporaryDirectory(prefix="cleanplate-bench-") as name:
        plan = _plan(Path(name), given.frames)
        alone, dissolved, made = _carry(plan)
    for told, times in (("one key frame", alone), ("two, dissolving", dissolved), ("made or opened", made)):
        if times:
            print(f"{told:16} {statistics.mean(times):.3f} core seconds a frame, {len(times)} frames")
    mean = statistics.mean(alone + dissolved)
    print(f"carrying: {mean:.3f} core seconds a frame (bar: {BAR})")
    if mean > BAR:
        sys.exit("bench_paint: carrying costs more than it may.")


def _plan(folder: Path, frames: int) -> Plan:
    shot = travelling_shot(folder, (WIDTH, HEIGHT), frames)
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(matte, (WIDTH // 2, HEIGHT // 2), (HOLE[0] // 2, HOLE[1] // 2), 0, 0, 360, 255, -1)
    write_matte(folder / "standing.png", matte)
    shot = shot.model_copy(update={"matte": str(folder / "standing.png")})
    settings = Settings(working_size=64, propagate=SEARCH, grow=0, feather=0)
    return make_plan(open_sources(shot), shot, settings, ToyNetwork())


def _carry(plan: Plan) -> tuple[list[float], list[float], list[float]]:
    """Return the core seconds of frames with one key frame, with two, and where one is made or opened."""
    real = open_real_pixels(plan)
    assert real is not None
    paint = open_painted(plan, [real])
    assert paint is not None
    mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
    alone: list[float] = []
    dissolved: list[float] = []
    made: list[float] = []
    opened: set[int] = set()
    for frame in range(FIRST, plan.sources.last + 1):
        hole = mattes.hole(frame)
        assert hole is not None
        known = real.find(frame, hole, None, unwatched)
        network = np.zeros((hole.box.height, hole.box.width, 3), np.float32)
        _blended(known, network)
        began = time.process_time()
        _blended(known, network)
        without = time.process_time() - began
        began = time.process_time()
        patch = paint.find(frame, hole, known, unwatched)
        _blended(laid_over(known, patch), network)
        took = time.process_time() - began - without
        keys = set(paint.paints(frame))
        times = made if keys - opened else dissolved if len(keys) > 1 else alone
        times.append(took)
        opened |= keys
    paint.close()
    real.close()
    return alone, dissolved, made


def _blended(patch: Patch | None, network: NDArray[np.float32]) -> None:
    """Do what the blend does with a patch."""
    if patch is not None:
        known = led(patch, network, HEIGHT)
        textured(network + (known.picture - network) * known.confidence[..., None], known)


if __name__ == "__main__":
    main()
