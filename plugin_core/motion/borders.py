"""How far a frame's hole hides background, judged by its border on the frames about it: steady in time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .background import Background
from .strangers import Border, border_of

Floats = NDArray[np.float32]

_ABOUT = 2
"""So many frames before and after have a say: what one frame's border tells flickers."""

_KEPT = 64
"""Borders that are remembered."""


class Borders:
    """The borders of the holes of one shot. Not for several threads at once.

    Args:
        background: the shot's motion.
        within: returns the frames that may be looked at for a frame.
    """

    def __init__(self, background: Background, within: Callable[[int], range]) -> None:
        self._background = background
        self._within = within
        self._known: dict[int, Border | None] = {}

    def hides_background(self, frame: int, watch: Callable[[], None]) -> Floats | None:
        """Return how far (H, W), in the view, each pixel of a frame's hole hides background, 0..1.

        The mean over the borders of the frames about it, where they tell. None where the frame's own does
        not.

        Args:
            frame: which.
            watch: called again and again; may raise to stop.
        """
        if self._border(frame, watch) is None:
            return None
        shape = self._background.height, self._background.width
        total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        allowed = self._within(frame)
        for one in self._about(frame):
            seen = self._seen(one)
            border = self._border(one, watch) if _is_part(seen, allowed) else None
            if border is not None:
                total[border.box.slices] += border.background
                count[border.box.slices] += 1
        return np.asarray(total / np.maximum(count, 1), np.float32)

    def _about(self, frame: int) -> list[int]:
        """Return the frames about one, itself among them, that may be looked at for it."""
        return [one for one in range(frame - _ABOUT, frame + _ABOUT + 1) if one in self._within(frame)]

    def _seen(self, frame: int) -> range:
        """Return the frames that a border is compared with: any frame about this one may look at them."""
        ranges = [self._within(one) for one in self._about(frame)]
        return range(max(each[0] for each in ranges), min(each[-1] for each in ranges) + 1)

    def _border(self, frame: int, watch: Callable[[], None]) -> Border | None:
        if frame not in self._known:
            seen = self._seen(frame)
            hole = self._background.hole(frame)
            found = border_of(self._background, frame, hole, seen, watch) if seen else None
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[frame] = found
        return self._known[frame]


def _is_part(frames: range, of: range) -> bool:
    return bool(frames) and frames[0] in of and frames[-1] in of
