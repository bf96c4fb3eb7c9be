"""Detail: whether the fill is softer than even the softest that surrounds it.

Fine detail is measured in tiles. The fill's middle tile is held against the softest tenth of the tiles around
it, not against their mean: a hole over smooth sand beside a hedge is as soft as the sand and passes, a grey
cloud before a fence is softer than anything around it and does not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .surroundings import STEP, Bools, Floats, Places

_TILE_PX = 16
_FULL = 0.4
"""A tile counts from this share of pixels that belong to it."""

_SOFTEST = 0.1
_FEWEST = (2, 4)


def detail(picture: Floats, places: Places) -> float:
    """Return the detail of the fill's middle tile over that of the softest tenth around; NaN for too few."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    fine = np.square(gray - cv2.GaussianBlur(gray, (0, 0), 1.5))
    fill, around = _tiles(fine, places.fill), _tiles(fine, places.ring)
    if fill.size < _FEWEST[0] or around.size < _FEWEST[1]:
        return float("nan")
    floor = STEP / 4
    return float((np.median(fill) + floor) / (np.quantile(around, _SOFTEST) + floor))


def _tiles(squares: Floats, where: Bools) -> NDArray[np.float32]:
    """Root mean square of each tile that lies enough within a mask."""
    weight = where.astype(np.float32)
    size = max(1, weight.shape[1] // _TILE_PX), max(1, weight.shape[0] // _TILE_PX)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(squares * weight, size, interpolation=cv2.INTER_AREA)
    full = share > _FULL
    return np.asarray(np.sqrt(total[full] / share[full]), np.float32)
