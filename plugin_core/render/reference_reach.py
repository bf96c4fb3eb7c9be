"""Which frames reference frames reach, and so which of a render's a changed one touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

from ..clips.frame_range import frames_words
from ..progress.watch import Phase, Watch
from ..state.journal import Entry
from .plan import Plan
from .references import References, open_references
from .sources import mattes_of


def reach_of(plan: Plan, watch: Watch) -> dict[int, dict[int, float]]:
    """Return, by reference frame, which share (0..1) of the hole of which frames it reaches.

    Args:
        plan: of the render; its range is looked at.
        watch: told how it gets on; may raise to stop.

    Raises:
        CleanplateError: a picture can't be read, or a reference frame says nothing.
    """
    found: dict[int, dict[int, float]] = {reference: {} for reference in plan.references}
    frames = range(plan.sources.first, plan.sources.last + 1)
    with closing(Reach(plan)) as reach:
        for frame, reference, share in reach.shares(frames, plan.references, watch):
            found[reference][frame] = share
    return found


class Reach:
    """Tells which frames reference frames reach; opens what it needs when it is first asked.

    Args:
        plan: of the render.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._mattes = mattes_of(plan.sources, plan.settings, plan.cuts)

    @cached_property
    def _stage(self) -> References | None:
        return open_references(self._plan)

    def shares(
        self, frames: Iterable[int], references: Collection[int], watch: Watch
    ) -> Iterator[tuple[int, int, float]]:
        """Yield frames, reference frames of their take that reach them, and which share of their hole."""
        asked = [frame for frame in frames if self._plan.has_hole(frame)]
        for number, frame in enumerate(asked):
            watch(Phase.REACHING, number, len(asked))
            for reference in self._plan.references_of(frame):
                if reference in references and (share := self._share(frame, reference, watch)):
                    yield frame, reference, share

    def is_reached(self, reference: int, frame: int, watch: Watch) -> bool:
        """Whether a reference frame reaches the hole of a frame of its take."""
        return self._share(frame, reference, watch) > 0

    def _share(self, frame: int, reference: int, watch: Watch) -> float:
        hole = self._mattes.hole(frame)
        # It may be gone: its matte has changed since the plan was made.
        if self._stage is None or hole is None:
            return 0.0
        return self._stage.share(frame, hole, reference, watch)

    def close(self) -> None:
        """Give temporary files back."""
        if "_stage" in self.__dict__ and self._stage is not None:
            self._stage.close()


@dataclass(frozen=True)
class Changed:
    """Written frames that reference frames of now make others.

    Attributes:
        first: the first of them.
        why: what changed, without a full stop.
    """

    first: int
    why: str


def changed_references(
    entries: Collection[Entry], plan: Plan, before: int, reach: Reach, watch: Watch
) -> Changed | None:
    """Compare the reference frames that written frames knew with those of now.

    One that is gone or was painted over touches the frames that it had a part in; one that is new, those that
    it reaches now. Nothing else is touched by either.

    Args:
        entries: of the journal, of the rendered range.
        plan: the render as asked for now.
        before: frames from this one on are rendered again anyway.
        reach: of the plan's reference frames.
        watch: told how it gets on; may raise to stop.
    """
    now = {frame: reference.mark.digest for frame, reference in plan.references.items()}
    changed: set[int] = set()
    first = before
    new: dict[int, set[int]] = {}
    for entry in entries:
        there = set(plan.references_of(entry.frame))
        for reference in there | set(entry.references):
            known = entry.references.get(reference)
            if known is not None and reference in there and known.digest == now[reference]:
                continue
            if known is not None and known.touched:
                changed.add(reference)
                first = min(first, entry.frame)
            if reference in there:
                new.setdefault(reference, set()).add(entry.frame)
    for reference, frames in sorted(new.items()):
        touched = _first_reached(plan, reference, frames, first, reach, watch)
        if touched is not None:
            changed.add(reference)
            first = min(first, touched)
    if not changed:
        return None
    return Changed(first, f"Reference frames changed on {frames_words(sorted(changed))}")


def _first_reached(
    plan: Plan, reference: int, frames: set[int], first: int, reach: Reach, watch: Watch
) -> int | None:
    """Return the first of written frames that a reference frame touches now; None for none before one."""
    schedule = plan.schedule
    lower, upper = plan.take_of(reference)
    near = schedule.reach + schedule.warmup
    wanted = range(
        max(lower, min(frames) - near), min(upper, min(max(frames), first - 1) + schedule.reach) + 1
    )
    for frame, _, _ in reach.shares(wanted, {reference}, watch):
        return min(first, schedule.first_touched(frame, schedule.reach))
    return None


def far_touched(entries: Collection[Entry], plan: Plan, changed: Mapping[str, Collection[int]]) -> int | None:
    """Return the first written frame that lies on the far side of a changed plate from a reference frame.

    Pixels that are brought from afar depend on all plates on their way.
    """
    frames = {frame for kind in ("plate", "matte", "shadow") for frame in changed.get(kind, ())}
    reach = plan.schedule.reach + plan.settings.matte_union
    touched = [
        entry.frame
        for entry in entries
        for reference in entry.references
        for frame in frames
        if min(entry.frame, reference) - reach <= frame <= max(entry.frame, reference) + reach
    ]
    return min(touched, default=None)
