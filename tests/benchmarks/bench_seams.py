"""What mattes and grain cost a frame; one encode and step of a 512 network beside it takes about a second.

    python -m tests.benchmarks.bench_seams [--rounds 5]

Plates are UHD, half float, scene-linear, with noise; holes are round. Times are medians, in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from plugin_core.color.color_map import ColorMap
from plugin_core.compose.regrain import regrain
from plugin_core.images import Plate, read_plate
from plugin_core.job.settings import Settings
from plugin_core.regions.hole import Hole, hole_of

WIDTH, HEIGHT = 3840, 2160
RADII = (100, 400)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_seams")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    print(f"{'':44}" + "".join(f"{f'radius {radius}':>12}" for radius in RADII))
    columns = [dict(_works(radius)) for radius in RADII]
    for name in columns[0]:
        times = [_milliseconds(column[name], rounds) for column in columns]
        print(f"{name:44}" + "".join(f"{time:12.1f}" for time in times), flush=True)
    return 0


def _works(radius: int) -> Iterator[tuple[str, Callable[[], object]]]:
    matte = _matte(radius)
    for grow, feather, side, soft in (
        (0, 0, "outside", False),
        (8, 8, "outside", False),
        (8, 8, "center", False),
        (8, 8, "inside", False),
        (8, 8, "outside", True),
        (64, 32, "outside", True),
    ):
        settings = Settings(grow=grow, feather=feather, feather_side=side, matte_soft=soft)
        name = f"hole: grow {grow}, feather {feather} {side}{', soft' if soft else ''}"
        yield name, lambda settings=settings: hole_of(matte, settings)
    plate, hole = _plate(), _hole(matte)
    flat = np.zeros((*hole.alpha.shape, 3), np.float32)
    color = ColorMap("linear")
    yield "grain: measured and laid", lambda: regrain(flat, plate, hole, color, seed=1)


def _matte(radius: int) -> np.ndarray:
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    distance = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    return np.clip((radius - distance) / 8, 0, 1).astype(np.float32)


def _hole(matte: np.ndarray) -> Hole:
    found = hole_of(matte, Settings(grow=8, feather=8))
    assert found is not None
    return found


def _plate() -> Plate:
    random = np.random.default_rng(0)
    pixels = (0.3 + 0.02 * random.standard_normal((HEIGHT, WIDTH, 3), np.float32)).astype(np.float16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plate.exr"
        file = oiio.ImageOutput.create(str(path))
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, "half")
        assert file.open(str(path), spec) and file.write_image(pixels) and file.close()
        return read_plate(path)


def _milliseconds(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


if __name__ == "__main__":
    main()
