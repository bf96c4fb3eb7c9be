"""Reads a shot's frames in the order its steps need them, each picture once where memory allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..compose.paste import network_input
from ..disk.fingerprint import Fingerprint
from ..errors import ImageError
from ..images import Plate
from ..motion.finder import Propagator
from ..motion.vote import Propagated
from ..network.contract import Mask, Picture
from ..regions.hole import Hole
from ..regions.lanes import Lane
from ..regions.region import Region
from ..schedule import Step, mirror
from ..state.carry_follow import Change, change_between
from .plan import Plan
from .sources import mattes_of

PLATE_CACHE_BYTES = 256 << 20
"""Decoded plates kept between their first use as a source and the step that fills them."""

Shown = tuple[Picture, Mask]
"""A frame as the network sees it through a crop."""


@dataclass(frozen=True)
class LaneRead:
    """What one lane's step needs.

    Attributes:
        lane: whose step it is.
        region: where its crop stands.
        target: the frame to fill.
        encode: frames to encode as sources now; earlier ones are still there.
        keep: source frames that later steps use.
        anew: True where no features of earlier steps can be used: the crop has moved.
        behind: the step before's frame on this crop, where that step's crop stood elsewhere.
        change: how the plate around the hole moved and brightened since the step before; None for not at all.
    """

    lane: Lane
    region: Region
    target: Shown
    encode: Mapping[int, Shown]
    keep: frozenset[int]
    anew: bool
    behind: Shown | None
    change: Change | None


@dataclass(frozen=True)
class StepInput:
    """All that one step needs.

    Attributes:
        step: which step.
        lanes: what each lane that lives needs.
        hole: the hole of the frame to fill, at plate resolution.
        found: real pixels for that hole.
        plate: what the fill is laid into; None for a warm-up step.
        plate_is_kept: True where the reader may look at that plate again: then it must not be changed.
        notes: what to tell of the frame's matte.
        prints: fingerprints of the files read for this step and not for an earlier one.
    """

    step: Step
    lanes: tuple[LaneRead, ...]
    hole: Hole | None
    found: Propagated | None
    plate: Plate | None
    plate_is_kept: bool
    notes: tuple[str, ...]
    prints: Mapping[int, Mapping[str, Fingerprint]]


@dataclass(frozen=True)
class _Frame:
    """A frame that was read.

    Attributes:
        hole: at plate resolution.
        found: real pixels for it.
        notes: what to tell of its matte.
        windows: the frame as each lane's network sees it, by lane, over all that its crop comes to while it
            looks at this frame.
    """

    hole: Hole | None
    found: Propagated | None
    notes: tuple[str, ...]
    windows: Mapping[str, tuple[Region, Shown]]

    def on(self, lane: Lane, region: Region) -> Shown:
        """Return the frame as seen through a lane's crop."""
        window, (picture, mask) = self.windows[lane.name]
        return window.part(picture, region), window.part(mask, region)


class ShotReader:
    """Prepares steps one after the other. Not for several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
        self._propagator = _propagator(plan)
        self._frames: dict[int, _Frame] = {}
        self._encoded: dict[str, tuple[Region, set[int]]] = {}
        self._printed: set[int] = set()
        self._plates: dict[int, Plate] = {}
        self._plate_bytes = 0

    def prepare(self, step: Step) -> StepInput:
        """Read what `step` needs; call it with the steps in order.

        Raises:
            ImageError: a picture can't be read, or its matte is not what it was when the shot was scanned.
        """
        if step.starts:
            self._encoded.clear()
        lanes = tuple(self._prepare(lane, step) for lane in self._plan.lanes if lane.runs_in(step))
        self._encoded = {read.lane.name: self._encoded[read.lane.name] for read in lanes}
        target = self._read(step.frame)
        plate = None if step.warmup else self._plate(step.frame)
        read = self._inputs_of(self._frames)
        prints = {frame: self._prints(frame) for frame in sorted(read - self._printed)}
        self._printed |= set(prints)
        self._forget(step)
        kept = step.frame in self._plates
        return StepInput(step, lanes, target.hole, target.found, plate, kept, target.notes, prints)

    def close(self) -> None:
        """Give temporary files back."""
        if self._propagator is not None:
            self._propagator.close()

    def _inputs_of(self, frames: Iterable[int]) -> set[int]:
        """Return the frames whose plates or mattes have a part in how some frames are shown."""
        near = {each for frame in frames for each in self._plan.searched(frame)}
        return {each for frame in near for each in self._mattes.joined(frame)}

    def _prepare(self, lane: Lane, step: Step) -> LaneRead:
        region = lane.region_at(step.frame)
        stood, encoded = self._encoded.get(lane.name, (None, set[int]()))
        anew = stood != region
        new = sorted(set(step.sources) - (set() if anew else encoded))
        encode = {frame: self._read(frame).on(lane, region) for frame in new}
        keep = frozenset(self._plan.schedule.needed_after(step))
        self._encoded[lane.name] = region, ((set() if anew else encoded) | set(new)) & keep
        target = self._read(step.frame).on(lane, region)
        behind, change = self._before(lane, step, target)
        return LaneRead(lane, region, target, encode, keep, anew, behind, change)

    def _before(self, lane: Lane, step: Step, target: Shown) -> tuple[Shown | None, Change | None]:
        """Return the frame before on this crop, where the lane comes from another; and what changed since."""
        if step.starts:
            return None, None
        before, region = self._plan.schedule.before(step), lane.region_at(step.frame)
        moves = lane.region_at(before) != region
        follows = self._plan.settings.border_match == "auto"
        if not (moves or follows):
            return None, None
        behind = self._read(before).on(lane, region)
        return behind if moves else None, change_between(behind, target) if follows else None

    def _read(self, frame: int) -> _Frame:
        """Read a frame for every lane that looks at it."""
        if frame not in self._frames:
            hole, notes = self._hole(frame)
            schedule = self._plan.schedule
            found = None
            if hole is not None and self._propagator is not None:
                found = self._propagator.find(frame, hole)
            windows = {}
            for lane in self._plan.lanes:
                if lane.looks_at(frame, schedule.reach + schedule.warmup):
                    window = lane.window_at(frame, schedule.reach)
                    shown = network_input(self._plate(frame), hole, found, window, self._plan.color)
                    windows[lane.name] = window, shown
            self._frames[frame] = _Frame(hole, found, notes, windows)
        return self._frames[frame]

    def _plate(self, frame: int) -> Plate:
        if frame in self._plates:
            return self._plates[frame]
        plate = self._plan.sources.plate.plate(frame)
        # Where there is no room the new one is not kept: those there are filled before it.
        if self._plate_bytes + plate.nbytes <= PLATE_CACHE_BYTES:
            self._plates[frame] = plate
            self._plate_bytes += plate.nbytes
        return plate

    def _hole(self, frame: int) -> tuple[Hole | None, tuple[str, ...]]:
        hole, notes = self._mattes.hole(frame)
        known = [box for lane in self._plan.lanes for box in lane.islands.get(frame, ())]
        if hole is not None and not hole.lies_in(known):
            matte = self._plan.sources.matte.path(frame)
            raise ImageError(f"Matte {matte} has changed since the render began; start it again.")
        return hole, notes

    def _prints(self, frame: int) -> dict[str, Fingerprint]:
        sources = self._plan.sources
        return {"plate": sources.plate.fingerprint(frame), "matte": sources.matte.fingerprint(frame)}

    def _forget(self, step: Step) -> None:
        """Drop frames that no later step looks at, and plates that none fills."""
        segment, reach = step.segment, self._plan.schedule.reach
        ahead = [mirror(step.position + 1 + n, segment.lower, segment.upper) for n in range(reach)]
        # A crop that moves shows the network once more what lies behind.
        behind = [mirror(step.position + 1 - n, segment.lower, segment.upper) for n in range(reach + 1)]
        for frame in [frame for frame in self._frames if frame not in {*ahead, *behind}]:
            del self._frames[frame]
        for frame in [frame for frame in self._plates if frame not in ahead]:
            self._plate_bytes -= self._plates.pop(frame).nbytes


def _propagator(plan: Plan) -> Propagator | None:
    if plan.motion is None:
        return None
    mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
    return Propagator(plan.sources.plate.again(), mattes, plan.color, plan.motion, plan.searched)
