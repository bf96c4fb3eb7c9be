"""Make docs/images/lake.webp and balloon.webp: a sample shot before and after, moving, as the demo leaves it.

.venv/bin/cleanplate demo --shot lake --output lake_out && .venv/bin/cleanplate demo --output demo_out
.venv/bin/python docs/images/moving_pictures.py lake_out demo_out
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core import sample
from plugin_core.images import read_plate

MILLISECONDS = 83
"""A frame's time: half speed, so that the eye can follow."""

GAP = 6
FRAMES = range(sample.FIRST, sample.LAST + 1)
"""Of both shots."""


def main(lake: Path, balloon: Path) -> None:
    """Lay plate and result of each frame beside each other, of both shots."""
    lakes = [(lake / f"lake/plate/plate.{n}.png", lake / f"clean.{n}.png") for n in FRAMES]
    write("lake", lakes, (432, 243), quality=50)
    plates = (sample.frame_path(sample.plate_pattern(), n) for n in FRAMES)
    balloons = [(plate, balloon / f"clean.{n}.exr") for plate, n in zip(plates, FRAMES, strict=True)]
    write("balloon", balloons, (416, 234), quality=45)


def write(name: str, pairs: list[tuple[Path, Path]], size: tuple[int, int], quality: int) -> None:
    """Write pairs of files, before and after, as a moving picture."""
    moving = cv2.Animation()
    gap = np.full((size[1], GAP, 3), 255, np.uint8)
    moving.frames = [np.hstack((shown(before, size), gap, shown(after, size))) for before, after in pairs]
    moving.durations = [MILLISECONDS] * len(pairs)
    where = Path(__file__).with_name(f"{name}.webp")
    assert cv2.imwriteanimation(str(where), moving, [cv2.IMWRITE_WEBP_QUALITY, quality])
    print(where, where.stat().st_size)


def shown(file: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture as a screen shows it, blue first."""
    if file.suffix == ".exr":
        linear = np.asarray(read_plate(file).rgb, np.float32)
        curve = np.clip(linear, 0, 1) ** np.float32(1 / 2.2)
        picture = np.rint(curve[..., ::-1] * 255).astype(np.uint8)
    else:
        picture = cv2.imread(str(file))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
