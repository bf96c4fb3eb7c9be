"""Detail: whether part of the fill is softer than anything that surrounds it.

Fine detail is measured in tiles. The softest tenth of the fill's is held against the softest around it, not
against their mean: a hole over smooth sand beside a hedge is as soft as the sand and passes, a grey cloud
before a fence is softer than anything around it and does not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .surroundings import STEP, Bools, Floats, Places

_TILE_PX = 16
_FULL = 0.4
"""A tile counts from this share of pixels that belong to it."""

_SOFTEST_FILL, _SOFTEST_AROUND = 0.1, 0.02
"""Shares of the tiles. Not the very softest: one dark corner is not what surrounds a fill."""

_FEWEST = (2, 4)


def detail(picture: Floats, places: Places) -> float:
    """Return the detail of the fill's softest tenth over that of the softest around; NaN for none."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    fine = np.square(gray - cv2.GaussianBlur(gray, (0, 0), 1.5))
    fill, around = _tiles(fine, places.fill), _tiles(fine, places.ring)
    if fill.size < _FEWEST[0] or around.size < _FEWEST[1]:
        return float("nan")
    floor = STEP / 4
    return float((np.quantile(fill, _SOFTEST_FILL) + floor) / (np.quantile(around, _SOFTEST_AROUND) + floor))


def _tiles(squares: Floats, where: Bools) -> NDArray[np.float32]:
    """Root mean square of each tile that lies enough within a mask."""
    weight = where.astype(np.float32)
    size = max(1, weight.shape[1] // _TILE_PX), max(1, weight.shape[0] // _TILE_PX)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(squares * weight, size, interpolation=cv2.INTER_AREA)
    full = share > _FULL
    return np.asarray(np.sqrt(total[full] / share[full]), np.float32)
