"""The state of a shot: what the network remembers, which frame it stands at, and for whom it is valid.

A shot's frames render in order. `ShotState` holds the carry between two steps and refuses any step but the
next one; it can be saved, loaded, put back to an earlier frame and told that an input has changed. Saved
states are safetensors files (no code in them), written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .checkpoints import Checkpoints
from .errors import StateError
from .network import Carry, Features, Mask, Network, Picture, StepOutput
from .saved_state import SavedState, ShotKey, check_key, read_state, write_state
from .window import Schedule, Step


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


class ShotState:
    """The one state of one shot.

    Args:
        key: what this state is valid for; saved states with another key are refused.
        schedule: the shot's steps.
        checkpoints: where states are kept for `restore`; None keeps none.
    """

    def __init__(self, key: ShotKey, schedule: Schedule, checkpoints: Checkpoints | None = None) -> None:
        self.key = dict(key)
        self.schedule = schedule
        self.checkpoints = checkpoints
        self._carry: Carry | None = None
        self._last: Step | None = None

    @property
    def phase(self) -> Phase:
        """Where the state stands."""
        if self._last is None or self._carry is None:
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
    def carry(self) -> Carry | None:
        """What the next step will take."""
        return self._carry

    def advance(
        self, network: Network, step: Step, picture: Picture, mask: Mask, sources: Sequence[Features]
    ) -> StepOutput:
        """Run the next step and keep its carry.

        Raises:
            StateError: `step` is not the next one; the state is left as it was.
        """
        self._check_order(step)
        carry = network.start(picture, mask) if step.starts else self._carry
        assert carry is not None  # _check_order let a step without a carry through only where it starts
        output = network.step(picture, mask, sources, carry)
        self._carry, self._last = output.carry, step
        return output

    def restore(self, network: Network, *, before: int) -> int:
        """Go back to the newest checkpoint below frame `before`, or to the start of its segment.

        Returns:
            The frame to go on with; the steps from it to `before` bring the state there.
        """
        segment = self.schedule.segment_of(min(before, self.schedule.last))
        self._carry = self._last = None
        oldest = segment.first - 1 if segment.continues else segment.first
        saved = self.checkpoints.newest(from_frame=oldest, below=before) if self.checkpoints else None
        if saved is not None:
            self._adopt(network, saved)
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
        if self.checkpoints is not None:
            self.checkpoints.drop_from(touched, reason)
        if self._last is not None and self._last.position >= touched:
            self._carry = self._last = None
        return touched

    def snapshot(self, network: Network, inputs: Mapping[int, str] | None = None) -> SavedState:
        """Return the state after the last filled frame, in host memory.

        Args:
            network: brings the carry to host memory.
            inputs: digests of the input frames that later steps read again, by frame number.

        Raises:
            StateError: no frame has been filled yet.
        """
        if self.frame is None or self._carry is None:
            raise StateError("There is no state to save: no frame has been rendered yet.")
        return SavedState(self.key, self.frame, network.fetch(self._carry), dict(inputs or {}))

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
        self._adopt(network, saved)
        return saved

    def release(self, network: Network) -> dict[str, NDArray[np.float32]] | None:
        """Give the carry up to host memory (so that it can be put away) and forget it."""
        arrays = None if self._carry is None else network.fetch(self._carry)
        self._carry = None
        return arrays

    def resume(self, network: Network, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Take back what `release` gave."""
        self._carry = network.put(arrays)

    def _adopt(self, network: Network, saved: SavedState) -> None:
        self._carry = network.put(saved.arrays)
        self._last = self.schedule.step_of(saved.frame)

    def _check_order(self, step: Step) -> None:
        if self._last is None or self._carry is None:
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
