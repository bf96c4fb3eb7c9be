"""Left-over outlines: a line or step that follows the matte's contour, as the rim of a removed object does.

Along the contour the picture is rolled out (`contour`) and averaged over a few pixels, so that texture, which
does not follow it, averages out. What is left is held against the same further inside and outside.
"""

from __future__ import annotations

import cv2
import numpy as np

from .contour import REACH_PX, Bools, Floats, Strip, unrolled

_ALONG_PX = 15
_HALF_LINE_PX = 3
_NEAR_PX = 5
"""An outline lies this close to the contour, at most."""

_FAR_PX = 9
_FLOOR = 1 / 255
_FEWEST = 48


def outline(picture: Floats, hole: Bools) -> float:
    """Return how much stronger lines along the contour are on it than beside it; NaN for none.

    Args:
        picture: display-referred (H, W, 3), 0..1.
        hole: (H, W).

    Returns:
        The strongest mean line within 5 pixels of the contour, over the strongest beside it; 1 is alike.
    """
    strip = unrolled(picture, hole)
    if strip is None:
        return float("nan")
    strength = _strength(strip)
    away = np.abs(np.arange(-REACH_PX, REACH_PX + 1))
    near, far = strength[away <= _NEAR_PX], strength[(away >= _FAR_PX) & np.isfinite(strength)]
    if not np.isfinite(near).any() or far.size < 6:
        return float("nan")
    return float((np.nanmax(near) + _FLOOR) / (far.max() + _FLOOR))


def _strength(strip: Strip) -> Floats:
    """Root mean square of the lines at each distance (2 * REACH_PX + 1,), NaN for too few of them."""
    weight = strip.valid.astype(np.float32)
    side = (1, _ALONG_PX)
    share = np.asarray(cv2.blur(weight, side, borderType=cv2.BORDER_CONSTANT), np.float32)
    total = np.asarray(cv2.blur(strip.pixels * weight[..., None], side, borderType=cv2.BORDER_CONSTANT))
    mean = total / np.maximum(share, 1e-6)[..., None]
    known = share > 0.5
    found = np.full(weight.shape[1], np.nan, np.float32)
    for column in range(_HALF_LINE_PX, weight.shape[1] - _HALF_LINE_PX):
        beside = (column - _HALF_LINE_PX, column + _HALF_LINE_PX)
        there = known[:, column] & known[:, beside[0]] & known[:, beside[1]]
        if there.sum() >= _FEWEST:
            line = mean[there, column] - (mean[there, beside[0]] + mean[there, beside[1]]) / 2
            found[column] = np.sqrt(np.square(line).max(axis=1).mean())
    return found
