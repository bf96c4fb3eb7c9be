"""Give a resampled picture back the fine contrast that it lost on the way.

Between pixels a filter sees less of the finest detail, and where a picture is enlarged it is spread out. A
painted wall would be sharp on its key frame and duller on all others. So the finest detail is made as strong
again, place by place, as it is where it came from; never stronger.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..channels import mean_size, thrice, weighed
from .sampling import bilinear

Floats = NDArray[np.float32]

_FINE_PX = 1.0
"""Sigma, in pixels of the plate: finer than this is what resampling takes."""

CELL_PX = 8
"""Contrast is measured in cells of so many pixels,"""

_ABOUT_CELLS = 1.0
"""and spread by this sigma, in cells."""

_MOST = 1.5
"""Fine detail is raised to at most so much,"""

_SAME, _LOST = 1.1, 1.2
"""Contrast stronger by less than the one is the same, for all that is known; by the other, it was lost."""

_LEAST = 0.1
"""Cells of which less than this share is known tell nothing."""

_MOST_ADDED = 0.1
"""and a pixel by no more than this (network's range): nothing rings beside a light."""

_FAINT = 0.002
"""Contrast weaker than about this is nothing that could be raised."""


@dataclass(frozen=True)
class FineContrast:
    """How strong the finest detail of a picture is.

    Attributes:
        cells: (h, w) mean of its absolute value in each cell, in the network's range.
    """

    cells: Floats

    @classmethod
    def of(cls, picture: Floats) -> FineContrast:
        """Measure a picture (H, W, 3) in the network's range."""
        return cls(_in_cells(mean_size(_fine(picture))))

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return how strong it is at columns x and rows y (h, w) of the picture."""
        per, half = np.float32(1 / CELL_PX), np.float32(0.5)
        return bilinear(self.cells, (x + half) * per - half, (y + half) * per - half)


def cell_middles(width: int, height: int) -> tuple[Floats, Floats]:
    """Return the column and row of the middle of each cell of a picture, (h, w)."""
    x, y = (
        np.arange(-(-size // CELL_PX), dtype=np.float32) * CELL_PX + np.float32((CELL_PX - 1) / 2)
        for size in (width, height)
    )
    columns, rows = np.meshgrid(x, y)
    return columns, rows


def resharpened(picture: Floats, there: NDArray[np.bool_], wanted: Floats) -> Floats:
    """Return a picture with its fine detail raised to what it should be.

    Args:
        picture: (h, w, 3) in the network's range.
        there: (h, w), where it shows anything; elsewhere it stays as it is.
        wanted: how strong fine detail should be, for each of its cells.
    """
    fine = _fine(picture, there)
    # At its edge a picture knows less of itself than its source did.
    inner = cv2.erode(np.pad(there, 1).astype(np.uint8), np.ones((5, 5), np.uint8))[1:-1, 1:-1].astype(
        np.float32
    )
    share = np.maximum(_in_cells(inner), np.float32(1e-3))
    own = _in_cells(mean_size(fine) * inner) / share
    ratio = (wanted + _FAINT) / (own + _FAINT)
    lost = np.clip((ratio - _SAME) / (_LOST - _SAME), 0, 1) * (share > _LEAST)
    more = (np.clip(ratio, 1, _MOST) - 1) * lost
    height, width = there.shape
    whole = more.shape[1] * CELL_PX, more.shape[0] * CELL_PX
    each = cv2.resize(more.astype(np.float32), whole, interpolation=cv2.INTER_LINEAR)[:height, :width]
    fine *= thrice(each)
    np.clip(fine, -_MOST_ADDED, _MOST_ADDED, out=fine)
    return picture + fine


def _fine(picture: Floats, there: NDArray[np.bool_] | None = None) -> Floats:
    """Return the finest detail (h, w, 3) of a picture where it shows anything; 0 elsewhere."""
    if there is None or there.all():
        return picture - _blurred(picture)
    known = there.astype(np.float32)
    low = _blurred(weighed(picture, known)) / thrice(np.maximum(_blurred(known), np.float32(1e-3)))
    return weighed(picture - low, known)


def _blurred(values: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), _FINE_PX, borderType=cv2.BORDER_REFLECT), np.float32)


def _in_cells(values: Floats) -> Floats:
    """Return the mean (H, W) of values (h, w) in each cell and a little about it."""
    height, width = values.shape
    padded = np.pad(values, [(0, -height % CELL_PX), (0, -width % CELL_PX)], mode="edge")
    size = padded.shape[1] // CELL_PX, padded.shape[0] // CELL_PX
    cells = cv2.resize(padded, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0])
    return np.asarray(
        cv2.GaussianBlur(cells, (0, 0), _ABOUT_CELLS, borderType=cv2.BORDER_REFLECT), np.float32
    )
