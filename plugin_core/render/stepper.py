"""Runs a shot's steps on every lane: encodes what is new, keeps what is used again, advances the state."""

from __future__ import annotations

from ..network.contract import Features, Network, StepOutput
from ..state.shot_state import LaneInput, ShotState
from .step_input import LaneRead, StepInput


class Stepper:
    """Runs prepared steps one after the other.

    Args:
        network: runs them.
        state: the shot's, at the frame before the first step that is run.
        debug: ask for the network's debug outputs too.
    """

    def __init__(self, network: Network, state: ShotState, *, debug: bool = False) -> None:
        self._network = network
        self._state = state
        self._debug = debug
        self._features: dict[str, dict[int, Features]] = {}

    def run(self, given: StepInput) -> dict[str, StepOutput]:
        """Run one step; returns what the network gave for every lane, by its name.

        Raises:
            StateError: it is not the next step.
        """
        inputs = {read.lane.name: self._encoded(read, given.step.sources) for read in given.lanes}
        outputs = self._state.advance(self._network, given.step, inputs, debug=self._debug)
        self._features = {
            read.lane.name: {
                frame: kept for frame, kept in self._features[read.lane.name].items() if frame in read.keep
            }
            for read in given.lanes
        }
        return outputs

    def _encoded(self, read: LaneRead, sources: tuple[int, ...]) -> LaneInput:
        if read.anew:
            self._features.pop(read.lane.name, None)
        features = self._features.setdefault(read.lane.name, {})
        for frame, shown in read.encode.items():
            features[frame] = self._network.encode(*shown)
        return LaneInput(
            read.region,
            *read.target,
            [features[frame] for frame in sources],
            read.behind,
            read.change,
            read.guide,
        )
