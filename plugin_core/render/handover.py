"""Hand a shot's state from one chunk to the next: whose it is, and that its pictures are still the same."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..disk.atomic import replacing
from ..disk.folders import make_folder
from ..errors import MissingFramesError, StateError
from ..network.contract import Network
from ..state.checkpoints import Checkpoints
from ..state.input_log import input_digest
from ..state.saved_state import SavedState, carry_digest, read_state, write_state
from ..state.shot_state import ShotState
from .plan import Plan
from .sources import Sources


@dataclass(frozen=True)
class HandedIn:
    """The state after the frame before a chunk.

    Attributes:
        path: its file.
        saved: what it holds.
    """

    path: Path
    saved: SavedState

    @classmethod
    def read(cls, path: Path, sources: Sources) -> HandedIn:
        """Read it.

        Raises:
            StateError: the file is missing or damaged, or stands at another frame.
        """
        saved = read_state(path)
        if saved.frame != sources.first - 1:
            raise StateError(
                f"State file {path} stands after frame {saved.frame}, the range begins at "
                f"{sources.first}; expected a state after frame {sources.first - 1}."
            )
        return cls(path, saved)

    @property
    def digest(self) -> str:
        """Digest of its carry."""
        return carry_digest(self.saved.arrays)

    def load(self, state: ShotState, network: Network, sources: Sources) -> None:
        """Put a shot's state there, after checking that it was made with the pictures that are on disk now.

        Raises:
            MissingFramesError: a frame that it was made with is gone.
            StateError: it is of another shot, model or size, or a frame differs; says which.
        """
        state.load(network, self.path)
        for frame, digest in self.saved.inputs.items():
            if not sources.lower <= frame <= sources.upper:
                raise MissingFramesError(
                    f"Frame {frame} of plate or matte is missing; the state in {self.path} was made with it, "
                    "and the fill goes on from it."
                )
            if input_digest(sources.fingerprints(frame)) != digest:
                raise StateError(
                    f"State file {self.path} was made with another plate or matte: frame {frame} differs."
                )


def hand_on(path: Path, plan: Plan, checkpoints: Checkpoints) -> None:
    """Give the state after the last frame to whoever renders the next chunk. Raises WriteError."""
    last = plan.sources.last
    make_folder(path.parent)
    if not plan.lanes:
        write_state(path, SavedState(plan.key, last, {}, {}))
        return
    with replacing(path) as temporary:
        shutil.copyfile(checkpoints.path(last), temporary)
