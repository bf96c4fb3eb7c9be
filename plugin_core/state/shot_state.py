"""The state of a shot: what the network remembers, which frame it stands at, and for whom it is valid.

A shot's frames render in order. `ShotState` holds the carry of each lane between two steps and refuses any
step but the next one; it can be saved, loaded, put back to an earlier frame and told that an input has
changed. Saved states are safetensors files (no code in them), written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StateError
from ..network.contract import Carry, Features, Guide, Mask, Network, Picture, StepOutput
from ..regions.lanes import Lane, crop_places
from ..regions.region import Region
from ..schedule import Schedule, Step
from .carry_follow import Change, all_followed, followed
from .carry_shift import shifted
from .checkpoints import Checkpoints
from .key import ShotKey, check_key
from .saved_state import SavedState, check_crops, read_state, write_state


class Phase(StrEnum):
    """Where a shot's state stands.

    EMPTY: nothing is remembered; the next step starts a segment.
    WARMING: warm-up steps have run; no frame of the segment has been filled.
    READY: frames have been filled and more are to come.
    DONE: the last frame has been filled.
    """

    EMPTY = "empty"
    WARMING = "warming"
    READY = "ready"
    DONE = "done"


@dataclass(frozen=True)
class LaneInput:
    """What a step needs for one lane.

    Attributes:
        region: where the lane's crop stands.
        picture, mask: the frame to fill, on that crop.
        sources: features on that crop, in the network's stream order.
        behind: picture and mask of the step before on this crop, where that one stood elsewhere or flows are
            given.
        change: how the plate around the hole moved and brightened since the step before; None for not at all.
        guide: the flows, for a network that takes them.
    """

    region: Region
    picture: Picture
    mask: Mask
    sources: Sequence[Features]
    behind: tuple[Picture, Mask] | None = None
    change: Change | None = None
    guide: Guide | None = None


@dataclass(frozen=True)
class Moment:
    """The state after a frame as the network holds it. Holding one costs little: carries never change.

    Attributes:
        frame: the last frame that was filled.
        carries: what the next step takes, by the names of the lanes.
        inputs: digests of the input frames that later steps read again, by frame number.
    """

    frame: int
    carries: Mapping[str, Carry]
    inputs: Mapping[int, str]


@dataclass(frozen=True)
class _Standing:
    """A lane's carry and the crop it belongs to."""

    carry: Carry
    region: Region


class ShotState:
    """The one state of one shot.

    Args:
        key: what this state is valid for; saved states with another key are refused.
        schedule: the shot's steps.
        lanes: the shot's crops.
        checkpoints: where states are kept for `restore`; None keeps none.
    """

    def __init__(
        self,
        key: ShotKey,
        schedule: Schedule,
        lanes: Sequence[Lane],
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.key = dict(key)
        self.schedule = schedule
        self.lanes = tuple(lanes)
        self.checkpoints = checkpoints
        self._standing: dict[str, _Standing] | None = None
        self._last: Step | None = None

    @property
    def phase(self) -> Phase:
        """Where the state stands."""
        if self._last is None or self._standing is None:
            return Phase.EMPTY
        following = self.schedule.following(self._last)
        if following is None:
            return Phase.DONE
        if following.starts:
            return Phase.EMPTY
        return Phase.WARMING if self._last.warmup else Phase.READY

    @property
    def frame(self) -> int | None:
        """The last frame that was filled; None before the first."""
        return None if self._last is None or self._last.warmup else self._last.position

    @property
    def carries(self) -> Mapping[str, Carry]:
        """What the next step will take, by the names of the lanes."""
        return {name: standing.carry for name, standing in (self._standing or {}).items()}

    def advance(
        self, network: Network, step: Step, given: Mapping[str, LaneInput], *, debug: bool = False
    ) -> dict[str, StepOutput]:
        """Run the next step on every lane that lives, and keep the carries.

        Args:
            network: runs the step.
            step: the one that follows the last.
            given: what it needs, by the names of the lanes.
            debug: ask for the network's debug outputs too.

        Raises:
            StateError: `step` is not the next one, or a lane's carry is missing; the state is left as it was.
        """
        self._check_order(step)
        outputs = {}
        for name, inputs in given.items():
            carry = self._carry_for(network, step, name, inputs)
            more: dict[str, Any] = {"debug": True} if debug else {}
            if inputs.guide is not None:
                more["guide"] = inputs.guide
            outputs[name] = network.step(inputs.picture, inputs.mask, inputs.sources, carry, **more)
        self._standing = {
            name: _Standing(output.carry, given[name].region) for name, output in outputs.items()
        }
        self._last = step
        return outputs

    def _carry_for(self, network: Network, step: Step, name: str, inputs: LaneInput) -> Carry:
        """Return the carry a lane goes on with, moved to where its crop stands now."""
        before = None if step.starts else (self._standing or {}).get(name)
        if before is None:
            if not step.starts and step.position not in self._begins(name):
                raise StateError(
                    f"Frame {step.position} needs the state of the frame before it: crop {name} has none."
                )
            return network.start(inputs.picture, inputs.mask)
        right, down = before.region.shift_to(inputs.region)
        carry = before.carry
        if right or down:
            assert inputs.behind is not None  # given wherever the crop moves
            carry = shifted(network, carry, *inputs.behind, right=right, down=down)
        if inputs.guide is not None and inputs.behind is not None:
            here = inputs.picture, inputs.mask
            return all_followed(network, carry, inputs.change, inputs.behind, here)
        return carry if inputs.change is None else followed(network, carry, inputs.change)

    def _begins(self, name: str) -> list[int]:
        return [lane.first for lane in self.lanes if lane.name == name]

    def restore(self, network: Network, *, before: int) -> int:
        """Go back to the newest checkpoint below frame `before`, or to the start of its segment.

        Returns:
            The frame to go on with; the steps from it to `before` bring the state there.
        """
        segment = self.schedule.segment_of(min(before, self.schedule.last))
        self._standing = self._last = None
        oldest = segment.first - 1 if segment.continues else segment.first
        saved = self._newest(from_frame=oldest, below=before)
        if saved is not None:
            self._adopt(network, saved, f"The state after frame {saved.frame}")
            return saved.frame + 1
        if segment.continues:
            raise StateError(
                f"Nothing leads to frame {before}: the state after frame {oldest} was handed in and is not "
                "kept any more; give it again."
            )
        return segment.first

    def invalidate_from(self, frame: int, reason: str) -> int:
        """Forget what depends on input frame `frame`, which has changed.

        Returns:
            The first output frame that has to be made again (earlier than `frame`, since frames look ahead).
        """
        touched = self.schedule.first_touched(frame)
        self.forget_from(touched, reason)
        return touched

    def forget_from(self, frame: int, reason: str) -> None:
        """Forget the states after output frame `frame` and all later ones."""
        if self.checkpoints is not None:
            self.checkpoints.drop_from(frame, reason)
        if self._last is not None and self._last.position >= frame:
            self._standing = self._last = None

    def moment(self, inputs: Mapping[int, str] | None = None) -> Moment:
        """Return the state after the last filled frame.

        Args:
            inputs: digests of the input frames that later steps read again, by frame number.

        Raises:
            StateError: no frame has been filled yet.
        """
        if self.frame is None or self._standing is None:
            raise StateError("There is no state to save: no frame has been rendered yet.")
        return Moment(self.frame, self.carries, dict(inputs or {}))

    def saved(self, network: Network, moment: Moment) -> SavedState:
        """Return a state in host memory, where the network brings it."""
        arrays = _joined({name: network.fetch(carry) for name, carry in moment.carries.items()})
        crops = crop_places(self.lanes, moment.frame)
        return SavedState(self.key, moment.frame, arrays, dict(moment.inputs), crops)

    def snapshot(self, network: Network, inputs: Mapping[int, str] | None = None) -> SavedState:
        """Return the state after the last filled frame, in host memory; see `moment`."""
        return self.saved(network, self.moment(inputs))

    def save(self, network: Network, path: Path, inputs: Mapping[int, str] | None = None) -> None:
        """Write `snapshot` to a file, whole or not at all. Raises also WriteError."""
        write_state(path, self.snapshot(network, inputs))

    def load(self, network: Network, path: Path) -> SavedState:
        """Take over a saved state.

        Raises:
            StateError: the file is damaged or of another shot, model or size; says which and what differs.
        """
        saved = read_state(path)
        check_key(saved.key, self.key, f"State file {path}")
        check_crops(saved, crop_places(self.lanes, saved.frame), f"State file {path}")
        self._adopt(network, saved, f"State file {path}")
        return saved

    def _newest(self, *, from_frame: int, below: int) -> SavedState | None:
        """Return the newest saved state in that range whose crops stand where they stand now."""
        saved = self.checkpoints.newest(from_frame=from_frame, below=below) if self.checkpoints else None
        while saved is not None and saved.crops != crop_places(self.lanes, saved.frame):
            assert self.checkpoints is not None
            saved = self.checkpoints.newest(from_frame=from_frame, below=saved.frame)
        return saved

    def _adopt(self, network: Network, saved: SavedState, what: str) -> None:
        """Take over a carry. Raises StateError when it isn't of a frame and crops of this shot."""
        try:
            last = self.schedule.step_of(saved.frame)
        except ValueError as error:
            raise StateError(f"{what} does not belong to this range: {error}.") from None
        regions = {lane.name: lane.region_at(last.frame) for lane in self.lanes if lane.runs_in(last)}
        carries = _parted(saved.arrays)
        foreign = sorted(set(carries) - set(regions))
        if foreign:
            raise StateError(f"{what} has numbers for the crop {foreign[0]!r}, which there is none of.")
        self._standing = {name: _Standing(network.put(own), regions[name]) for name, own in carries.items()}
        self._last = last

    def _check_order(self, step: Step) -> None:
        if self._last is None or self._standing is None:
            if not step.starts:
                raise StateError(
                    f"Frame {step.position} needs the state of the frame before it: none is loaded."
                )
            return
        expected = self.schedule.following(self._last)
        if expected is None:
            raise StateError(f"The shot ended at frame {self._last.position}; got frame {step.position}.")
        if step != expected:
            raise StateError(
                f"Frames render in order: expected frame {expected.position}, got {step.position}."
            )


def _joined(carries: Mapping[str, Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of several lanes under one name each, ``lane/array``."""
    return {f"{lane}/{name}": array for lane, arrays in carries.items() for name, array in arrays.items()}


def _parted(joined: Mapping[str, NDArray[np.float32]]) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Undo `_joined`."""
    carries: dict[str, dict[str, NDArray[np.float32]]] = {}
    for both, array in joined.items():
        lane, _, name = both.partition("/")
        carries.setdefault(lane, {})[name] = array
    return carries
