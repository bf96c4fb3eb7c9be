"""Where traces lead at plate resolution, and which of several sources has most part in a pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..patch import Places
from .sampling import in_rows, pixel_grid
from .trace import Grid, Trace
from .view import MotionView

Floats = NDArray[np.float32]


def led_all(found: Trace, grid: Grid, at: tuple[Floats, Floats], view: MotionView) -> tuple[Floats, Floats]:
    """Return the column and row of the source, in pixels of the plate, for points (h, w) of the view."""
    # Displacements are smooth where coordinates are not yet at plate resolution: those are interpolated.
    shift_x, shift_y = cv2.split(grid.between(found.shift, *at))
    across, down = (np.float32(size) for size in view.pixels_per)
    x = (at[0] + shift_x + np.float32(0.5)) * across + np.float32(view.crop.x0 - 0.5)
    y = (at[1] + shift_y + np.float32(0.5)) * down + np.float32(view.crop.y0 - 0.5)
    return x, y


def led(found: Trace, grid: Grid, at: tuple[Floats, Floats], view: MotionView) -> tuple[Floats, Floats]:
    """Return what `led_all` does for points (n,)."""
    x, y = led_all(found, grid, (in_rows(at[0]), in_rows(at[1])), view)
    return x.reshape(-1)[: at[0].size], y.reshape(-1)[: at[0].size]


def own_places(frame: int, box: Box, share: Floats) -> Places:
    """Return the places of a frame's own pixels; `share` (h, w) as `Places` has it."""
    x, y = pixel_grid(box)
    return Places(np.full(share.shape, frame, np.int32), x, y, share)


class Strongest:
    """Of the sources of each pixel (h, w) of a hole the one that weighs most."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._weight, self._x, self._y = (np.zeros(shape, np.float32) for _ in range(3))
        self._frame = np.zeros(shape, np.int32)

    def add(self, where: tuple[Any, ...], weight: Floats, source: int, there: tuple[Floats, Floats]) -> None:
        """Add a source at rows and columns.

        Args:
            where: rows and columns of the hole.
            weight: (...) of the source.
            source: its frame.
            there: (...) column and row in the source.
        """
        better = weight > self._weight[where]
        for values, new in (
            (self._weight, weight),
            (self._frame, source),
            (self._x, there[0]),
            (self._y, there[1]),
        ):
            values[where] = np.where(better, new, values[where])

    @property
    def places(self) -> Places:
        """The places, each with the weight of its source as its share."""
        return Places(self._frame, self._x, self._y, self._weight)

    def of(self, total: NDArray[np.floating[Any]]) -> Places:
        """Return the places, of which each has its part of a total (h, w); none where that is 0."""
        share = np.where(total > 0, self._weight / np.maximum(total, 1e-6), 0)
        return Places(self._frame, self._x, self._y, np.clip(share, 0, 1).astype(np.float32))
