"""Gives a network that takes flows those of its sources, and the motion its memory follows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images import Plate
from ..motion.finder import Propagator
from ..motion.guide import Beside, Cells, cell_centers, guide_of
from ..motion.ways import Ways
from ..network.contract import Guide
from ..patch import Patch
from ..regions.hole import Hole
from ..regions.region import Region
from ..schedule import Step
from ..state.carry_follow import Moved
from .plan import Plan
from .references import finder_of
from .step_input import Shown

Floats = NDArray[np.float32]

_AROUND_PX = 2
"""What is not sure counts so far around, in pixels of the plate."""

_SURE, _SOFT = 0.98, 0.02
"""Found pixels of less confidence, or softened by more, are not sure; there a source counts by `_LEFT`."""
_LEFT = 0.25

_STANDS, _MOVES = 0.8, 1.6
"""Network pixels a frame by which the background moves: up to the first, what is not sure still counts whole
(a camera that stands makes no such mistake), from the second on by `_LEFT`."""


class Guiding:
    """The flows of one render's steps. Not for several threads at once.

    All of it is a function of the frames between a step's first source and its last.

    Args:
        plan: of the render.
        scales: of the levels at which flows are given, finest first.
        finder: whose motion it is, where real pixels are looked for; None opens one, to be closed.
    """

    def __init__(self, plan: Plan, scales: Sequence[int], finder: Propagator | None) -> None:
        self._scales = tuple(scales)
        self._own = finder_of(plan) if finder is None and plan.motion is not None else None
        self._finder = finder or self._own
        self._cells: dict[tuple[int, Region], Cells] = {}

    def looks_at(self, step: Step) -> range:
        """Return the frames whose plates or mattes have a part in a step's flows."""
        frames = step.frame, *step.sources
        return range(min(frames), max(frames) + 1)

    def show(self, frame: int, plate: Plate, hole: Hole | None) -> None:
        """Take a frame that was just read, so that its motion is measured without reading it once more.

        Only where no real pixels are looked for: whoever looks for them has read it long before.
        """
        if self._own is not None:
            self._own.show(frame, plate, hole)

    def guide(
        self, step: Step, region: Region, target: Shown, sources: Sequence[Shown], patch: Patch | None
    ) -> Guide:
        """Return a step's flows on a crop, where the frame and its sources are shown like this.

        `patch`: what was found for the frame's hole. Where it is not sure and the background moves, sources
        count less: they show the same motion, and the same mistakes.
        """
        x, y = cell_centers(*region.network_size, self._scales[0])
        others = [source for source in step.sources if source != step.frame]
        found = dict(zip(others, self._ways(step.frame, others, region, x, y), strict=True))
        reach = max((abs(source - step.frame) for source in others), default=0)
        self._cells = {at: cells for at, cells in self._cells.items() if abs(at[0] - step.frame) <= reach}
        beside = [
            Beside(
                self._in_cells(source, region, shown),
                found.get(source),
                1 / max(1, abs(source - step.frame)),
            )
            for source, shown in zip(step.sources, sources, strict=True)
        ]
        given = guide_of(self._in_cells(step.frame, region, target), beside, self._scales)
        if patch is not None:
            away = [abs(source - step.frame) for source in step.sources]
            for level, scale in zip(given, self._scales, strict=True):
                moves = share_moving(level[:, :2] * np.float32(scale), away)
                level[:, 2] *= 1 - (1 - share_beside(patch, region, scale)) * moves
        return given

    def _in_cells(self, frame: int, region: Region, shown: Shown) -> Cells:
        """Return a frame in cells; it is seen as a source several times before and after it is filled."""
        if (frame, region) not in self._cells:
            self._cells[frame, region] = Cells.of(*shown, self._scales)
        return self._cells[frame, region]

    def since(self, before: int, frame: int, region: Region) -> Moved:
        """Return what tells where points of a frame lay in the one before, on a crop."""

        def moved(box: Box, cell: int) -> tuple[Floats, NDArray[np.bool_]]:
            x, y = cell_centers(box.height, box.width, cell)
            x, y = x + np.float32(box.x0), y + np.float32(box.y0)
            (there,) = self._ways(frame, [before], region, x, y)
            return np.dstack([there.x - x, there.y - y]), there.lost

        return moved

    def _ways(self, frame: int, others: Sequence[int], region: Region, x: Floats, y: Floats) -> list[Ways]:
        """Follow points of a crop, in the network's pixels there and here."""
        if self._finder is None:  # nothing is filled: no flow matters
            return [Ways(x, y, np.zeros_like(x), np.ones(x.shape, np.bool_)) for _ in others]
        per = np.float32(region.multiple / region.step)
        found = self._finder.ways(frame, others, *region.on_plate(x, y))
        return [Ways(*region.from_plate(way.x, way.y), way.apart * per, way.lost) for way in found]

    def close(self) -> None:
        """Give temporary files back, where it is not another's motion."""
        if self._own is not None:
            self._own.close()


def share_moving(flows: Floats, away: Sequence[int]) -> Floats:
    """Return how far the background counts as moving, 0..1, (sources, h, w).

    Args:
        flows: (sources, 2, h, w), to sources so many frames `away`, in network pixels.
    """
    frames = np.maximum(np.array(away, np.float32), 1)[:, None, None]
    speed = np.hypot(flows[:, 0], flows[:, 1]) / frames
    return np.asarray(((speed - _STANDS) / (_MOVES - _STANDS)).clip(0, 1), np.float32)


def share_beside(patch: Patch, region: Region, scale: int) -> Floats:
    """Return how much sources count in each cell of a level beside what was found and moves, (h, w)."""
    doubted = (patch.confidence > 0) & (patch.confidence < _SURE)
    if patch.soft is not None:
        doubted |= (patch.confidence > 0) & (patch.soft > _SOFT)
    around = np.ones((2 * _AROUND_PX + 1,) * 2, np.uint8)
    spread = np.asarray(cv2.dilate(doubted.astype(np.float32), around), np.float32)
    x, y = region.on_plate(*cell_centers(*region.network_size, scale))
    at = x - np.float32(patch.box.x0), y - np.float32(patch.box.y0)
    share = cv2.remap(spread, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(1 - (1 - _LEFT) * share, np.float32)
