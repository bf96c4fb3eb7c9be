"""When a render's state is kept: every few frames, after the last one, and where it ends early."""

from __future__ import annotations

from ..network.contract import Network
from .checkpoints import Checkpoints
from .input_log import InputLog
from .saved_state import SavedState
from .shot_state import ShotState


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

    @property
    def is_at_end(self) -> bool:
        """Whether the state stands after the last frame."""
        return self._state.frame == self._last

    def due(self) -> SavedState | None:
        """Return the state after the frame just filled where it is to be kept, once that frame is on disk."""
        frame = self._state.frame
        if frame is None:  # the state is still warming up
            return None
        counted = frame - self._first + 1
        return self._snapshot() if self.is_at_end or counted % self._every == 0 else None

    def keep(self) -> None:
        """Keep the state now, unless it is kept already, or the next frame starts without one.

        Every frame before it must be on disk. Raises WriteError.
        """
        frame = self._state.frame
        if frame is not None and not self._checkpoints.path(frame).exists():
            self._checkpoints.add(self._snapshot())

    def _snapshot(self) -> SavedState:
        return self._state.snapshot(self._network, self._inputs.digests)
