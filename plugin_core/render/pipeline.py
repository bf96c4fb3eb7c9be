"""What happens to a frame, from disk to disk, in the order in which it stands here.

=============  ===========================================================================================
`read`         **read** the plate, and the **hole** that its matte gives
               **find** pixels for the hole: what other frames show (`stages`)
               **show** it: crop, size and range that the network takes
               **match**: how the surroundings moved and brightened since the frame before
`fill`         **network**: encode the sources, bring along what is remembered, step
`compose`      **grain**, of what the plate has around the hole
               **blend** into the plate
`write`        **write** the file; then note it, and keep the state after it
=============  ===========================================================================================

Each of these is called with the steps in their order; the four may run in threads of their own, one behind
the other. Whoever renders, measures or evaluates goes through here.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..compose.known_alone import known_alone
from ..compose.paste import CropFill, fills_of, laid_in, network_input
from ..disk.fingerprint import Fingerprint
from ..images import Plate
from ..network.contract import Guide, Network, StepOutput
from ..regions.lanes import Lane
from ..regions.region import Region
from ..schedule import Step, mirror
from ..state.carry_follow import Change, change_between
from ..state.saved_state import SavedState
from ..state.shot_state import ShotState
from .composed import Composed
from .guiding import Guiding
from .plan import Plan
from .reader import ShotReader
from .stages import Stages
from .step_input import LaneRead, SeenFrame, Shown, StepInput
from .stepper import Stepper
from .writer import FrameWriter, Written


class Pipeline:
    """The way of a shot's frames.

    Args:
        plan: of the render.
        network: fills.
        state: the shot's, at the frame before the first step that is run.
        stages: find pixels.
        writer: puts frames on disk; None where they are taken from `compose`, and `write` is not called.
    """

    def __init__(
        self,
        plan: Plan,
        network: Network,
        state: ShotState,
        stages: Stages,
        writer: FrameWriter | None = None,
    ) -> None:
        self._plan = plan
        self._reader = ShotReader(plan)
        self._stages = stages
        scales = network.guide_scales
        self._guiding = Guiding(plan, scales, stages.finder) if scales else None
        self._stepper = Stepper(network, state, debug=writer is not None and writer.shows_debug)
        self._writer = writer
        self._frames: dict[int, SeenFrame] = {}
        self._notes: list[str] = []
        self._told_not_finite = False
        self._encoded: dict[str, tuple[Region, set[int]]] = {}
        self._painted: set[int] = set()
        self._touching: set[int] = set()

    def read(self, step: Step) -> StepInput:
        """Read what a step needs.

        Raises:
            ImageError: a picture can't be read, or its matte is not what it was when the shot was scanned.
        """
        if step.starts:
            self._encoded.clear()
        lanes = tuple(self._lane(lane, step) for lane in self._plan.lanes if lane.runs_in(step))
        self._encoded = {read.lane.name: self._encoded[read.lane.name] for read in lanes}
        target = self._seen(step.frame)
        plate = None if step.warmup else self._reader.plate(step.frame)
        looked_at = {other for frame in self._frames for other in self._stages.looks_at(frame)}
        if self._guiding is not None:
            looked_at.update(self._guiding.looks_at(step))
        prints = dict(self._reader.new_prints(looked_at))
        for key, mark in self._new_paints().items():
            prints[key] = {**prints.get(key, {}), "paint": mark}
        self._touching |= {each for frame in self._frames for each in self._stages.references(frame)}
        self._forget(step)
        kept = self._reader.keeps(step.frame)
        notes: tuple[str, ...] = ()
        if not step.warmup:
            notes, self._notes = tuple(self._notes), []
        references = frozenset(self._touching)
        if not step.warmup:
            self._touching.clear()
        return StepInput(step, lanes, target.hole, target.patch, plate, kept, notes, prints, references)

    def _new_paints(self) -> dict[int, Fingerprint]:
        """Return the key frames whose paint was taken for the first time."""
        taken = {key: mark for frame in self._frames for key, mark in self._stages.paints(frame).items()}
        new = {key: mark for key, mark in taken.items() if key not in self._painted}
        self._painted |= set(new)
        return new

    def _seen(self, frame: int) -> SeenFrame:
        """Read a frame, find pixels for its hole, and show it to every lane that looks at it."""
        if frame in self._frames:
            return self._frames[frame]
        hole = self._reader.hole(frame)
        patch = None if hole is None else self._stages.find(frame, hole)
        schedule, windows = self._plan.schedule, {}
        plate: Plate | None = None
        for lane in self._plan.lanes:
            if lane.looks_at(frame, schedule.reach + schedule.warmup):
                window = lane.window_at(frame, schedule.reach)
                plate = self._reader.plate(frame)
                picture, mask, odd = network_input(plate, hole, patch, window, self._plan.color)
                windows[lane.name] = window, picture, mask > 0
                self._tell_not_finite(plate, odd)
        if self._guiding is not None and plate is not None:
            self._guiding.show(frame, plate, hole)
        self._frames[frame] = SeenFrame(hole, patch, windows)
        return self._frames[frame]

    def _tell_not_finite(self, plate: Plate, count: int) -> None:
        """Note the first plate that has pixels without a value where the network looks."""
        if count and not self._told_not_finite:
            self._told_not_finite = True
            self._notes.append(
                f"Plate {plate.header.path} has {count} NaN or infinite pixels around the hole, and others "
                "may have, too: outside the matte they stay as they are, inside they are filled."
            )

    def _lane(self, lane: Lane, step: Step) -> LaneRead:
        """Show a lane its frame and the sources not encoded yet; match the frame to the one before."""
        region = lane.region_at(step.frame)
        before, encoded = self._encoded.get(lane.name, (None, set[int]()))
        anew = before != region
        new = sorted(set(step.sources) - (set() if anew else encoded))
        encode = {frame: self._seen(frame).on(lane, region) for frame in new}
        keep = frozenset(self._plan.schedule.needed_after(step))
        self._encoded[lane.name] = region, ((set() if anew else encoded) | set(new)) & keep
        target = self._seen(step.frame).on(lane, region)
        behind, change = self._match(lane, step, target)
        guide = self._guide(lane, step, target)
        return LaneRead(lane, region, target, encode, keep, anew, behind, change, guide)

    def _guide(self, lane: Lane, step: Step, target: Shown) -> Guide | None:
        """Return the flows to a step's sources, for a network that takes them."""
        if self._guiding is None:
            return None
        region = lane.region_at(step.frame)
        sources = [self._seen(source).on(lane, region) for source in step.sources]
        return self._guiding.guide(step, region, target, sources, self._seen(step.frame).patch)

    def _match(self, lane: Lane, step: Step, target: Shown) -> tuple[Shown | None, Change | None]:
        """Return the frame before on this crop, where the lane comes from another; and what changed since."""
        if step.starts:
            return None, None
        before, region = self._plan.schedule.before(step), lane.region_at(step.frame)
        moves = lane.region_at(before) != region
        follows = self._plan.settings.border_match == "auto"
        guiding = self._guiding
        if not (moves or follows or guiding):
            return None, None
        behind = self._seen(before).on(lane, region)
        moved = None if guiding is None else guiding.since(before, step.frame, region)
        change = change_between(behind, target, moved) if follows else None
        return behind if moves or guiding else None, change

    def fill(self, given: StepInput) -> dict[str, StepOutput]:
        """Run the network; returns what it gave for every lane, by its name.

        Raises:
            StateError: it is not the next step.
        """
        return self._stepper.run(given)

    def compose(self, given: StepInput, outputs: Mapping[str, StepOutput]) -> Composed:
        """Lay what was found and what the network gave into the plate, with grain where that is asked for."""
        if given.hole is None:
            return Composed(given, outputs, None)
        assert given.plate is not None  # warm-up steps are not composed
        frame = given.step.frame
        hole, patch = given.hole, given.patch
        if self._plan.settings.paint == "off":
            hole, patch = known_alone(hole, patch)
        crops = [
            CropFill(own, outputs[read.lane.name].fill, read.region)
            for read in given.lanes
            if (own := hole.only(read.lane.islands.get(frame, ()))) is not None
        ]
        # All are made before the first is laid in: grain is measured on the untouched plate.
        fills = fills_of(
            given.plate,
            hole,
            crops,
            patch,
            self._plan.color,
            grain_seed=frame if self._plan.settings.grain == "auto" else None,
        )
        writer = self._writer
        in_place = not (given.plate_is_kept or (writer is not None and writer.shows_debug))
        clean = laid_in(given.plate, fills, in_place=in_place)
        takes_fills = writer is not None and writer.takes_fills
        return Composed(given, outputs, clean, tuple(fills) if takes_fills else ())

    def write(
        self,
        frame: Composed,
        marks: Mapping[int, Mapping[str, Fingerprint]],
        saved: SavedState | None,
    ) -> Written:
        """Write a frame, note it, and keep the state after it.

        Args:
            frame: composed.
            marks: fingerprints of what was read since the frame before.
            saved: the state after this frame, where it is due.

        Raises:
            WriteError: the disk does not take it.
        """
        assert self._writer is not None
        return self._writer.write(frame, marks, saved)

    def close(self) -> None:
        """Give temporary files back."""
        if self._guiding is not None:
            self._guiding.close()
        self._stages.close()

    def _forget(self, step: Step) -> None:
        """Drop frames that no later step looks at, and plates that none fills."""
        segment, reach = step.segment, self._plan.schedule.reach
        ahead = [mirror(step.position + 1 + n, segment.lower, segment.upper) for n in range(reach)]
        # A crop that moves shows the network once more what lies behind.
        behind = [mirror(step.position + 1 - n, segment.lower, segment.upper) for n in range(reach + 1)]
        for frame in [frame for frame in self._frames if frame not in {*ahead, *behind}]:
            del self._frames[frame]
        # A shot's last frames are sources once more, but filled already.
        self._reader.keep_plates([frame for frame in ahead if frame > step.position])
