"""How much of the previous output to take again: as far as it goes on from what is known around the hole.

A fill meets the plate at its border. Where the plate there has become another one, because somebody walks up
to the hole or the motion was measured wrong, the previous output, moved along, meets it no more; there the
network's fresh fill is the better one. Elsewhere taking much of what was shown before keeps a fill steady.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..network.contract import Mask, Picture

Floats = NDArray[np.float32]

_CELL = 4
"""Both are compared in cells of so many network pixels: texture averages out."""

_APART = np.float32(0.1)
"""A mean difference across the border, display-referred, at which a share of 1/e is left."""

_ACROSS_CELLS, _AROUND_CELLS = 1.0, 12.0
"""The border is compared over so many cells; what is found there holds so far into the hole."""

_SEEN = np.float32(0.02)
"""Cells that are so far from the border, as the square of what of them lies beyond it, say nothing."""

_NEAR_PX = 4 * _CELL
"""More network pixels around the hole say nothing."""

_EVERYWHERE = np.float32(0.002)
"""Where no border is near the mean of all of it stands, as this much of a cell."""


def share_of(previous: Picture, here: tuple[Picture, Mask]) -> Floats:
    """Tell how much of the previous output a frame's hole may take.

    Args:
        previous: moved to where the background is now, (3, H, W) in the network's range.
        here: the frame's picture (3, H, W) and mask (1, H, W), on the same crop.

    Returns:
        (H / 4, W / 4) float32, 0..1; of no meaning but in the hole.
    """
    picture, mask = here
    height, width = mask.shape[1] // _CELL, mask.shape[2] // _CELL
    share = np.ones((height, width), np.float32)
    around = bounds(mask[0] > 0)
    if around is None:
        return share
    near = around.grown(_NEAR_PX)
    cells = Box(near.x0 // _CELL, near.y0 // _CELL, -(-near.x1 // _CELL), -(-near.y1 // _CELL))
    cells = cells.within(width, height)
    pixels = Box(*(_CELL * edge for edge in cells)).slices
    share[cells.slices] = _share(previous[:, *pixels], picture[:, *pixels], mask[:, *pixels])
    return share


def _share(previous: Picture, picture: Picture, mask: Mask) -> Floats:
    """The same where the whole crop lies near the hole."""
    hole = _cells(mask[0])
    known = 1 - hole
    beyond, within = _blurred(known, _ACROSS_CELLS), _blurred(hole, _ACROSS_CELLS)
    plate = _mean_near(_cells(_last(picture * (1 - mask))), beyond)
    shown = _mean_near(_cells(_last(previous * mask)), within)
    border = np.minimum(beyond, within) ** 2
    border[border <= _SEEN] = 0
    off = np.abs(plate - shown).mean(axis=2) / 2 * border
    everywhere = off.sum() / max(float(border.sum()), 1e-6)
    near, count = _blurred(off, _AROUND_CELLS), _blurred(border, _AROUND_CELLS)
    apart = (near + _EVERYWHERE * everywhere) / (count + _EVERYWHERE)
    return np.asarray(np.exp(-((apart / _APART) ** 2)), np.float32)


def _last(picture: Floats) -> Floats:
    return np.ascontiguousarray(picture.transpose(1, 2, 0))


def _cells(values: Floats) -> Floats:
    size = values.shape[1] // _CELL, values.shape[0] // _CELL
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _mean_near(weighted: Floats, weight: Floats) -> Floats:
    """Mean colors (h, w, 3) of what lies near and counts; `weighted` is 0 where it doesn't."""
    near = _blurred(weighted, _ACROSS_CELLS)
    return np.asarray(near / np.maximum(weight, np.float32(1e-3))[..., None], np.float32)


def _blurred(values: Floats, cells: float) -> Floats:
    blurred = cv2.GaussianBlur(values, (0, 0), cells, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
