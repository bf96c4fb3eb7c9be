"""Rectangles of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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

    @property
    def longer_side(self) -> int:
        """The larger of width and height."""
        return max(self.width, self.height)

    def union(self, *others: Box | None) -> Box:
        """Return the smallest box around this one and others; None is no box."""
        x0s, y0s, x1s, y1s = zip(self, *filter(None, others), strict=True)
        return Box(min(x0s), min(y0s), max(x1s), max(y1s))

    def grown(self, margin: int) -> Box:
        """Return the box with `margin` pixels more on each side."""
        return Box(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def moved(self, dx: int, dy: int) -> Box:
        """Return the box shifted right by `dx` and down by `dy` pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def shared(self, other: Box) -> Box | None:
        """Return what lies in both; None where nothing does."""
        x0, y0, x1, y1 = *map(max, self[:2], other[:2]), *map(min, self[2:], other[2:])
        return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def meets(self, other: Box) -> bool:
        """Whether the two have a pixel in common."""
        return self.shared(other) is not None

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


def bounds(mask: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around a mask (H, W); None for an empty one."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
