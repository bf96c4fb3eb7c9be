"""How far what is matted reaches beyond its matte: soft edges, motion blur, mattes that are a little tight.

Across the matte's border, on many lines that leave the hole at a right angle, the plate goes from the
object's color to the background's. Where both are plain enough to be told apart, the share of the object
falls from 1 to 0, and what is left of it outside the matte would stay as an outline. On real shots that is
one pixel where the object is sharp and the matte good, and 2 to 7 with soft edges and motion blur in UHD.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

INSIDE, OUTSIDE = 6, 16
"""Pixels that each line goes into the hole and out of it."""

MARGIN = OUTSIDE + 4
"""Pixels of plate around the hole that are looked at."""

_BACKGROUND = 6
"""Pixels at a line's outer end that are the background."""
_OBJECT = 3
"""Pixels at its inner end that are the object."""
_CONTRAST = 0.1
"""In the network's range, between object and background: less is told apart badly."""
_PLAIN = 0.2
"""How far background and object may vary, as a share of their contrast."""
_LEFT = 0.15
"""Share of the object from which on it is seen."""
_LINES = 4000
_FEWEST, _LEAST_SHARE = 40, 0.2
"""Lines, and share of the border, that must be measurable: a matte drawn wide has none, but for accidents."""


@dataclass(frozen=True)
class EdgeReach:
    """How far an object reaches beyond its matte on one frame, in pixels.

    Attributes:
        frame: which.
        usual: as far as it reaches on three quarters of the border.
        most: as far as on nine tenths.
    """

    frame: int
    usual: int
    most: int


def edge_reach(frame: int, picture: NDArray[np.float32], solid: NDArray[np.bool_]) -> EdgeReach | None:
    """Measure one frame.

    Args:
        frame: its number.
        picture: (H, W, 3), finite, in the network's range 0..1.
        solid: (H, W), what the matte covers, neither grown nor feathered.

    Returns:
        None where too little of the border can be told: no hole, little contrast, a background full of
        detail, or a matte that is wide all around.
    """
    distance = _signed(solid)
    x, y = _lines(distance, solid)
    if not len(x):
        return None
    depth = cv2.remap(distance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    remapped = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colors = np.asarray(remapped, np.float32)
    height, width = solid.shape
    within = (x >= 0).all(1) & (x <= width - 1).all(1) & (y >= 0).all(1) & (y <= height - 1).all(1)
    # From well within the object to well outside of every other part of it.
    leaves = within & (depth[:, 0] < -INSIDE / 2) & (depth[:, -1] > OUTSIDE * 0.8)
    background = np.median(colors[:, -_BACKGROUND:], axis=1)
    own = np.median(colors[:, :_OBJECT], axis=1)
    contrast = np.linalg.norm(own - background, axis=1)
    plain = (_spread(colors[:, -_BACKGROUND:], background) < _PLAIN * contrast) & (
        _spread(colors[:, :_OBJECT], own) < _PLAIN * contrast
    )
    told = leaves & plain & (contrast > _CONTRAST)
    if told.sum() < max(_FEWEST, _LEAST_SHARE * len(x)):
        return None
    towards = (own - background)[told] / contrast[told, None] ** 2
    share = ((colors[told] - background[told][:, None]) * towards[:, None]).sum(axis=2)
    left = share[:, INSIDE + 1 :] > _LEFT
    reach = np.where(left.all(1), left.shape[1], left.argmin(1))
    usual, most = np.percentile(reach, (75, 90))
    return EdgeReach(frame, round(usual), round(most))


def _signed(solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance to the border, negative within."""
    out, within = (cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5) for part in (~solid, solid))
    return np.asarray(out - within, np.float32)


def _lines(
    distance: NDArray[np.float32], solid: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates (lines, pixels) of lines across the border, outwards; the border is at INSIDE."""
    smooth = cv2.GaussianBlur(distance, (0, 0), 2)
    ys, xs = np.nonzero(solid & (distance >= -1.01))
    step = max(1, len(xs) // _LINES)
    ys, xs = ys[::step], xs[::step]
    normals = np.stack([cv2.Sobel(smooth, cv2.CV_32F, *axis)[ys, xs] for axis in ((1, 0), (0, 1))], axis=1)
    lengths = np.linalg.norm(normals, axis=1)
    clear = lengths > 1
    normals = normals[clear] / lengths[clear, None]
    along = np.arange(-INSIDE, OUTSIDE + 1)
    x = xs[clear, None] + normals[:, :1] * along
    y = ys[clear, None] + normals[:, 1:] * along
    return x.astype(np.float32), y.astype(np.float32)


def _spread(colors: NDArray[np.float32], middle: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the colors (lines, pixels, 3) are from their middle at most."""
    return np.asarray(np.linalg.norm(colors - middle[:, None], axis=2).max(axis=1), np.float32)
