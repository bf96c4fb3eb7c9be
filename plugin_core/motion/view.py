"""The part of the plate on which a shot's motion is measured, and at what size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images.plate import as_float

Floats = NDArray[np.float32]

_MARGIN_PX = 160
_SIZE_PX = 560
"""Motion is measured this far around the holes, on at most this many pixels squared."""


@dataclass(frozen=True)
class MotionView:
    """One crop for a whole shot.

    Attributes:
        crop: in pixels of the plate's data window.
        width, height: size at which it is looked at; the crop's unless reduced.
    """

    crop: Box
    width: int
    height: int

    def __str__(self) -> str:
        return f"{','.join(map(str, self.crop))} at {self.width}x{self.height}"

    @property
    def pixels_per(self) -> tuple[float, float]:
        """How many plate pixels a pixel of the view covers, across and down."""
        return self.crop.width / self.width, self.crop.height / self.height

    def thinned(self, native: NDArray[Any]) -> NDArray[Any]:
        """Return the crop's own pixels (H, W, 3), at the view's size where they are more.

        What follows, converting their colors above all, then costs the same for a plate of any size. Types
        whose colors are looked up (8 and 16 bits) stay as they are; others become float32.
        """
        size = self.width, self.height
        if native.shape[1] <= size[0] or native.shape[0] <= size[1]:
            return native
        if native.dtype in (np.uint8, np.uint16):
            return np.asarray(cv2.resize(native, size, interpolation=cv2.INTER_AREA))
        reduced = cv2.resize(as_float(native), size, interpolation=cv2.INTER_AREA)
        return np.asarray(reduced, np.float16 if native.dtype == np.float16 else np.float32)

    def points(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where columns x and rows y of the plate (pixel centers at whole numbers) lie in the view."""
        across, down = self.pixels_per
        wide = (x - self.crop.x0 + 0.5) / across - 0.5
        high = (y - self.crop.y0 + 0.5) / down - 0.5
        return wide.astype(np.float32), high.astype(np.float32)

    def points_of(self, box: Box) -> tuple[Floats, Floats]:
        """Return where the pixels of a box of the plate lie in the view, (h, w) each."""
        columns, rows = np.arange(box.x0, box.x1), np.arange(box.y0, box.y1)
        x, y = np.meshgrid(*self.points(columns.astype(np.float32), rows.astype(np.float32)))
        return x, y

    def plate_points(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Undo `points`."""
        across, down = self.pixels_per
        wide = (x + 0.5) * across - 0.5 + self.crop.x0
        high = (y + 0.5) * down - 0.5 + self.crop.y0
        return wide.astype(np.float32), high.astype(np.float32)

    def picture(self, cut: Floats) -> Floats:
        """Bring the crop's pixels (H, W, C), of any size, to the view's size (h, w, C)."""
        if (cut.shape[1], cut.shape[0]) == (self.width, self.height):
            return np.ascontiguousarray(cut)
        resized = cv2.resize(cut, (self.width, self.height), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.float32)

    def mask(self, hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bring the crop's hole (H, W) to (h, w); what touches the hole is in it."""
        return np.asarray(self.picture(hole.astype(np.float32)) > 0)


def motion_view(holes: Iterable[Box], *, width: int, height: int) -> MotionView | None:
    """Choose a shot's view; None where there is no hole.

    It reaches farther around the holes than what the network sees, since the camera may carry the background
    a long way before the object lets go of it.

    Args:
        holes: boxes around the holes of every frame.
        width, height: the plate's size in pixels.
    """
    boxes = list(holes)
    if not boxes:
        return None
    around = boxes[0].union(*boxes[1:])
    crop = around.grown(max(_MARGIN_PX, around.longer_side // 2)).within(width, height)
    scale = min(1.0, _SIZE_PX / math.sqrt(crop.width * crop.height))
    return MotionView(crop, max(1, round(crop.width * scale)), max(1, round(crop.height * scale)))
