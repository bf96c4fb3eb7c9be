"""What the search for real pixels costs, beside the motion search that it is made from.

    python -m tests.benchmarks.bench_motion [--frames 112]

Someone (a matte of a sixth of the picture) walks across a panning 640x384 shot. The core seconds of each
frame's search, with all that it looks at, are held against those of plain dense inverse search, both ways,
between the same plates in the same run; so the ratio can be read on any machine, busy or not. Past 12 times,
or where looking 96 frames far costs more than 1.3 times what 24 do, it ends with exit code 1.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.cli.memory import keep_freed
from plugin_core.images import read_plate
from plugin_core.job.settings import Settings, Shot
from plugin_core.motion.dense_search import dense_search
from plugin_core.motion.finder import Propagator
from plugin_core.network.bundle import Bundle, find_bundle
from plugin_core.regions.shot_mattes import ShotMattes
from plugin_core.render.plan import make_plan
from plugin_core.render.sources import mattes_of, open_sources
from tests.plugin_core.shots import write_matte, write_plate

WIDTH, HEIGHT = 640, 384
RATIO_BAR, REACH_BAR = 12.0, 1.3
PAN_PX, WALK_PX = 3, 5
MEASURED = 8


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; ends the program where a bar is failed."""
    parser = argparse.ArgumentParser(description="What the search for real pixels costs.")
    parser.add_argument("--frames", type=int, default=112)
    given = parser.parse_args(arguments)
    keep_freed()  # as the command does
    with tempfile.TemporaryDirectory(prefix="cleanplate-bench-") as name:
        folder = Path(name)
        _write(folder, given.frames)
        plain = _dense(folder)
        cost = _search(folder, given.frames // 2, (24, 48, 96))
    print(f"dense inverse search, both ways: {plain:.3f} core seconds a pair")
    for reach, (first, steady) in cost.items():
        print(
            f"{reach:3} frames each way: {steady:.3f} core seconds a frame, {steady / plain:.1f} times that; "
            f"{first:.2f} for the first"
        )
    ratio, reached = cost[48][1] / plain, cost[96][1] / cost[24][1]
    print(f"96 frames cost {reached:.2f} times what 24 do (bar: {REACH_BAR}); ratio bar: {RATIO_BAR}")
    if ratio > RATIO_BAR or reached > REACH_BAR:
        sys.exit("bench_motion: the search for real pixels costs more than it may.")


def _write(folder: Path, frames: int) -> None:
    rng = np.random.default_rng(1)
    wide = WIDTH + PAN_PX * (frames + 1)
    world = np.full((HEIGHT, wide, 3), 0.4, np.float32)
    for size in (3, 12, 48):
        spots = rng.normal(0, 0.1, (HEIGHT // size + 2, wide // size + 2, 3)).astype(np.float32)
        world += cv2.resize(spots, (wide, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for frame in range(1, frames + 1):
        shown = world[:, PAN_PX * frame : PAN_PX * frame + WIDTH]
        shown = shown + rng.normal(0, 0.008, shown.shape).astype(np.float32)
        write_plate(folder / f"plate.{frame:04d}.exr", np.dstack([shown, shown[..., 0]]))
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        middle = WIDTH // 2 + round(150 * np.sin(WALK_PX * frame / 150)), HEIGHT // 2
        cv2.ellipse(matte, middle, (85, 150), 0, 0, 360, 255, -1)
        write_matte(folder / f"matte.{frame:04d}.png", matte)


def _dense(folder: Path) -> float:
    """Core seconds of plain dense inverse search between two neighboring plates, both ways."""
    pictures = [_gray(folder / f"plate.{frame:04d}.exr") for frame in range(1, MEASURED + 2)]
    spent = []
    for one, other in itertools.pairwise(pictures):
        began = time.process_time()
        dense_search(one, other)
        dense_search(other, one)
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def _gray(path: Path) -> NDArray[np.uint8]:
    gray = read_plate(path).rgb.mean(axis=2)
    return np.clip(gray * 255, 0, 255).astype(np.uint8)


def _search(folder: Path, middle: int, reaches: tuple[int, ...]) -> dict[int, tuple[float, float]]:
    """Core seconds of the first frame's search and of those after it, for each reach.

    Frame by frame, one reach after the other: what else the machine does then slows all of them.
    """
    finders = {reach: _finder(folder, reach) for reach in reaches}
    spent: dict[int, list[float]] = {reach: [] for reach in reaches}
    for frame in range(middle, middle + MEASURED + 1):
        for reach, (propagator, mattes) in finders.items():
            hole = mattes.hole(frame)
            assert hole is not None
            began = time.process_time()
            propagator.find(frame, hole)
            spent[reach].append(time.process_time() - began)
    for propagator, _ in finders.values():
        propagator.close()
    return {reach: (first, statistics.mean(others)) for reach, (first, *others) in spent.items()}


def _finder(folder: Path, reach: int) -> tuple[Propagator, ShotMattes]:
    shot = Shot(
        plate=str(folder / "plate.####.exr"),
        matte=str(folder / "matte.####.png"),
        output=str(folder / "out/clean.####.exr"),
    )
    settings = Settings(working_size=512, propagate=reach, grow=6, feather=4)
    sources = open_sources(shot)
    plan = make_plan(sources, shot, settings, Bundle.open(find_bundle("vinet")))
    assert plan.motion is not None
    mattes = mattes_of(sources, settings, ())
    clip = sources.plate.again()
    propagator = Propagator(clip, mattes, plan.color, plan.motion, plan.searched, plan.schedule.span)
    return propagator, mattes_of(sources, settings, ())


if __name__ == "__main__":
    main()
