"""The plainest fill there is: the membrane through what surrounds a hole, each pixel its neighbors' mean."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.box import bounds

from .cases import Mask

ROUNDS = 80
"""Means of four neighbors at each size, from the coarsest to the picture's own."""

_SMALLEST = 8
_NEIGHBORS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def harmonic_fill(picture: NDArray[np.uint8], hole: Mask) -> NDArray[np.uint8]:
    """Fill one frame (H, W, 3), on the part around the hole."""
    box = bounds(hole)
    if box is None:
        return picture.copy()
    height, width = hole.shape
    box = box.grown(_SMALLEST).within(width, height)
    known = (~hole[box.slices]).astype(np.float32)
    filled = picture.copy()
    smooth = _membrane(picture[box.slices].astype(np.float32) * known[..., None], known)
    part = filled[box.slices]
    inside = hole[box.slices]
    part[inside] = np.clip(np.round(smooth[inside]), 0, 255).astype(np.uint8)
    return filled


def _membrane(weighted: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colors (h, w, 3), where they are known as they are; `weighted` is 0 where they are not."""
    height, width = known.shape
    fixed = (known > 0)[..., None]
    color = weighted / np.maximum(known, 1e-6)[..., None]
    if min(height, width) <= _SMALLEST:
        start = np.broadcast_to(color[known > 0].mean(axis=0) if known.any() else 0, color.shape)
    else:
        size = (width + 1) // 2, (height + 1) // 2
        coarse = _membrane(
            np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32),
            np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32),
        )
        start = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = np.where(fixed, color, start).astype(np.float32)
    for _ in range(ROUNDS):
        means = cv2.filter2D(smooth, -1, _NEIGHBORS, borderType=cv2.BORDER_REPLICATE)
        smooth = np.where(fixed, color, means).astype(np.float32)
    return smooth
