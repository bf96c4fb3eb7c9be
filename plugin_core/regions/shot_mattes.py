"""A shot's mattes as the hole uses them: the right channel, inverted, laid on the plate, joined over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..clips.clip import Clip
from ..images import Header, fitted, matte_on
from ..job.settings import Settings
from .hole import Hole, hole_of


@dataclass(frozen=True)
class _Kept:
    """What a matte adds to its neighbors' holes: its values (h, w) over the box that holds them."""

    box: Box | None
    values: NDArray[np.float32]


class ShotMattes:
    """Gives the hole of any frame: a pure function of the mattes on disk and the settings.

    With `matte_union` each matte is joined with those of the frames around it, the largest value of a pixel
    counting, within the take: not across a cut, and not beyond the frames that can be read. What the last
    frames hold is kept, so that frames asked for in order are read once.

    Args:
        clip: the mattes.
        header: of the plate they belong to.
        settings: how they are read.
        lower, upper: frames that can be read.
        cuts: first frames of new takes.
        shadow: mattes of shadows and reflections, filled too; None for none. Their alpha counts, or the
            brightest color where that is 1 everywhere.

    Attributes:
        unknown: pixels that were NaN and count as 1, by frame, of the mattes that were read.
    """

    def __init__(
        self,
        clip: Clip,
        header: Header,
        settings: Settings,
        *,
        lower: int,
        upper: int,
        cuts: Sequence[int] = (),
        shadow: Clip | None = None,
    ) -> None:
        self._clip = clip
        self._header = header
        self._settings = settings
        self._lower = lower
        self._upper = upper
        self._cuts = sorted(set(cuts))
        self._kept: dict[int, _Kept] = {}
        self.unknown: dict[int, int] = {}
        self._shadows: ShotMattes | None = None
        if shadow is not None:
            plain = settings.model_copy(update={"matte_channel": "auto", "matte_invert": False})
            self._shadows = ShotMattes(shadow, header, plain, lower=lower, upper=upper, cuts=cuts)

    @property
    def is_still(self) -> bool:
        """Whether all frames have the same hole."""
        return self._clip.is_still and (self._shadows is None or self._shadows.is_still)

    def joined(self, frame: int) -> range:
        """Return the frames whose mattes make the hole of `frame`, itself among them."""
        if self.is_still:
            return range(frame, frame + 1)
        union = self._settings.matte_union
        lower = max([self._lower, *(cut for cut in self._cuts if cut <= frame)])
        upper = min([self._upper, *(cut - 1 for cut in self._cuts if cut > frame)])
        return range(max(frame - union, lower), min(frame + union, upper) + 1)

    def hole(self, frame: int) -> Hole | None:
        """Return what is filled on a frame, None for nothing.

        Raises:
            ImageError: a matte can't be read or does not fit the plate.
        """
        values = self._joined_values(frame)
        if self._shadows is None:
            return hole_of(values, self._settings)
        both = hole_of(np.maximum(values, self._shadows._joined_values(frame)), self._settings)
        return None if both is None else both.beside(hole_of(values, self._settings))

    def _joined_values(self, frame: int) -> NDArray[np.float32]:
        """Return the mattes (H, W) that make a frame's hole as one."""
        frames = self.joined(frame)
        if len(frames) == 1 or self._clip.is_still:
            return self.values(frame)
        for gone in [kept for kept in self._kept if kept not in frames]:
            del self._kept[gone]
        values = np.zeros((self._header.height, self._header.width), np.float32)
        for each in frames:
            kept = self._keep(each)
            if kept.box is not None:
                part = values[kept.box.slices]
                np.maximum(part, kept.values, out=part)
        return values

    def shadow_values(self, frame: int) -> NDArray[np.float32] | None:
        """Return a frame's own shadow matte as `values`; None where the shot has none. Raises ImageError."""
        return None if self._shadows is None else self._shadows.values(frame)

    def _keep(self, frame: int) -> _Kept:
        if frame not in self._kept:
            values = self.values(frame)
            box = bounds(values >= self._settings.matte_threshold)
            kept = values[:0] if box is None else values[box.slices].copy()
            self._kept[frame] = _Kept(box, kept)
        return self._kept[frame]

    def values(self, frame: int) -> NDArray[np.float32]:
        """Return a frame's own matte over the plate's data window, (H, W) of 0..1. Raises ImageError."""
        settings = self._settings
        expected = self._header if settings.matte_fit == "refuse" else None
        matte = self._clip.matte(frame, settings.matte_channel, expected)
        if matte.unknown is not None:
            self.unknown[frame] = int(matte.unknown.sum())
        if settings.matte_invert:
            matte = matte.inverted()
        return matte_on(self._header, fitted(matte, self._header, settings.matte_fit))
