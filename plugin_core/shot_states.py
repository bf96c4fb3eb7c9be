"""Several shots at once under one memory budget: the least recently used give their carry up to disk."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .network.contract import Network
from .state.saved_state import SavedState, read_state, write_state
from .state.shot_state import ShotState


class ShotStates:
    """Shots that take turns on one network.

    A shot that is asked for is brought back to memory; when the carries in memory exceed the budget the one
    that was used longest ago is written to a temporary folder. Pixels do not depend on who was put away when.

    Args:
        network: runs every shot.
        budget_bytes: most bytes of carries kept in memory; the shot in use is kept even if it exceeds them.
        folder: where carries are put away (in a temporary folder inside it); the system's unless given.
    """

    def __init__(self, network: Network, budget_bytes: int, folder: Path | None = None) -> None:
        self._network = network
        self._budget = budget_bytes
        self._temporary = tempfile.TemporaryDirectory(prefix="cleanplate-", dir=folder)
        self._shots: OrderedDict[str, ShotState] = OrderedDict()
        self._files: dict[str, Path] = {}
        self._added = 0

    def add(self, name: str, state: ShotState) -> None:
        """Take a shot in under a name of its own. Raises ValueError when the name is taken."""
        if name in self._shots:
            raise ValueError(f"a shot called {name!r} is there already")
        self._shots[name] = state
        self._files[name] = Path(self._temporary.name) / f"{self._added}.safetensors"
        self._added += 1

    def use(self, name: str) -> ShotState:
        """Return a shot's state, in memory, and note that it is in use now. Raises KeyError if unknown."""
        state = self._shots[name]
        self._shots.move_to_end(name)
        self._wake(name, state)
        self._make_room(keep=name)
        return state

    def remove(self, name: str) -> None:
        """Forget a shot and what was put away of it."""
        del self._shots[name]
        self._files.pop(name).unlink(missing_ok=True)

    def resident(self) -> list[str]:
        """Return the names of the shots whose carry is in memory, least recently used first."""
        return [name for name, state in self._shots.items() if state.carries]

    def close(self) -> None:
        """Forget every shot and delete what was put away."""
        self._shots.clear()
        self._files.clear()
        self._temporary.cleanup()

    def _wake(self, name: str, state: ShotState) -> None:
        path = self._files[name]
        if not state.carries and path.is_file():
            state.resume(self._network, read_state(path).arrays)
            path.unlink()

    def _make_room(self, keep: str) -> None:
        for name in self.resident():
            if self._used() <= self._budget:
                return
            if name != keep:
                self._put_away(name)

    def _used(self) -> int:
        carries = (carry for state in self._shots.values() for carry in state.carries.values())
        return sum(_size(self._network.fetch(carry)) for carry in carries)

    def _put_away(self, name: str) -> None:
        state = self._shots[name]
        arrays = state.release(self._network)
        if arrays is not None:
            write_state(self._files[name], SavedState(state.key, state.frame or 0, arrays, {}))


def _size(arrays: Mapping[str, NDArray[np.float32]]) -> int:
    return sum(array.nbytes for array in arrays.values())
