"""A shot for benchmarks: a textured plate that pans, and a matte that travels over it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.job.settings import Shot

FIRST = 1001
HOLE = 300
"""Longest side of the matte."""

TRAVEL = 11
"""Pixels that the matte goes by from frame to frame."""


def travelling_shot(folder: Path, size: tuple[int, int], frames: int, *, travel: int = TRAVEL) -> Shot:
    """Write a shot of `size` (width, height): the plate pans by 4 pixels a frame, the matte goes by `travel`.

    Half-float EXR, RGBA and ZIP; grain on the plate. The matte is `HOLE` pixels high on a plate of any size.
    """
    for kind in ("plate", "matte"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    width, height = size
    wide = _texture(width + 4 * frames, height)
    for number in range(frames):
        rgba = np.ones((height, width, 4), np.float16)
        rgba[:, :, :3] = wide[:, 4 * number : 4 * number + width]
        matte = np.zeros((height, width), np.float32)
        center = width // 4 + travel * number, height // 2 + round(40 * np.sin(number / 6))
        cv2.ellipse(matte, center, (HOLE // 3, HOLE // 2), 0, 0, 360, 1, thickness=-1)
        _save(folder / "plate" / f"plate.{FIRST + number}.exr", rgba, ("R", "G", "B", "A"))
        _save(folder / "matte" / f"matte.{FIRST + number}.exr", matte[:, :, None].astype(np.float16), ("A",))
    names = {kind: str(folder / kind / f"{kind}.####.exr") for kind in ("plate", "matte")}
    return Shot(output=str(folder / "out" / "clean.####.exr"), **names)


def _texture(width: int, height: int) -> NDArray[np.float16]:
    """Soft shapes of several sizes with grain on them."""
    random = np.random.default_rng(1)
    picture = np.full((height, width, 3), 0.35, np.float32)
    for cell in (16, 64, 256):
        coarse = random.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        picture += 0.09 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    tile = random.normal(0, 0.015, (512, 512, 3)).astype(np.float32)
    across, down = -(-width // 512), -(-height // 512)
    picture += np.tile(tile, (down, across, 1))[:height, :width]
    return np.maximum(picture, 0.001).astype(np.float16)


def _save(path: Path, pixels: NDArray[np.float16], channels: tuple[str, ...]) -> None:
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], len(channels), "half")
    spec.channelnames = channels
    spec.attribute("compression", "zip")
    file = oiio.ImageOutput.create(str(path))
    if not (file and file.open(str(path), spec) and file.write_image(pixels) and file.close()):
        raise SystemExit(f"can't write {path}")
