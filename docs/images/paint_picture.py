"""Make docs/images/paint.jpg: a hole that nothing else shows, left to the network, and painted.

.venv/bin/cleanplate demo --shot lake --output lake_out
.venv/bin/python docs/images/paint_picture.py lake_out
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import cleanplate

FRAME = 1012
ROWS, COLUMNS = slice(195, 340), slice(105, 325)
TIMES, GAP = 2, 6
WHERE = Path(__file__).with_name("paint.jpg")


def main(demo: Path) -> None:
    """Fill an ellipse over the shore of one frame in both ways."""
    frame = cv2.imread(str(demo / f"lake/clean/clean.{FRAME}.png"))[..., ::-1].copy()
    hole = cv2.ellipse(np.zeros(frame.shape[:2], np.uint8), (215, 272), (62, 48), 0, 0, 360, 255, -1) > 0
    shown = frame.copy()
    shown[hole] = shown[hole] // 3 + np.array((140, 60, 60), np.uint8)
    pictures = [shown]
    for paint in ("network", "auto"):
        pictures += cleanplate.fill([frame], [hole], cleanplate.Settings(paint=paint))
    parts = []
    for picture in pictures:
        part = cv2.resize(picture[ROWS, COLUMNS], None, fx=TIMES, fy=TIMES, interpolation=cv2.INTER_CUBIC)
        parts += [part, np.full((part.shape[0], GAP, 3), 255, np.uint8)]
    cv2.imwrite(str(WHERE), np.hstack(parts[:-1])[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(WHERE, WHERE.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
