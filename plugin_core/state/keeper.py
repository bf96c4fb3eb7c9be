"""When a render's state is kept: every few frames, after the last one, and where it ends early."""

from __future__ import annotations

from ..network.contract import Network
from .checkpoints import Checkpoints
from .input_log import InputLog
from .saved_state import SavedState
from .shot_state import Moment, ShotState


class StateKeeper:
    """Keeps the state of one render.

    Args:
        state: the shot's.
        network: brings it to host memory.
        checkpoints: where it is kept.
        inputs: what it was made with.
        first, last: frames of the render.
        every: frames between two states that are kept.
    """

    def __init__(
        self,
        state: ShotState,
        network: Network,
        checkpoints: Checkpoints,
        inputs: InputLog,
        *,
        first: int,
        last: int,
        every: int,
    ) -> None:
        self._state = state
        self._network = network
        self._checkpoints = checkpoints
        self._inputs = inputs
        self._first, self._last = first, last
        self._every = every

    def now(self) -> Moment:
        """Return the state after the frame just filled."""
        return self._state.moment(self._inputs.digests)

    def due(self, moment: Moment) -> SavedState | None:
        """Return a state in host memory where it is to be kept once its frame is on disk; else None."""
        is_due = moment.frame == self._last or (moment.frame - self._first + 1) % self._every == 0
        return self._state.saved(self._network, moment) if is_due else None

    def keep(self, moment: Moment) -> None:
        """Keep a state now, unless it is kept already.

        Every frame before it, and its own, must be on disk. Raises WriteError.
        """
        if not self._checkpoints.path(moment.frame).exists():
            self._checkpoints.add(self._state.saved(self._network, moment))
