"""Which frames belong to the take of a frame: nothing is compared across a cut."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..damage.finder import LOOKS_AT, REACH
from ..probe.cuts import Thumbnail, suspected_cuts

_AROUND = 3
"""Frames on either side by which a suspected cut has to stand out."""

LOOKS_FAR = LOOKS_AT + REACH + _AROUND
"""Frames on either side that a restored frame depends on."""


class Takes:
    """The takes of a shot, found out near the frames that are asked for.

    Args:
        lower, upper: the frames that can be read.
        cuts: first frames of takes, where they are known.
        thumbnail: of a frame, see `probe.cuts`.
    """

    def __init__(
        self, lower: int, upper: int, cuts: Collection[int], thumbnail: Callable[[int], Thumbnail]
    ) -> None:
        self._lower, self._upper, self._cuts = lower, upper, set(cuts)
        self._thumbnail = thumbnail
        self._thumbnails: dict[int, Thumbnail] = {}
        self._is_cut: dict[int, bool] = {}

    def of(self, frame: int) -> range:
        """Return the frames of a frame's take that matter to it."""
        first = last = frame
        while first > max(self._lower, frame - LOOKS_AT - REACH) and not self.begins(first):
            first -= 1
        while last < min(self._upper, frame + LOOKS_AT + REACH) and not self.begins(last + 1):
            last += 1
        return range(first, last + 1)

    def begins(self, frame: int) -> bool:
        """Whether a frame is the first of a take."""
        if frame in self._cuts:
            return True
        if frame not in self._is_cut:
            near = range(max(self._lower, frame - _AROUND), min(self._upper, frame + _AROUND - 1) + 1)
            shown = [self._small(other) for other in near]
            self._is_cut[frame] = frame in suspected_cuts(near.start, shown)
        return self._is_cut[frame]

    def _small(self, frame: int) -> Thumbnail:
        if frame not in self._thumbnails:
            self._thumbnails[frame] = self._thumbnail(frame)
        return self._thumbnails[frame]
