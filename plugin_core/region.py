"""The part of the plate the network works on.

One crop serves the whole shot: the box around the grown matte of every frame, with context, reduced to the
working size where it is larger. What leaves the plate is padded by its edge pixels; what comes back is cut to
the crop again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_GRID = 64
"""The crop's edges lie on a grid this coarse, so that a small change of the matte leaves the crop alone."""


class Box(NamedTuple):
    """A rectangle of pixels; `x1` and `y1` lie just outside it."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.y1 - self.y0

    def union(self, other: Box | None) -> Box:
        """Return the smallest box around both."""
        if other is None:
            return self
        return Box(
            min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1)
        )

    def grown(self, margin: int) -> Box:
        """Return the box with `margin` pixels more on each side."""
        return Box(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def moved(self, dx: int, dy: int) -> Box:
        """Return the box shifted right by `dx` and down by `dy` pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def contains(self, other: Box) -> bool:
        """Whether `other` lies inside."""
        return self.union(other) == self

    def within(self, width: int, height: int) -> Box:
        """Return the part of the box that lies on a plate of that size."""
        return Box(max(self.x0, 0), max(self.y0, 0), min(self.x1, width), min(self.y1, height))

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an (H, W, ...) array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True)
class Region:
    """A crop of the plate and the size at which the network sees it.

    Attributes:
        crop: in pixels of the plate's data window.
        width, height: size of the picture inside the network's input; equal to the crop's unless reduced.
        multiple: the network's input is padded (right and bottom) to a multiple of this.
    """

    crop: Box
    width: int
    height: int
    multiple: int

    @property
    def is_reduced(self) -> bool:
        """Whether the network works at less than plate resolution."""
        return (self.width, self.height) != (self.crop.width, self.crop.height)

    @property
    def network_size(self) -> tuple[int, int]:
        """Height and width of the network's input."""
        return _round_up(self.height, self.multiple), _round_up(self.width, self.multiple)

    def picture(self, cut: Floats) -> Floats:
        """Bring the crop's pixels (H, W, 3) to the network's (3, h, w), reduced and padded."""
        if self.is_reduced:
            cut = _resize(cut, self.width, self.height, cv2.INTER_AREA)
        rows, columns = self.network_size
        padding = ((0, rows - self.height), (0, columns - self.width), (0, 0))
        return np.ascontiguousarray(np.pad(cut, padding, mode="edge").transpose(2, 0, 1), np.float32)

    def mask(self, hole: NDArray[np.bool_]) -> Floats:
        """Bring the crop's hole (H, W) to the network's (1, h, w); a pixel that touches the hole is in it."""
        cut = hole.astype(np.float32)
        if self.is_reduced:
            cut = _resize(cut, self.width, self.height, cv2.INTER_AREA)
        rows, columns = self.network_size
        padded = np.zeros((1, rows, columns), np.float32)
        padded[0, : self.height, : self.width] = cut > 0
        return padded

    def restore(self, picture: Floats) -> Floats:
        """Bring the network's (3, h, w) back to the crop's (H, W, 3) at plate resolution."""
        inner = np.ascontiguousarray(picture[:, : self.height, : self.width].transpose(1, 2, 0))
        if not self.is_reduced:
            return inner
        return _resize(inner, self.crop.width, self.crop.height, cv2.INTER_CUBIC)


def choose_region(
    holes: Box, *, width: int, height: int, multiple: int, context: int | None, working_size: int
) -> Region:
    """Choose the crop for a shot.

    Args:
        holes: box around the hole of every frame.
        width, height: the plate's size in pixels.
        multiple: the network's size multiple.
        context: pixels kept around the hole; None takes half the hole's longer side, at least 64.
        working_size: the network works on at most this many pixels squared; larger crops are reduced.
    """
    margin = max(64, max(holes.width, holes.height) // 2) if context is None else context
    crop = _fill_up(holes.grown(margin), width, height, multiple)
    scale = min(1.0, working_size / math.sqrt(crop.width * crop.height))
    if scale == 1.0:
        return Region(crop, crop.width, crop.height, multiple)
    return Region(crop, max(1, round(crop.width * scale)), max(1, round(crop.height * scale)), multiple)


def _fill_up(box: Box, width: int, height: int, multiple: int) -> Box:
    """Clip the box to the plate and widen it to the grid and the multiple, with real pixels, not padding."""
    x0, x1 = _span(box.x0, box.x1, width, multiple)
    y0, y1 = _span(box.y0, box.y1, height, multiple)
    return Box(x0, y0, x1, y1)


def _span(low: int, high: int, size: int, multiple: int) -> tuple[int, int]:
    low = max(0, low // _GRID * _GRID)
    high = min(size, _round_up(high, _GRID))
    length = min(size, _round_up(high - low, multiple))
    low = min(low, size - length)
    return low, low + length


def _resize(pixels: Floats, width: int, height: int, method: int) -> Floats:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.float32)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
