"""What the borrowed patches say together of the pixels that they cover."""

from __future__ import annotations

from concurrent.futures import Executor

import cv2
import numpy as np
from numpy.typing import NDArray

from .pyramid import MARGIN, RADIUS, Level
from .search import Search, Work

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


_ROWS = 48
"""So many rows are put together by one thread at a time."""


def voted(level: Level, work: Work, search: Search, workers: Executor | None = None) -> Floats:
    """Return the window's pixels (h, w, 3), those to be filled as the mean of what patches show there.

    Args:
        level, work, search: of the level.
        workers: put rows together side by side; None for nobody.
    """
    place = work.laid(search.place)
    trust = work.laid(_trust(work, search.cost))
    # Three colors and a 1 are taken as one number of 16 bytes, and what they are times their trust in one go.
    height, width = work.fill.shape
    shown = np.ones((level.pixels.size // 3, 4), np.float32)
    shown[:, :3] = level.pixels.reshape(-1, 3)
    whole = shown.view(np.complex128).reshape(-1)
    trusted = np.repeat(trust, 4, axis=1)
    total = np.zeros_like(trusted)

    def put_together(begin: int) -> None:
        end = min(begin + _ROWS, height)
        for down in range(-RADIUS, RADIUS + 1):
            first, last = max(begin, down), min(end, height + down)
            if first >= last:
                continue
            rows = slice(first - down, last - down)
            for across in range(-RADIUS, RADIUS + 1):
                left, right = max(across, 0), width + min(across, 0)
                at = place[rows, left - across : right - across] + (down * level.stride + across)
                there = whole.take(at, mode="clip").view(np.float32)
                there *= trusted[rows, 4 * (left - across) : 4 * (right - across)]
                total[first:last, 4 * left : 4 * right] += there

    begins = range(0, height, _ROWS)
    list((map if workers is None or len(begins) < 2 else workers.map)(put_together, begins))
    sums = total.reshape(height, width, 4)
    weight = np.ascontiguousarray(sums[..., 3])
    mean = np.asarray(sums[..., :3] / np.maximum(weight, np.float32(1e-20))[..., None], np.float32)
    return _blended(level, work, mean, weight > 0)


def _blended(level: Level, work: Work, filled: Floats, reached: Bools) -> Floats:
    """Return the window's pixels: filled ones where they are to be filled, as far as they are not known."""
    pixels = level.pixels[work.window]
    unknown = np.pad(np.where(level.hole, 1 - level.known, 0), MARGIN, constant_values=1)[work.window]
    share = np.where(work.fill & reached, unknown, 0).astype(np.float32)
    return np.asarray(pixels + share[..., None] * (filled - pixels), np.float32)


def _trust(work: Work, cost: Floats) -> Floats:
    """Return how much each patch counts: the more it is alike, and the nearer to what is known."""
    usual = np.float32(max(float(np.percentile(cost, 75)), 1e-8))
    distance = cv2.distanceTransform(np.pad(work.fill, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    depth = distance[work.row, work.column]
    return np.asarray(np.exp(-cost / (2 * usual)) * np.float32(1.3) ** -np.minimum(depth, 30), np.float32)
