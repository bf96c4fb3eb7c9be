"""Make docs/images/restoration.jpg: the sample shot under damage of our own making, before and after.

.venv/bin/python -m docs.images.restoration_picture
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.film_damage import damaged
from plugin_core.cli import main
from plugin_core.color.display import display
from plugin_core.images import read_plate
from plugin_core.sample import FIRST, LAST, frame_path, plate_pattern
from tests.benchmarks.bench_restoration import drawn_sprites

FRAMES = (1009, 1016)
SEED, PIECES = 11, 6

WHERE = Path(__file__).with_name("restoration.jpg")

Picture = NDArray[np.uint8]


def framed(picture: Picture) -> Picture:
    """A picture with a margin."""
    return np.pad(picture, ((4, 4), (4, 4), (0, 0)), constant_values=32)


def marked(picture: Picture, found: NDArray[np.bool_]) -> Picture:
    """A darker picture with what was found in red; blue first."""
    shown = (picture * 0.45).astype(np.uint8)
    shown[cv2.dilate(found.view(np.uint8), np.ones((3, 3), np.uint8)) > 0] = (40, 60, 235)
    return shown


def picture() -> None:
    """Damage the sample, restore it, and lay before, found and after beside each other."""
    truth = [
        np.rint(display(read_plate(frame_path(plate_pattern(), frame)).rgb) * 255).astype(np.uint8)
        for frame in range(FIRST, LAST + 1)
    ]
    made = damaged(truth, drawn_sprites(SEED), seed=SEED, pieces=PIECES)
    with tempfile.TemporaryDirectory() as folder:
        for frame, plate in enumerate(made.pictures, FIRST):
            assert cv2.imwrite(f"{folder}/scan.{frame}.png", np.ascontiguousarray(plate[..., ::-1]))
        rows = []
        for frame in FRAMES:
            given = ["--plate", f"{folder}/scan.####.png", "--frames", str(frame), "--progress", "none"]
            assert main(["detect", "all", *given, "--matte", f"{folder}/found.####.png"]) == 0
            assert main(["restore", *given, "--output", f"{folder}/clean.####.png"]) == 0
            names = (f"{folder}/{name}.{frame}.png" for name in ("scan", "found", "clean"))
            before, found, after = (np.asarray(cv2.imread(name), np.uint8) for name in names)
            shown = before, marked(before, found[..., 0] > 0), after
            rows.append(np.hstack([framed(each) for each in shown]))
        assert cv2.imwrite(str(WHERE), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    picture()
