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
    if px < 0:
        return ~grow(~mask, -px)
    grown = mask.copy()
    box = _reached(mask, px)
    if px and box is not None:
        grown[box] = _distance(mask[box]) <= px
    return grown


def feather(mask: NDArray[np.bool_], px: int) -> NDArray[np.float32]:
    """Blend weights (H, W) float32: 1 on the mask, falling to 0 over ``px`` pixels outside it, 0 beyond.

    The fall is a smooth step of the Euclidean distance to the mask: ``feather > 0`` is ``grow``. ``px`` of 0
    gives 0 and 1 only.
    """
    weights = mask.astype(np.float32)
    box = _reached(mask, px)
    if px > 0 and box is not None:
        distance = _distance(mask[box])
        inside = np.float32(1) - np.minimum(distance / np.float32(px + 1), np.float32(1))
        smooth = inside * inside * (np.float32(3) - np.float32(2) * inside)
        weights[box] = np.where(distance > px, np.float32(0), smooth)
    return weights


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The smallest box around a mask as (x0, y0, x1, y1), ends excluded; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _reached(mask: NDArray[np.bool_], px: int) -> tuple[slice, slice] | None:
    """The part of the picture within ``px`` of the mask's box; None for an empty mask."""
    box = bounds(mask)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return slice(max(0, y0 - px), y1 + px), slice(max(0, x0 - px), x1 + px)


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Exact Euclidean distance of every pixel to the mask, which is not empty."""
    outside = np.ascontiguousarray(~mask, dtype=np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, dtype=np.float32)
