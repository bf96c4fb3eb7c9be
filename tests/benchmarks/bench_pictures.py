"""What color and files cost: megapixels a second to the network's range and back, and read and written.

    python -m tests.benchmarks.bench_pictures [--size 2048 1080] [--repeat 3]

One picture, the best of several runs, on whatever else the machine does; only ratios mean much. Files are
read and written by our own functions, with the check after writing but without the sync.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from plugin_core.color.color_map import choose_color
from plugin_core.images import read_plate, write_plate
from tests.plugin_core.pictures_on_disk import save, spec_of

SPACES = ("display", "linear", "ACEScg", "ACES2065-1", "ARRI LogC4", "acescct", "cineon")
FILES = (
    *(("half", ".exr", {"compression": name}) for name in ("none", "zips", "zip", "piz", "htj2k256", "zstd")),
    ("half", ".exr", {"compression": "zip", "tile_width": 64, "tile_height": 64}),
    ("uint16", ".dpx", {"oiio:BitsPerSample": 10}),
    ("uint16", ".tif", {"compression": "zip"}),
    ("uint16", ".png", {}),
    ("uint16", ".jxl", {}),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each color space and each kind of file."""
    parser = argparse.ArgumentParser(description="What color and files cost.")
    parser.add_argument("--size", type=int, nargs=2, default=[2048, 1080])
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args(arguments)
    width, height = given.size
    pixels = soft_picture(width, height)
    megapixels = width * height / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "p.exr", (spec_of(8, 8, "RGB", "half"), pixels[:8, :8].copy()))
        header = read_plate(path).header
        print(f"{'color space':24} {'to network':>12} {'back':>12}   megapixels a second")
        for space in SPACES:
            color = choose_color(space, header).color
            network = color.to_network(pixels)
            there = best(lambda c=color: c.to_network(pixels), given.repeat)
            back = best(lambda c=color, n=network: c.from_network(n), given.repeat)
            print(f"{space:24} {megapixels / there:12.1f} {megapixels / back:12.1f}", flush=True)
        print(f"\n{'file':24} {'read':>12} {'write':>12}   megapixels a second")
        for kind, extension, details in FILES:
            _time_file(Path(folder), pixels, kind, extension, details, given.repeat)


def _time_file(
    folder: Path, pixels: np.ndarray, kind: str, extension: str, details: dict[str, object], repeat: int
) -> None:
    height, width, _ = pixels.shape
    named = {name.replace(":", "__"): value for name, value in details.items()}
    path = save(folder / f"p{extension}", (spec_of(width, height, "RGB", kind, **named), pixels))
    plate = read_plate(path)
    read = best(lambda: read_plate(path), repeat)
    written = best(lambda: write_plate(plate, folder / f"out{extension}", sync=False), repeat)
    oiio.geterror()
    about = " ".join([extension, *(str(value) for value in details.values())])
    size = width * height / 1e6
    print(f"{about:24} {size / read:12.1f} {size / written:12.1f}", flush=True)


def soft_picture(width: int, height: int) -> np.ndarray:
    """Waves with a little grain, so that compression has something to do and something to find."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [0.5 + 0.4 * np.sin(x / 90 + c) * np.cos(y / 70 - c) for c in range(3)]
    grain = np.random.default_rng(0).normal(0, 0.004, (height, width, 3))
    return (np.stack(waves, axis=2) + grain).astype(np.float32)


def best(work: Callable[[], object], repeat: int) -> float:
    """Seconds of the quickest of several runs."""
    seconds = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
