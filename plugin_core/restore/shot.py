"""One shot's damage, found and repaired frame by frame: plates in, plates out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import Clip
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..damage.finder import LOOKS_AT, REACH, Damage, DamageFinder, Search
from ..damage.look import Seen, bands, planes_of
from ..damage.motion import part_of
from ..damage.repair import Neighbor, repaired
from ..images import Plate

Mask = NDArray[np.bool_]

_PLATES_BYTES = 288 << 20
"""Decoded plates are kept for the repair of the frames near by while they take no more than this."""


class RestoredShot:
    """Finds and repairs the damage of a shot's frames.

    What it gives for a frame depends on the files of the frames within `LOOKS_AT` and on nothing else.

    Args:
        plate: the clip.
        color: from its plates to the network's range.
        take: the frames of a frame's take that can be read.
        search: what is looked for.
        grain: whether what is repaired gets the grain that it lacks.
        protected: (H, W) of a frame, true where nothing is damage; None for nowhere.
        chosen: given a frame and what was found on it, returns what of it is damage.
    """

    def __init__(
        self,
        plate: Clip,
        color: ColorMap,
        take: Callable[[int], range],
        search: Search,
        *,
        grain: bool = True,
        protected: Callable[[int], Mask | None] = lambda frame: None,
        chosen: Callable[[int, Damage], Damage] = lambda frame, damage: damage,
    ) -> None:
        self._clip, self._color, self._take, self._grain = plate, color, take, grain
        self._finder = DamageFinder(self._see, take, search, protected)
        self._chosen = chosen
        self._plates: dict[int, Plate] = {}
        self._at = 0
        self._damage: dict[int, Damage] = {}

    def reach(self, frame: int) -> range:
        """Return the frames whose files a restored frame depends on."""
        take = self._take(frame)
        far = LOOKS_AT + REACH
        return range(max(take.start, frame - far), min(take.stop, frame + far + 1))

    def damage(self, frame: int) -> Damage:
        """Return what is found on a frame. Raises ImageError where a plate can't be read."""
        if frame not in self._damage:
            self._damage[frame] = self._chosen(frame, self._finder.find(frame))
            for other in [other for other in self._damage if abs(other - frame) > 2 * REACH]:
                del self._damage[other]
        return self._damage[frame]

    def restored(self, frame: int) -> tuple[Plate, Damage, int]:
        """Return a frame's plate without its damage, the damage, and how many pixels were changed."""
        self._at = frame
        damage = self.damage(frame)
        plate = self.plate(frame)
        if not damage.finds:
            return plate, damage, 0
        header = plate.header
        neighbors = {}
        for other in self._finder.around(frame):
            motion = self._finder.motion(frame, other)

            def on(box: Box, motion: NDArray[np.float32] = motion) -> NDArray[np.float32]:
                return part_of(motion, box, header.height, header.width)

            neighbors[other] = Neighbor(self.plate(other), self.damage(other).mask(), on, other - frame)
        clean, changed = repaired(plate, damage.mask(), neighbors, self._color, seed=frame, grain=self._grain)
        return clean, damage, changed

    def plate(self, frame: int) -> Plate:
        """Return a frame's plate, read once while it is near."""
        if frame not in self._plates:
            self._plates[frame] = self._clip.plate(frame)
            self._thin_out(frame)
        return self._plates[frame]

    def _thin_out(self, latest: int) -> None:
        each = max(1, self._plates[latest].nbytes)
        while len(self._plates) > max(2, _PLATES_BYTES // each):
            farthest = max(
                (frame for frame in self._plates if frame != latest), key=lambda frame: abs(frame - self._at)
            )
            del self._plates[farthest]

    def _see(self, frame: int) -> Seen:
        plate = self.plate(frame)
        height, width = plate.header.height, plate.header.width
        low, high = np.empty((height, width), np.uint8), np.empty((height, width), np.uint8)
        for box in bands(height, width):
            picture, _ = network_pixels(native_pixels(plate, box), self._color)
            low[box.slices], high[box.slices] = planes_of(np.asarray((picture + 1) / 2, np.float32))
        return low, high
