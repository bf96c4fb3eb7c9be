"""The stage before all others: what somebody painted on some frames, carried to all of their take.

A reference frame is believed where it counts (`reference_content`), before anything that is found or painted.
Between two that show a place it dissolves from the nearer to the other, by their distance; beyond the
outermost it stands alone, however far away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..disk.fingerprint import Fingerprint
from ..motion.finder import Propagator
from ..motion.places import own_places
from ..motion.sampling import bicubic
from ..patch import Patch, covers, dissolved, laid_over, stronger
from ..progress.watch import Phase, Watch
from ..regions.hole import Hole
from .plan import Plan
from .reference_contents import ReferenceContents
from .sources import mattes_of

Floats = NDArray[np.float32]

KEPT_FRAMES = 40
"""So far around a frame its motion is kept: within that the way to a far frame turns into a road."""


class References:
    """Pixels of reference frames; a `stages.Stage`.

    Args:
        plan: of the render, with reference frames.
        finder: its motion carries them.
    """

    origin = "referenced"

    def __init__(self, plan: Plan, finder: Propagator) -> None:
        self._plan = plan
        self.finder = finder
        self._contents = _contents_of(plan)
        self._taken: dict[int, frozenset[int]] = {}

    def looks_at(self, frame: int) -> range:
        """Return the frames between this one and the reference frames of its take."""
        references = self._plan.references_of(frame)
        return range(min([frame, *references]), max([frame, *references]) + 1)

    def paints(self, frame: int) -> Mapping[int, Fingerprint]:
        """Return no key frames."""
        return {}

    def references(self, frame: int) -> frozenset[int]:
        """Return the reference frames whose pixels were taken for a frame."""
        return self._taken.get(frame, frozenset())

    def find(self, frame: int, hole: Hole, known: Patch | None, watch: Watch) -> Patch | None:
        """Return what reference frames show of a frame's hole; see `stages.Stage`."""
        patch, taken = self.shown(frame, hole, watch)
        self._remember(frame, taken)
        return patch

    def shown(self, frame: int, hole: Hole, watch: Watch) -> tuple[Patch | None, frozenset[int]]:
        """Return what reference frames show of a frame's hole, and which do. Raises as `find`."""
        taken: set[int] = set()
        sides = [self._side(frame, hole, keys, taken, watch) for keys in self._nearest_first(frame)]
        (before, from_before), (after, from_after) = sides
        if before is None or after is None:
            return after if before is None else before, frozenset(taken)
        way = from_before / np.maximum(from_before + from_after, np.float32(1e-6))
        return dissolved(before, after, way), frozenset(taken)

    def share(self, frame: int, hole: Hole, reference: int, watch: Watch) -> float:
        """Return which share of a frame's hole a reference frame reaches, 0..1. Raises as `find`."""
        if frame == reference:
            weight = self._contents.of(reference).weighed(hole.box)[..., 0]
            return float((weight[hole.alpha > 0] > 0).mean())
        where = self._contents.of(reference).weighed
        return self.finder.share_shown(frame, hole, reference, lambda _, box: where(box), watch)

    def close(self) -> None:
        """Give temporary files back."""
        self.finder.close()

    def _nearest_first(self, frame: int) -> tuple[Sequence[int], Sequence[int]]:
        """Return the reference frames up to a frame, and those after it."""
        references = self._plan.references_of(frame)
        upto = [reference for reference in references if reference <= frame]
        return upto[::-1], [reference for reference in references if reference > frame]

    def _side(
        self, frame: int, hole: Hole, references: Sequence[int], taken: set[int], watch: Watch
    ) -> tuple[Patch | None, Floats]:
        """Return what the reference frames on one side show, and how far away (h, w) that was painted."""
        found: Patch | None = None
        distance = np.zeros(hole.alpha.shape, np.float32)
        for reference in references:
            patch = self._carried(frame, hole, reference, watch)
            if patch is None:
                continue
            taken.add(reference)
            before = np.float32(0) if found is None else found.confidence
            place = None if found is None else found.place
            found = laid_over(found, patch)
            assert found is not None
            part = before / np.maximum(found.confidence, np.float32(1e-6))
            found = replace(found, place=stronger(place, patch.place, (1 - part).astype(np.float32)))
            distance = (part * distance + (1 - part) * np.float32(abs(reference - frame))).astype(np.float32)
            if covers(found.confidence, hole.alpha):
                break
        return found, distance

    def _carried(self, frame: int, hole: Hole, reference: int, watch: Watch) -> Patch | None:
        content = self._contents.of(reference)
        if frame == reference:
            weight = np.where(hole.alpha > 0, content.weighed(hole.box)[..., 0], np.float32(0))
            if not weight.any():
                return None
            place = own_places(frame, hole.box, weight) if self._plan.tells_places else None
            grain = (weight > 0).astype(np.float32)
            return Patch(hole.box, content.pictured(hole.box), weight, grain, place=place)
        carried = self.finder.carried(
            frame,
            hole,
            reference,
            lambda _, box: content.pictured(box),
            watch,
            where=lambda _, box: content.weighed(box),
            by=bicubic,  # strokes end hard, and must not ring
        )
        return None if carried is None else carried.patch

    def _remember(self, frame: int, taken: frozenset[int]) -> None:
        near = 2 * self._plan.schedule.span
        self._taken = {each: seen for each, seen in self._taken.items() if abs(each - frame) <= near}
        self._taken[frame] = taken
        # Each frame near by will look at the same ones.
        self.finder.hold(taken)


def check_contents(plan: Plan, watch: Watch) -> None:
    """Refuse reference frames that say nothing, before work is wasted.

    Args:
        plan: of the render.
        watch: told how many are read; may raise to stop.

    Raises:
        InputError: one does not differ from its plate and has no alpha, or is another picture.
        ImageError: one can't be read.
    """
    if plan.motion is None:
        return
    contents = _contents_of(plan)
    for number, reference in enumerate(plan.references):
        watch(Phase.REFERENCES, number, len(plan.references))
        contents.of(reference)


def _contents_of(plan: Plan) -> ReferenceContents:
    assert plan.motion is not None  # else nothing is filled
    mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
    return ReferenceContents(plan.sources, mattes, plan.color, plan.motion.crop, plan.references)


def open_references(plan: Plan, before: Sequence[object] = ()) -> References | None:
    """Open the stage; None where there are no reference frames, or nothing is filled."""
    if plan.motion is None or not plan.references:
        return None
    return References(plan, finder_of(plan))


def finder_of(plan: Plan) -> Propagator:
    """Return what measures a shot's motion, and carries pixels along it."""
    assert plan.motion is not None
    mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
    plate, span = plan.sources.plate.again(), plan.schedule.span

    def kept(frame: int) -> range:
        searched = plan.searched(frame)
        if not plan.references_of(frame):
            return searched
        near, way = plan.looked_at(frame), KEPT_FRAMES
        return range(
            min(searched[0], max(near[0], frame - way)), max(searched[-1], min(near[-1], frame + way)) + 1
        )

    given = plate, mattes, plan.color, plan.motion, plan.searched, span
    return Propagator(*given, kept=kept, tells_places=plan.tells_places)
