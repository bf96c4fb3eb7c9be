"""The picture along a matte's contour, rolled out: what lies so many pixels inside and outside of it.

So what follows the contour (a left-over outline, a seam) becomes a straight line, whatever the shape, and
costs as much as the contour is long, not as the picture is large.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..motion.sampling import bilinear

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

REACH_PX = 24
"""How far to either side the picture is rolled out."""

_FEWEST, _MOST = 48, 16000
"""Points of a contour: with fewer there is nothing to tell, of more some are left out."""

_OFF_PX = 1.5


@dataclass(frozen=True)
class Strip:
    """A contour rolled out.

    Attributes:
        pixels: (n, 2 * REACH_PX + 1, channels) float32: a row for each point of the contour, in order; a
            column for each pixel of distance, from the deepest inside the hole to the farthest outside.
        valid: (n, 2 * REACH_PX + 1): where a column is as far from the contour as it stands for, and inside
            the picture.
    """

    pixels: Floats
    valid: Bools


def unrolled(picture: Floats, hole: Bools) -> Strip | None:
    """Return a picture (H, W, C) along a hole's contours; None where they are too short.

    The picture's own edge is no contour.
    """
    height, width = hole.shape
    outlines, _ = cv2.findContours(hole.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    points = [outline[:, 0].astype(np.float32) for outline in outlines if len(outline) >= 8]
    if sum(map(len, points)) < _FEWEST:
        return None
    at = np.concatenate(points)
    at = at[:: len(at) // _MOST + 1]
    away = _signed_distance(hole)
    down, across = np.gradient(cv2.GaussianBlur(away, (0, 0), 2.0))
    x, y = at[:, 0].astype(np.intp), at[:, 1].astype(np.intp)
    normal = np.stack([across[y, x], down[y, x]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-3)
    reach = np.arange(-REACH_PX, REACH_PX + 1, dtype=np.float32)
    columns = (at[:, :1] + normal[:, :1] * reach).astype(np.float32)
    rows = (at[:, 1:] + normal[:, 1:] * reach).astype(np.float32)
    inside = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    on_edge = (x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)
    there = np.abs(bilinear(away, columns, rows) - reach) <= _OFF_PX
    return Strip(bilinear(picture, columns, rows), inside & there & ~on_edge[:, None])


def _signed_distance(hole: Bools) -> Floats:
    """Pixels to the hole's border: positive outside, negative within, 0 on the hole's outermost pixels."""
    outside = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    within = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.where(hole, 1 - within, outside), np.float32)
