"""The ways to find pixels for a hole before the network is asked: one contract, and the list in order.

A stage is a module of its own: a function that opens it for a plan (or returns None where the settings leave
it out) and what `Stage` asks for. To add one, add its function to `STAGES`.

Stages run once for a frame, in the thread that reads, before the frame is first shown to the network: as a
source of an earlier frame as well as when it is filled itself. What they give together is seen by the network
where it is trusted, and blended into the plate by its confidence. It must depend on nothing but the plan and
the files of the frames that the stage says it looks at: not on the order of the calls, on what was rendered
before, or on the range. Then resumed, cut-up and sought renders agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from ..disk.fingerprint import Fingerprint
from ..motion.finder import Propagator
from ..patch import Patch, laid_over
from ..progress.watch import Phase, Watch
from ..regions.hole import Hole
from .painted import open_painted
from .plan import Plan
from .real_pixels import RealPixels, open_real_pixels
from .references import References, open_references


class Stage(Protocol):
    """A way to find pixels. Not for several threads at once.

    Attributes:
        origin: the class of its pixels in the record of where a hole's came from: "found", "painted".
    """

    origin: str

    def looks_at(self, frame: int) -> Iterable[int]:
        """Return the frames whose plates or mattes have a part in what is found for a frame.

        They lie in `Plan.looked_at` of it. When one of them changes, the frame is rendered again.
        """
        ...

    def paints(self, frame: int) -> Mapping[int, Fingerprint]:
        """Return the painted key frames, as they are, that had a part in what was found for a frame.

        They lie in `Plan.searched` of it, too. When one of them changes, the frame is rendered again.
        """
        ...

    def references(self, frame: int) -> Collection[int]:
        """Return the reference frames whose pixels were taken for a frame."""
        ...

    def find(self, frame: int, hole: Hole, known: Patch | None, watch: Watch) -> Patch | None:
        """Return pixels for a frame's hole; None for none.

        Args:
            frame: which.
            hole: the frame's, whose box the patch has.
            known: what the stages before this one found; it stands before what this one gives.
            watch: to be called at least every second or so, with the phase and its count where there is one
                to tell of (see `progress.watch`); it may raise to stop.

        Raises:
            ImageError: a picture can't be read.
        """
        ...

    def close(self) -> None:
        """Give temporary files back."""
        ...


Opens = Callable[[Plan, Sequence[Stage]], Stage | None]
"""Opens a stage of a plan; told which stages stand before it."""

STAGES: tuple[Opens, ...] = (open_references, open_real_pixels, open_painted)
"""Opens each stage, those whose pixels stand before the others' first."""


class Stages:
    """The stages of one render. Not for several threads at once.

    Args:
        stages: those that stand before the others first.
        within: returns the frames that may be looked at for a frame.
        watch: may raise to stop.
        total: how many frames will be asked for.
    """

    def __init__(
        self, stages: Sequence[Stage], within: Callable[[int], range], watch: Watch, total: int
    ) -> None:
        self._stages = tuple(stages)
        self._within = within
        self._watch = watch
        self._done, self._total = 0, total

    @property
    def finder(self) -> Propagator | None:
        """What measures the background's motion for the stages; None where none of them needs it."""
        moving = (stage for stage in self._stages if isinstance(stage, (RealPixels, References)))
        return next((stage.finder for stage in moving), None)

    def looks_at(self, frame: int) -> set[int]:
        """Return the frames that have a part in what is found for a frame, itself among them."""
        frames = {frame, *(other for stage in self._stages for other in stage.looks_at(frame))}
        beyond = sorted(frames.difference(self._within(frame)))
        if beyond:
            # A change there would not lead to this frame: see Schedule.first_touched.
            raise ValueError(f"for frame {frame} a stage looks at {beyond}, beyond Plan.looked_at")
        return frames

    def paints(self, frame: int) -> dict[int, Fingerprint]:
        """Return the painted key frames that had a part in what was found for a frame."""
        return {key: mark for stage in self._stages for key, mark in stage.paints(frame).items()}

    def references(self, frame: int) -> set[int]:
        """Return the reference frames whose pixels were taken for a frame."""
        return {each for stage in self._stages for each in stage.references(frame)}

    def find(self, frame: int, hole: Hole) -> Patch | None:
        """Return what all stages find for a frame's hole; None for nothing. Raises what they raise."""
        known: Patch | None = None
        for stage in self._stages:
            self._watch(Phase.SEARCHING, self._done, self._total)
            patch = stage.find(frame, hole, known, self._watch)
            if patch is not None:
                known = laid_over(known, patch.of(stage.origin))
        self._done = min(self._done + 1, self._total)
        return known

    def close(self) -> None:
        """Give temporary files back."""
        for stage in self._stages:
            stage.close()


def open_stages(plan: Plan, watch: Watch, start: int | None = None) -> Stages:
    """Open the stages that a plan asks for.

    Args:
        plan: of the render.
        watch: told how they get on; may raise to stop.
        start: the first frame that will be filled; None for the plan's first.
    """
    stages: list[Stage] = []
    for opens in STAGES:
        stage = opens(plan, stages)
        if stage is not None:
            stages.append(stage)
    shown = {frame for step in plan.schedule.steps(start) for frame in (step.frame, *step.sources)}
    return Stages(stages, plan.looked_at, watch, sum(map(plan.has_hole, shown)))
