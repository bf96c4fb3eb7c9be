"""The edge of a hole as lines, so that a page draws it sharp at any zoom."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box

MOST_POINTS = 240


def outline(mask: NDArray[np.bool_], box: Box) -> list[list[int]]:
    """Return the edges of a hole as closed lines.

    Args:
        mask: (H, W), True in the hole.
        box: around the hole.

    Returns:
        A line each: x, y, x, y, ... in quarters of a plate pixel; at most `MOST_POINTS` points in all where
        that can be had without losing a line.
    """
    # Twice as large, so that the line runs along the pixels' edges and not through their middles.
    inside = np.pad(mask[box.slices].astype(np.uint8), 1).repeat(2, axis=0).repeat(2, axis=1)
    found, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    lines, tolerance = list(found), 1.0
    while sum(map(len, lines)) > MOST_POINTS and tolerance < 64:
        lines = [cv2.approxPolyDP(line, tolerance, closed=True) for line in found]
        tolerance *= 1.6
    return [_placed(np.asarray(line).reshape(-1, 2), box) for line in lines]


def _placed(points: NDArray[Any], box: Box) -> list[int]:
    corner = np.array([box.x0 - 1, box.y0 - 1])
    quarters = 2 * points + 1 + 4 * corner
    return [int(value) for value in quarters.ravel()]
