"""Reads a shot's plates and mattes, each picture once where memory allows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..disk.fingerprint import Fingerprint
from ..errors import ImageError
from ..images import Plate
from ..regions.hole import Hole
from .plan import Plan
from .sources import mattes_of

PLATE_CACHE_BYTES = 256 << 20
"""Decoded plates kept between their first use as a source and the step that fills them."""


class ShotReader:
    """The pictures of one shot on disk. Not for several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self._sources = plan.sources
        self._lanes = plan.lanes
        self._mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
        self._plates: dict[int, Plate] = {}
        self._plate_bytes = 0
        self._printed: set[int] = set()

    def plate(self, frame: int) -> Plate:
        """Return a frame's plate. Raises ImageError."""
        if frame in self._plates:
            return self._plates[frame]
        plate = self._sources.plate.plate(frame)
        # Where there is no room the new one is not kept: those there are filled before it.
        if self._plate_bytes + plate.nbytes <= PLATE_CACHE_BYTES:
            self._plates[frame] = plate
            self._plate_bytes += plate.nbytes
        return plate

    def keeps(self, frame: int) -> bool:
        """Whether a plate that was returned is held here, and may be returned again."""
        return frame in self._plates

    def keep_plates(self, frames: Collection[int]) -> None:
        """Drop the plates of all other frames."""
        for frame in [frame for frame in self._plates if frame not in frames]:
            self._plate_bytes -= self._plates.pop(frame).nbytes

    def hole(self, frame: int) -> Hole | None:
        """Return what is filled on a frame, None for nothing.

        Raises:
            ImageError: the matte can't be read, or is not what it was when the shot was scanned.
        """
        hole = self._mattes.hole(frame)
        known = [box for lane in self._lanes for box in lane.islands.get(frame, ())]
        if hole is not None and not hole.lies_in(known):
            matte = self._sources.matte.path(frame)
            raise ImageError(f"Matte {matte} has changed since the render began; start it again.")
        return hole

    def new_prints(self, frames: Iterable[int]) -> Mapping[int, Mapping[str, Fingerprint]]:
        """Return the fingerprints of what was read for some frames, of those not returned before.

        Args:
            frames: whose plates were looked at; their mattes were joined with those around them.
        """
        read = {each for frame in frames for each in self._mattes.joined(frame)}
        prints = {frame: self._sources.fingerprints(frame) for frame in sorted(read - self._printed)}
        self._printed |= set(prints)
        return prints
