"""A crop of the plate and how the network sees it.

A crop is measured in steps: one step is the network's size multiple, and covers a whole number of the
plate's pixels. So crops that lie whole steps apart see the same plate pixels through the same network pixels,
and what the network remembers of one can be shifted to the other. Where the crop is reduced, a step covers
more plate pixels than network pixels. What leaves the plate is padded by its edge pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds

Floats = NDArray[np.float32]


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

    def on_plate(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where columns x and rows y of the network (centers at whole numbers) lie on the plate."""
        per = np.float32(self.step / self.multiple)
        half = np.float32(0.5)
        return (x + half) * per - half + self.crop.x0, (y + half) * per - half + self.crop.y0

    def from_plate(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Undo `on_plate`."""
        per = np.float32(self.multiple / self.step)
        half = np.float32(0.5)
        return (x - self.crop.x0 + half) * per - half, (y - self.crop.y0 + half) * per - half

    def picture(self, cut: Floats) -> Floats:
        """Bring the visible pixels (H, W, 3) to the network's (3, h, w), padded and reduced."""
        whole, (top, bottom), (left, right) = cut, *self._padding()
        if top or bottom or left or right:
            edge = cv2.BORDER_REPLICATE
            whole = np.asarray(cv2.copyMakeBorder(cut, top, bottom, left, right, edge), np.float32)
        if self.is_reduced:
            height, width = self.network_size
            whole = _resize(whole, Box(0, 0, width, height), cv2.INTER_AREA)
        return np.ascontiguousarray(whole.transpose(2, 0, 1), np.float32)

    def mask(self, hole: NDArray[np.bool_]) -> Floats:
        """Bring the visible hole (H, W) to the network's (1, h, w); what touches the hole is in it."""
        seen = np.zeros((1, *self.network_size), np.float32)
        inside = bounds(hole)
        if inside is None:
            return seen
        (top, _), (left, _) = self._padding()
        around = inside.moved(left, top)
        # Whole steps around it are all that has to be looked at.
        step = self.step
        steps = Box(around.x0 // step, around.y0 // step, -(-around.x1 // step), -(-around.y1 // step))
        cells = Box(*(edge * self.multiple for edge in steps))
        part = np.zeros((steps.height * step, steps.width * step), np.float32)
        part[around.moved(-steps.x0 * step, -steps.y0 * step).slices] = hole[inside.slices]
        seen[0][cells.slices] = _resize(part, cells, cv2.INTER_AREA) > 0
        return seen

    def restore(self, picture: Floats) -> Floats:
        """Bring the network's (3, h, w) back to the crop's (H, W, 3) at plate resolution."""
        return self.restored(picture, self.crop)

    def restored(self, picture: Floats, box: Box) -> Floats:
        """Return a box of the plate, within the crop, of what `restore` gives: (h, w, 3)."""
        local = box.moved(-self.crop.x0, -self.crop.y0)
        if not self.is_reduced:
            return np.ascontiguousarray(picture[(slice(None), *local.slices)].transpose(1, 2, 0))
        # Whole steps around it, and one more for the filter's reach.
        step, multiple = self.step, self.multiple
        steps = Box(local.x0 // step, local.y0 // step, -(-local.x1 // step), -(-local.y1 // step))
        steps = steps.grown(1).within(self.crop.width // step, self.crop.height // step)
        cells = Box(*(edge * multiple for edge in steps))
        part = np.ascontiguousarray(picture[(slice(None), *cells.slices)].transpose(1, 2, 0))
        whole = _resize(part, Box(*(edge * step for edge in steps)), cv2.INTER_CUBIC)
        return np.ascontiguousarray(whole[local.moved(-steps.x0 * step, -steps.y0 * step).slices])

    def shift_to(self, other: Region) -> tuple[int, int]:
        """Return by how many network pixels `other` lies to the right and below.

        Raises:
            ValueError: the two do not lie whole steps apart, or have other scales.
        """
        dx, dy = other.crop.x0 - self.crop.x0, other.crop.y0 - self.crop.y0
        if (self.step, self.multiple) != (other.step, other.multiple) or dx % self.step or dy % self.step:
            raise ValueError(f"{other.crop} lies no whole steps of {self.step} from {self.crop}")
        return self._to_network(dx), self._to_network(dy)

    def part(self, of: NDArray[Any], other: Region) -> NDArray[Any]:
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


def _resize(pixels: Floats, to: Box, method: int) -> Floats:
    return np.asarray(cv2.resize(pixels, (to.width, to.height), interpolation=method), np.float32)
