"""How much film damage is found, what is found by mistake, and what the repair is worth.

    python -m tests.benchmarks.bench_restoration [--picture FILE]

Damage that is known exactly, of shapes drawn here, is laid over the embedded sample shot. `python -m
models.evaluation.restoration` lays real sprites over real clips. Where a bar is failed it ends with
exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.film_damage import damaged
from models.evaluation.restoration import REST, read_pictures, score
from plugin_core.sample import sample_folder

FOUND_BAR, FALSE_BAR, GAIN_BAR, SECONDS_BAR = 0.85, 0.0005, 5.0, 1.5


def drawn_sprites(seed: int = 1) -> list[NDArray[np.uint8]]:
    """Draw hairs, specks and a blotch, (400, 400) each, white on black."""
    random = np.random.default_rng(seed)
    sprites = []
    for kind in ("hair", "specks", "blotch") * 2:
        drawn = np.zeros((400, 400), np.uint8)
        if kind == "hair":
            points = np.cumsum(random.normal(0, 30, (12, 2)), axis=0) + 200
            cv2.polylines(drawn, [points.astype(np.int32)], False, 255, 3, cv2.LINE_AA)
        elif kind == "specks":
            for x, y in random.integers(20, 380, (14, 2)).tolist():
                cv2.circle(drawn, (x, y), int(random.integers(3, 7)), 255, -1, cv2.LINE_AA)
        else:
            cv2.ellipse(drawn, ((200, 200), (60, 40), 30), 255, -1, cv2.LINE_AA)
        sprites.append(drawn)
    return sprites


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; ends the program where a bar is failed."""
    parser = argparse.ArgumentParser(description="How well film damage is found and repaired.")
    parser.add_argument("--picture", type=Path, help="write a few frames before and after here")
    picture = parser.parse_args(arguments).picture
    pictures = read_pictures(sample_folder() / "clean", 0, 6 + 2 * REST)
    result = score(damaged(pictures, drawn_sprites(), seed=3, pieces=4), picture)
    clean = score(damaged(pictures, drawn_sprites(), seed=3, pieces=0, scratches=0))
    print(f"damaged:   {result}\nundamaged: false {clean.false:.3%}")
    failed = [
        result.dirt < FOUND_BAR,
        result.scratches < FOUND_BAR,
        max(result.false, clean.false) > FALSE_BAR,
        result.after - result.before < GAIN_BAR,
        result.seconds > SECONDS_BAR,
    ]
    if any(failed):
        sys.exit("bench_restoration: a bar is failed.")


if __name__ == "__main__":
    main()
