"""The part of a frame around the hole that is looked at, and how it is seen reduced.

Motion is measured and the network runs on one square of a fixed size, whatever the hole's: so graphs stay
open, and a frame takes as long as the one before. A larger hole is seen smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8] | NDArray[np.float32]
"""A display-referred picture (H, W, 3) RGB: uint8, or float32 around 0..1."""

SIDE = 128
"""Pixels of the square each way."""

STEP = 16
"""It moves by so many, a multiple of which every network takes."""

_RIM, _LEAST_RIM = 16, 10
"""Pixels around a hole that comes into view, at least; the view moves when there are fewer left."""

_LEAST_SHOWN = 0.2
"""A cell that shows less than this of the plate is unknown."""

_TOO_SMALL = 2.5
"""A hole that would have room in a view so many times finer makes the view finer."""


@dataclass(frozen=True)
class View:
    """Where the square stands.

    Attributes:
        scale: plate pixels a view's pixel, each way.
        x, y: its upper left corner in the reduced frame, on the grid of `STEP`.
    """

    scale: int
    x: int
    y: int

    @property
    def box(self) -> Box:
        """In the reduced frame."""
        return Box(self.x, self.y, self.x + SIDE, self.y + SIDE)

    @property
    def on_plate(self) -> Box:
        """In the plate; it may reach beyond."""
        return Box(*(self.scale * edge for edge in self.box))

    def kept(self, width: int, height: int) -> Box:
        """Return the part of a plate of that size that is kept of a frame: of one size at a scale."""
        side_x, side_y = min(SIDE * self.scale, width), min(SIDE * self.scale, height)
        x0 = min(max(0, self.x * self.scale), width - side_x)
        y0 = min(max(0, self.y * self.scale), height - side_y)
        return Box(x0, y0, x0 + side_x, y0 + side_y)


def view_of(hole: Box, width: int, height: int, before: View | None) -> View:
    """Choose the view of a hole; the one before stays as long as it will do.

    Args:
        hole: in plate pixels.
        width, height: of the plate.
        before: the view of the frame before.
    """
    needed = hole.longer_side + 2
    if before is not None and _will_do(before, hole, needed, width, height):
        return before
    scale = before.scale if before is not None else 0
    finest = -(-needed // (SIDE - 2 * _RIM))
    if not finest <= scale <= max(finest, int(_TOO_SMALL * finest)):
        scale = finest
    middle = (hole.x0 + hole.x1) / 2 / scale, (hole.y0 + hole.y1) / 2 / scale
    room = (side - SIDE for side in reduced_size(width, height, scale))
    x, y = (
        min(max(0, round((at - SIDE / 2) / STEP) * STEP), most) for at, most in zip(middle, room, strict=True)
    )
    return View(scale, x, y)


def _will_do(view: View, hole: Box, needed: int, width: int, height: int) -> bool:
    if needed * _TOO_SMALL < view.scale * (SIDE - 2 * _RIM) * (view.scale > 1) / 1.5:
        return False
    rim = hole.grown(_LEAST_RIM * view.scale).within(width, height)
    return view.on_plate.contains(rim)


def reduced_size(width: int, height: int, scale: int) -> tuple[int, int]:
    """Return width and height of a reduced frame, filled up to whole steps and to a view at least."""
    wide, high = (max(SIDE, -(-(side // scale) // STEP) * STEP) for side in (width, height))
    return wide, high


def reduced(plate: Pixels, scale: int) -> Floats:
    """Return a plate reduced, float32 around 0..1; its edge is repeated to fill it up."""
    height, width = plate.shape[0] // scale, plate.shape[1] // scale
    whole = plate[: height * scale, : width * scale]
    small = reduced_part(whole, scale)
    wide, high = reduced_size(plate.shape[1], plate.shape[0], scale)
    if (wide, high) != (width, height):
        filled_up = cv2.copyMakeBorder(small, 0, high - height, 0, wide - width, cv2.BORDER_REPLICATE)
        return np.asarray(filled_up, np.float32)
    return small


def reduced_part(part: Pixels, scale: int) -> Floats:
    """Return a part of a plate whose sides are whole cells, reduced, in an array of its own."""
    if scale > 1:
        size = part.shape[1] // scale, part.shape[0] // scale
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return reduced_part(cast(Pixels, small), 1)
    if part.dtype == np.uint8:
        return np.multiply(part, np.float32(1 / 255), dtype=np.float32)
    return np.array(part, np.float32)


def reduced_known(part: Pixels, shown: Floats, scale: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Reduce a part of a plate of which not all counts: a cell is the mean of what does.

    Args:
        part: its sides are whole cells.
        shown: (h, w), 1 for what counts, 0 for what does not.
        scale: pixels a cell.

    Returns:
        The cells, and which of them hardly show anything.
    """
    picture, weight = reduced_part(part * shown[..., None], 1), shown
    if part.dtype == np.uint8:
        picture *= np.float32(1 / 255)
    if scale > 1:
        size = part.shape[1] // scale, part.shape[0] // scale
        picture, weight = (
            np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
            for values in (picture, weight)
        )
    mean = np.asarray(picture / np.maximum(weight, np.float32(1e-3))[..., None], np.float32)
    return mean, weight < _LEAST_SHOWN


def reduced_mask(mask: NDArray[np.bool_], box: Box, width: int, height: int, scale: int) -> NDArray[np.bool_]:
    """Return a plate's mask reduced: what touches it is in it, and so is what lies beyond the plate.

    Args:
        mask: (h, w) over `box`; false elsewhere.
        box: in plate pixels.
        width, height: of the plate.
        scale: plate pixels a pixel of the result.
    """
    wide, high = reduced_size(width, height, scale)
    small = np.zeros((high, wide), np.bool_)
    small[height // scale :] = True
    small[:, width // scale :] = True
    cells = Box(box.x0 // scale, box.y0 // scale, -(-box.x1 // scale), -(-box.y1 // scale))
    whole = np.zeros((cells.height * scale, cells.width * scale), np.uint8)
    whole[box.moved(-cells.x0 * scale, -cells.y0 * scale).slices] = mask
    parts = whole.reshape(cells.height, scale, cells.width, scale)
    any_of = parts.max(axis=(1, 3)) > 0
    inside = cells.within(wide, high)
    small[inside.slices] |= any_of[: inside.height, : inside.width]
    return small
