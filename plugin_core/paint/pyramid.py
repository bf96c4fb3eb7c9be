"""Pictures to borrow from, side by side on one canvas, at ever smaller sizes.

All pictures of a level lie one below the other on one canvas, apart by a margin that no patch may touch. So a
place to borrow from is one number, whichever picture it lies in, and searching several costs no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]

RADIUS = 3
"""Patches are squares of 2 * RADIUS + 1 pixels, on every level."""

MARGIN = 2 * RADIUS + 1
"""Between pictures on the canvas: as far as a patch around a pixel beyond the picture's edge can reach."""

_OPPONENT = np.array([[0.299, 0.587, 0.114], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]], np.float32)
"""To luma and two opponent colors: eyes, and patches, mind luma most."""


@dataclass(frozen=True)
class Picture:
    """One picture at one size.

    Attributes:
        pixels: (h, w, 3) float32, luma and two opponent colors; only where `known` or borrowed from they mean
            something.
        borrow: (h, w) bool, may be borrowed from.
    """

    pixels: Floats
    borrow: Bools


@dataclass(frozen=True)
class Level:
    """All pictures at one size, on one canvas.

    Attributes:
        pixels: (pictures * (h + 2 margins), w + 2 margins, 3).
        borrow: may be borrowed from, same rows and columns.
        hole: (h, w) bool, of the first picture.
        known: (h, w) float32, how far the hole's pixels in `pixels` are known already, 0..1; 1 outside the
            hole.
        height, width: of a picture.
    """

    pixels: Floats
    borrow: Bools
    hole: Bools
    known: Floats
    height: int
    width: int

    @property
    def stride(self) -> int:
        """Columns of the canvas."""
        return self.width + 2 * MARGIN

    def place(self, picture: Ints, y: Ints, x: Ints) -> NDArray[np.int64]:
        """Return pixels of pictures as places on the flattened canvas."""
        row = picture.astype(np.int64) * (self.height + 2 * MARGIN) + MARGIN + y
        return row * self.stride + MARGIN + x

    def pixel(self, place: NDArray[np.int64]) -> tuple[Ints, Ints, Ints]:
        """Return the picture, row and column of places on the flattened canvas."""
        row, column = np.divmod(place, self.stride)
        picture, y = np.divmod(row, self.height + 2 * MARGIN)
        return picture.astype(np.int32), (y - MARGIN).astype(np.int32), (column - MARGIN).astype(np.int32)


def opponent(rgb: Floats) -> Floats:
    """Bring RGB (..., 3) to luma and two opponent colors."""
    red, green, blue = (rgb[..., channel : channel + 1] for channel in range(3))
    # Not a matrix product: its rounding may depend on the number of threads.
    return np.asarray(red * _OPPONENT[:, 0] + green * _OPPONENT[:, 1] + blue * _OPPONENT[:, 2], np.float32)


def level_of(pictures: Sequence[Picture], hole: Bools, known: Floats) -> Level:
    """Lay pictures of one size, the one with the hole first, on a canvas."""
    pixels = np.concatenate([_padded(one.pixels) for one in pictures])
    borrow = np.concatenate([np.pad(one.borrow, MARGIN) for one in pictures])
    height, width = hole.shape
    return Level(pixels, borrow, hole, known, height, width)


def _padded(pixels: Floats) -> Floats:
    edges = (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)
    return np.pad(pixels, edges, mode="edge")


def pyramid(pictures: Sequence[Picture], hole: Bools, known: Floats, *, smallest: int) -> list[Level]:
    """Return the pictures at full size and at half, quarter ... of it, the smallest last.

    Args:
        pictures: the one with the hole first; all of the hole's shape.
        hole: (h, w) bool.
        known: (h, w) float32.
        smallest: no level has a shorter side below this, except the first.
    """
    levels = [level_of(pictures, hole, known)]
    weights = [
        np.where(hole, known, 1).astype(np.float32),
        *(one.borrow.astype(np.float32) for one in pictures[1:]),
    ]
    while min(hole.shape) >= 2 * smallest and hole.any():
        pictures, weights, hole, known = _halved(pictures, weights, hole, known)
        levels.append(level_of(pictures, hole, known))
    return levels


def _halved(
    pictures: Sequence[Picture], weights: Sequence[Floats], hole: Bools, known: Floats
) -> tuple[list[Picture], list[Floats], Bools, Floats]:
    smaller, lighter = [], []
    for one, weight in zip(pictures, weights, strict=True):
        sums = _quarters(one.pixels * weight[..., None])
        share = _quarters(weight)
        pixels = np.asarray(sums / np.maximum(share, np.float32(1e-6))[..., None], np.float32)
        smaller.append(Picture(pixels, _quarters(one.borrow.astype(np.float32)) > 0.99))
        lighter.append(share)
    # What touches the hole is hole: nothing of the object bleeds into smaller pictures.
    return smaller, lighter, _quarters(hole.astype(np.float32)) > 0, _quarters(np.where(hole, known, 1))


def _quarters(values: Floats) -> Floats:
    """Return means over two by two pixels; an odd last row or column is repeated."""
    rows, columns = values.shape[0] % 2, values.shape[1] % 2
    if rows or columns:
        values = np.asarray(cv2.copyMakeBorder(values, 0, rows, 0, columns, cv2.BORDER_REPLICATE), np.float32)
    size = values.shape[1] // 2, values.shape[0] // 2
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
