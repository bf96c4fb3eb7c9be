"""What has been seen of the background, carried along its motion.

For every hidden pixel stands where it was last seen: in which of some kept pictures, and at which place
there. Motion moves these places, not the pictures, so that a pixel is sampled once from what the plate really
showed, however long ago. A picture is kept only when something that it shows is covered. When there is no
room left the oldest one gives way: what was remembered of it is sampled into the newest (a resampling every
so many kept pictures).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from .view import Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SLOTS = 24
"""Pictures that are kept at most."""

_FADES, _RESAMPLED = np.float32(0.998), np.float32(0.93)
"""What is left of the confidence in a pixel after a frame, and after it was sampled once more."""

_NONE = np.int16(-1)


@dataclass(frozen=True)
class Places:
    """Where hidden pixels were last seen.

    Attributes:
        box: in plate pixels.
        hidden: (h, w), what the frame does not show.
        slot: (h, w) int16, in which kept picture; below 0 for what was never seen, or is not hidden.
        x, y: (h, w) float32, plate pixels there.
        age: (h, w) int32, frames since.
        trust: (h, w) float32, 0..1, confidence.
        off: (h, w) float32, the square of how many pixels the place may be off.
    """

    box: Box
    hidden: Mask
    slot: NDArray[np.int16]
    x: Floats
    y: Floats
    age: NDArray[np.int32]
    trust: Floats
    off: Floats


@dataclass(frozen=True)
class Remembered:
    """What is known of a hole.

    Attributes:
        picture: (h, w, 3) float32, in the plate's own numbers.
        known: (h, w), where there is something.
        age: (h, w) int32, frames since it was seen.
        trust: (h, w) float32, 0..1; 0 where nothing is known.
        off: (h, w) float32, how many pixels it may be off its place.
    """

    picture: Floats
    known: Mask
    age: NDArray[np.int32]
    trust: Floats
    off: Floats


class PlateMemory:
    """The memory of one take."""

    def __init__(self) -> None:
        self._atlas: Pixels | None = None
        self._slot_size = (0, 0)
        self._origins = np.zeros((_SLOTS, 2), np.float32)
        self._newest = -1
        self._behind: tuple[Box, Pixels] | None = None
        self._places: Places | None = None

    def forget(self) -> None:
        """Forget everything."""
        self._places = self._behind = self._atlas = None

    def begin(self, box: Box, hidden: Mask) -> None:
        """Begin with a frame before which nothing was seen."""
        self._places, self._newest, self._atlas = _nothing(box, hidden), -1, None

    def advance(
        self,
        box: Box,
        hidden: Mask,
        x: Floats,
        y: Floats,
        sure: Mask,
        off: Floats,
    ) -> None:
        """Go on to the next frame.

        Args:
            box: around what is hidden there.
            hidden: (h, w), what the frame does not show of the background.
            x, y: (h, w), where the pixels of the box lay in the frame before, in plate pixels.
            sure: (h, w), where that can be trusted of what the frame before showed.
            off: (h, w), by how many pixels it may be wrong of what is remembered.
        """
        assert self._behind is not None and self._places is not None
        seen = self._behind[0]
        found, was_hidden = self._looked_up(x, y)
        inside = (x >= seen.x0) & (x <= seen.x1 - 1) & (y >= seen.y0) & (y <= seen.y1 - 1)
        new = hidden & ~was_hidden & inside & sure
        slot, trust, squared = found.slot, found.trust * _FADES, found.off + off * off
        slot[~(hidden & was_hidden & inside)] = _NONE
        if new.any():
            number, first = self._kept()
            again = (slot >= 0) if first else (slot == number)
            moved = new | again
            slot[moved], found.x[moved], found.y[moved] = number, x[moved], y[moved]
            found.age[new], trust[new], squared[new] = 0, 1, 0
            trust[again] *= _RESAMPLED
        self._places = Places(box, hidden, slot, found.x, found.y, found.age + 1, trust, squared)

    def remembered(self) -> Remembered:
        """Return what is known of the box that was last advanced to."""
        places = self._places
        assert places is not None
        known = places.slot >= 0
        if self._atlas is None or not known.any():
            empty = np.zeros((*known.shape, 3), np.float32)
            nowhere = np.zeros(known.shape, np.float32)
            return Remembered(empty, np.zeros_like(known), places.age, nowhere, nowhere)
        slot = np.maximum(places.slot, 0)
        origins, high = self._origins[slot], self._slot_size[0]
        x = np.clip(places.x - origins[..., 0], 0, self._slot_size[1] - 1)
        y = np.clip(places.y - origins[..., 1], 0, high - 1)
        y += slot * np.float32(high)
        sampled = cv2.remap(self._atlas, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        picture = np.asarray(sampled, np.float32)
        trust = np.where(known, places.trust, np.float32(0))
        return Remembered(picture, known, places.age, trust, np.sqrt(places.off))

    def see(self, box: Box, picture: Pixels) -> None:
        """Take the last frame with what is remembered laid in, (h, w, 3) over a box of the plate."""
        self._behind = box, picture

    def _looked_up(self, x: Floats, y: Floats) -> tuple[Places, Mask]:
        """Return the places of the frame before at points of it, and which of these were hidden."""
        before = self._places
        assert before is not None
        column, row = np.rint(x), np.rint(y)
        at_x, at_y = column - before.box.x0, row - before.box.y0
        height, width = before.slot.shape
        outside = (at_x < 0) | (at_y < 0) | (at_x > width - 1) | (at_y > height - 1)
        flat = np.clip(at_y, 0, height - 1) * width + np.clip(at_x, 0, width - 1)
        at = flat.astype(np.intp)
        hidden = before.hidden.take(at) & ~outside
        # What lies between two pixels is found from the nearest: around it places go on as pixels do.
        found = Places(
            before.box,
            hidden,
            before.slot.take(at),
            before.x.take(at) + (x - column),
            before.y.take(at) + (y - row),
            before.age.take(at),
            before.trust.take(at),
            before.off.take(at),
        )
        return found, hidden

    def _kept(self) -> tuple[int, bool]:
        """Keep the frame before: the slot, to which the oldest gives way, and whether all others are gone."""
        assert self._behind is not None
        box, picture = self._behind
        fits = self._atlas is not None and self._slot_size == picture.shape[:2]
        if not fits:
            self._slot_size = (picture.shape[0], picture.shape[1])
            self._atlas = np.zeros((_SLOTS * picture.shape[0], *picture.shape[1:]), picture.dtype)
            self._newest = -1
        assert self._atlas is not None
        self._newest = (self._newest + 1) % _SLOTS
        high = self._slot_size[0]
        self._atlas[self._newest * high : (self._newest + 1) * high] = picture
        self._origins[self._newest] = box.x0, box.y0
        return self._newest, not fits


def _nothing(box: Box, hidden: Mask) -> Places:
    """Places of a frame of which nothing was seen before."""
    shape = hidden.shape if hidden.size else (1, 1)
    hidden = hidden if hidden.size else np.zeros(shape, np.bool_)
    zeros = np.zeros(shape, np.float32)
    return Places(box, hidden, np.full(shape, _NONE), zeros, zeros, np.zeros(shape, np.int32), zeros, zeros)
