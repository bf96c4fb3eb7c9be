"""Grow, shrink, feather and measure masks. Pure functions of arrays; no files."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def grow(mask: NDArray[np.bool_], px: int) -> NDArray[np.bool_]:
    """Grow a mask (H, W) by ``px`` pixels in every direction, round at corners; a negative ``px`` shrinks it.

    A pixel belongs to the result when a pixel of the mask lies within ``px`` of it (Euclidean). Shrinking
    treats what lies beyond the picture as mask, so a matte that runs out of frame is not eaten at the frame's
    edge.
    """
    if px == 0 or not mask.any():
        return mask.copy()
    if px < 0:
        return ~grow(~mask, -px)
    return _distance(mask, px) <= px


def feather(mask: NDArray[np.bool_], px: int) -> NDArray[np.float32]:
    """Blend weights (H, W) float32: 1 on the mask, falling to 0 over ``px`` pixels outside it, exactly 0
    beyond.

    The fall is a smooth step of the Euclidean distance to the mask: ``feather > 0`` is ``grow``.
    ``px`` of 0 gives 0 and 1 only.
    """
    if px <= 0 or not mask.any():
        return mask.astype(np.float32)
    distance = _distance(mask, px)
    inside = np.float32(1) - np.minimum(distance / np.float32(px + 1), np.float32(1))
    weights: NDArray[np.float32] = inside * inside * (np.float32(3) - np.float32(2) * inside)
    weights[distance > px] = 0
    return weights


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The smallest box around a mask as (x0, y0, x1, y1), ends excluded; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _distance(mask: NDArray[np.bool_], reach: int) -> NDArray[np.float32]:
    """Exact distance to the mask, right up to ``reach``; a larger number further out."""
    far = np.full(mask.shape, np.float32(reach + 1), np.float32)
    box = bounds(mask)
    if box is None:
        return far
    height, width = mask.shape
    x0, y0 = max(0, box[0] - reach - 1), max(0, box[1] - reach - 1)
    x1, y1 = min(width, box[2] + reach + 1), min(height, box[3] + reach + 1)
    outside = (~mask[y0:y1, x0:x1]).astype(np.uint8)
    far[y0:y1, x0:x1] = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return far
