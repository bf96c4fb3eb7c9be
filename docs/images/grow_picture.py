"""Make docs/images/grow.jpg: what a matte that ends inside the object leaves, and what growing it does.

.venv/bin/cleanplate demo --shot lake --output lake_out
.venv/bin/cleanplate render --plate lake_out/lake/plate --matte lake_out/lake/matte \
    --frames 1010-1013 --grow -3 --feather 0 --output tight/clean.####.png
.venv/bin/python docs/images/grow_picture.py lake_out tight
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

FRAME = 1012
ROWS, COLUMNS = slice(80, 230), slice(290, 470)
TIMES, GAP = 2, 6
WHERE = Path(__file__).with_name("grow.jpg")


def main(demo: Path, tight: Path) -> None:
    """Lay the microphone's end beside what is left of it, and beside the demo's own fill."""
    parts = []
    for file in (
        demo / f"lake/plate/plate.{FRAME}.png",
        tight / f"clean.{FRAME}.png",
        demo / f"clean.{FRAME}.png",
    ):
        part = cv2.imread(str(file))[ROWS, COLUMNS]
        parts += [cv2.resize(part, None, fx=TIMES, fy=TIMES, interpolation=cv2.INTER_CUBIC)]
        parts += [np.full((parts[-1].shape[0], GAP, 3), 255, np.uint8)]
    cv2.imwrite(str(WHERE), np.hstack(parts[:-1]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(WHERE, WHERE.stat().st_size)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
