"""A crop of the plate and how the network sees it.

A crop is measured in steps: one step is the network's size multiple, and covers a whole number of the
plate's pixels. So crops that lie whole steps apart see the same plate pixels through the same network pixels,
and what the network remembers of one can be shifted to the other. Where the crop is reduced, a step covers
more plate pixels than network pixels. What leaves the plate is padded by its edge pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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


@dataclass(frozen=True)
class Region:
    """A crop of the plate and the size at which the network sees it.

    Attributes:
        crop: in pixels of the plate's data window; it may reach beyond the plate. Its sides are whole steps.
        bounds: the plate.
        step: plate pixels of one step; equal to the multiple unless the crop is reduced.
        multiple: network pixels of one step.
    """

    crop: Box
    bounds: Box
    step: int
    multiple: int

    def __str__(self) -> str:
        size = f"{self.crop.width}x{self.crop.height}+{self.crop.x0}+{self.crop.y0}"
        return size + (f" reduced {self.step}:{self.multiple}" if self.is_reduced else "")

    @property
    def is_reduced(self) -> bool:
        """Whether the network works at less than plate resolution."""
        return self.step != self.multiple

    @property
    def visible(self) -> Box:
        """The part of the crop that lies on the plate."""
        return self.crop.within(self.bounds.width, self.bounds.height)

    @property
    def network_size(self) -> tuple[int, int]:
        """Height and width of the network's input."""
        return self._to_network(self.crop.height), self._to_network(self.crop.width)

    def picture(self, cut: Floats) -> Floats:
        """Bring the visible pixels (H, W, 3) to the network's (3, h, w), padded and reduced."""
        whole = np.pad(cut, (*self._padding(), (0, 0)), mode="edge")
        return np.ascontiguousarray(self._reduced(whole).transpose(2, 0, 1), np.float32)

    def mask(self, hole: NDArray[np.bool_]) -> Floats:
        """Bring the visible hole (H, W) to the network's (1, h, w); what touches the hole is in it."""
        whole = np.pad(hole.astype(np.float32), self._padding())
        return (self._reduced(whole) > 0).astype(np.float32)[None]

    def restore(self, picture: Floats) -> Floats:
        """Bring the network's (3, h, w) back to the crop's (H, W, 3) at plate resolution."""
        inner = np.ascontiguousarray(picture.transpose(1, 2, 0))
        return _resize(inner, self.crop, cv2.INTER_CUBIC) if self.is_reduced else inner

    def shift_to(self, other: Region) -> tuple[int, int]:
        """Return by how many network pixels `other` lies to the right and below.

        Raises:
            ValueError: the two do not lie whole steps apart, or have other scales.
        """
        dx, dy = other.crop.x0 - self.crop.x0, other.crop.y0 - self.crop.y0
        if (self.step, self.multiple) != (other.step, other.multiple) or dx % self.step or dy % self.step:
            raise ValueError(f"{other.crop} lies no whole steps of {self.step} from {self.crop}")
        return self._to_network(dx), self._to_network(dy)

    def part(self, of: Floats, other: Region) -> Floats:
        """Return `other`, which lies inside this one, of this region's picture or mask (C, h, w)."""
        x, y = self.shift_to(other)
        height, width = other.network_size
        return np.ascontiguousarray(of[:, y : y + height, x : x + width])

    def at(self, crop: Box) -> Region:
        """Return the region of another crop, at the same scale."""
        return Region(crop, self.bounds, self.step, self.multiple)

    def _to_network(self, pixels: int) -> int:
        return pixels // self.step * self.multiple

    def _padding(self) -> tuple[tuple[int, int], tuple[int, int]]:
        crop, seen = self.crop, self.visible
        return (seen.y0 - crop.y0, crop.y1 - seen.y1), (seen.x0 - crop.x0, crop.x1 - seen.x1)

    def _reduced(self, whole: Floats) -> Floats:
        if not self.is_reduced:
            return whole
        height, width = self.network_size
        return _resize(whole, Box(0, 0, width, height), cv2.INTER_AREA)


def _resize(pixels: Floats, to: Box, method: int) -> Floats:
    return np.asarray(cv2.resize(pixels, (to.width, to.height), interpolation=method), np.float32)
