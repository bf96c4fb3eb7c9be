"""Make docs/images/lake.webp: the lake shot before and after, moving, as the demo leaves it.

.venv/bin/cleanplate demo --shot lake --output lake_out
.venv/bin/python docs/images/lake_picture.py lake_out
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from plugin_core.sample.lake import FIRST, LAST

WIDTH, HEIGHT, GAP = 432, 243, 6
MILLISECONDS = 83
"""A frame's time: half speed, so that the eye can follow."""

WHERE = Path(__file__).with_name("lake.webp")


def main(rendered: Path) -> None:
    """Lay plate and result of each frame beside each other."""
    frames = []
    for frame in range(FIRST, LAST + 1):
        pair = [
            cv2.resize(cv2.imread(str(file)), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            for file in (rendered / f"lake/plate/plate.{frame}.png", rendered / f"clean.{frame}.png")
        ]
        gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
        frames.append(np.hstack((pair[0], gap, pair[1])))
    moving = cv2.Animation()
    moving.frames = frames
    moving.durations = [MILLISECONDS] * len(moving.frames)
    assert cv2.imwriteanimation(str(WHERE), moving, [cv2.IMWRITE_WEBP_QUALITY, 50])
    print(WHERE, WHERE.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
