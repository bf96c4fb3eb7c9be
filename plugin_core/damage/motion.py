"""How a frame's neighbors come to lie on it, measured so that damage does not lead the motion astray.

Dense inverse search follows a piece of dirt to whatever resembles it. So motion is measured twice: roughly,
smoothed until no piece can bend it, which is enough to tell most damage and to take it out; and finely,
between frames that damage was taken out of.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.dense_search import dense_search
from ..motion.sampling import bilinear, pixel_grid
from .look import Look

Floats = NDArray[np.float32]

_CELL, _CELLS = 8, 28
"""Rough motion is one a cell of at least so many pixels, with so many cells in the root of the area. It is
the median of five cells squared, three times over, which the largest piece of dirt can't bend."""

_ROUGH_PX, _ROUGH_LEVELS = 5, 8
"""Damage is told roughly by what no neighbor shows within this reach, by so many levels."""

_AROUND_PX = 7

_LIGHT_CELL = 24
"""Light is compared in cells of so many pixels, the median of five squared."""


def rough_clean(look: Look, before: Look | None, after: Look | None) -> NDArray[np.uint8]:
    """Return a frame as motion is measured on it, with what its neighbors do not show taken out.

    Args:
        look: the frame.
        before, after: its neighbors; None where it has none in its take.

    Returns:
        (h, w) 8-bit.
    """
    neighbors = [other for other in (before, after) if other is not None]
    if not neighbors:
        return look.small
    gray = look.small.astype(np.float32)
    brush = np.ones((_ROUGH_PX, _ROUGH_PX), np.uint8)
    moved = []
    for other in neighbors:
        motion = _smoothed(dense_search(look.small, other.small, "ultrafast"))
        picture = bilinear(other.small.astype(np.float32), *targets(motion))
        moved.append(picture + _light(gray, picture))
    high = np.max([cv2.dilate(picture, brush) for picture in moved], axis=0)
    low = np.min([cv2.erode(picture, brush) for picture in moved], axis=0)
    lost = ((gray > high + _ROUGH_LEVELS) | (gray < low - _ROUGH_LEVELS)).view(np.uint8)
    lost = cv2.dilate(lost, np.ones((_AROUND_PX, _AROUND_PX), np.uint8))
    return np.where(lost > 0, np.clip(np.mean(moved, axis=0), 0, 255).astype(np.uint8), look.small)


def light_between(look: Look, other: Look, motion: Floats) -> Floats:
    """Return by how many levels a frame is lighter than another brought to it, cell by cell, slowly varying.

    Args:
        look, other: the frames.
        motion: between them, see `motion_between`.
    """
    moved = bilinear(other.small.astype(np.float32), *targets(motion))
    return _cells(look.small.astype(np.float32), moved)


def motion_between(clean: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    """Return the motion (h, w, 2) from one frame to another, both from `rough_clean`, in their pixels."""
    return dense_search(clean, other, "light")


def part_of(motion: Floats, box: Box, height: int, width: int) -> Floats:
    """Return a motion (rows, columns, 2) over a box of a frame of its own size, (h, w, 2) in its pixels."""
    rows, columns = motion.shape[:2]
    if (rows, columns) == (height, width):
        return motion[box.slices]
    return stretched(motion, box, height, width) * np.array([width / columns, height / rows], np.float32)


def stretched(values: Floats, box: Box, height: int, width: int) -> Floats:
    """Return values (rows, columns) or (rows, columns, n), spread over a frame, on a box of it."""
    rows, columns = values.shape[:2]
    x, y = pixel_grid(box)
    half = np.float32(0.5)
    return bilinear(
        values, (x + half) * np.float32(columns / width) - half, (y + half) * np.float32(rows / height) - half
    )


def targets(motion: Floats) -> tuple[Floats, Floats]:
    """Return the column and the row that each pixel comes to by a motion (H, W, 2)."""
    x, y = _grid(motion.shape[1], motion.shape[0])
    return x + motion[..., 0], y + motion[..., 1]


def targets_in(motion: Floats, box: Box) -> tuple[Floats, Floats]:
    """Return the column and the row of the frame that each pixel of a box comes to by a motion (h, w, 2)."""
    x, y = targets(motion)
    if box.x0:
        x += np.float32(box.x0)
    if box.y0:
        y += np.float32(box.y0)
    return x, y


@functools.lru_cache(maxsize=4)
def _grid(width: int, height: int) -> tuple[Floats, Floats]:
    x, y = pixel_grid(Box(0, 0, width, height))
    x.flags.writeable = y.flags.writeable = False
    return x, y


def _smoothed(motion: Floats) -> Floats:
    height, width = motion.shape[:2]
    cell = max(_CELL, round((height * width) ** 0.5 / _CELLS))
    cells = max(2, width // cell), max(2, height // cell)
    small = cv2.resize(motion, cells, interpolation=cv2.INTER_AREA)
    parts = [cv2.medianBlur(cv2.medianBlur(cv2.medianBlur(part, 5), 5), 5) for part in cv2.split(small)]
    return np.asarray(cv2.resize(cv2.merge(parts), (width, height)), np.float32)


def _light(gray: Floats, moved: Floats) -> Floats:
    """Return by how much a frame is lighter than a neighbor brought to it, (H, W), slowly varying."""
    height, width = gray.shape
    return np.asarray(cv2.resize(_cells(gray, moved), (width, height)), np.float32)


def _cells(gray: Floats, moved: Floats) -> Floats:
    height, width = gray.shape
    cells = max(2, width // _LIGHT_CELL), max(2, height // _LIGHT_CELL)
    off = cv2.resize(np.clip(gray - moved, -40, 40), cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.medianBlur(off, 5), np.float32)
