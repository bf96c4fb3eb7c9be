"""Hand a shot's state from one chunk to the next: whose it is, and that its pictures are still the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..disk.fingerprint import Fingerprint
from ..errors import MissingFramesError, StateError
from ..state.saved_state import SavedState, read_state
from .sources import Sources


def read_handed_in(path: Path, sources: Sources) -> SavedState:
    """Read the state after the frame before the range.

    Raises:
        StateError: the file is missing or damaged, or stands at another frame.
    """
    saved = read_state(path)
    if saved.frame != sources.first - 1:
        raise StateError(
            f"State file {path} stands after frame {saved.frame}, the range begins at "
            f"{sources.first}; expected a state after frame {sources.first - 1}."
        )
    return saved


def check_inputs(saved: SavedState, path: Path, sources: Sources) -> None:
    """Check that a state was made with the pictures that are on disk now.

    Raises:
        MissingFramesError: a frame that the state was made with is gone.
        StateError: a frame differs; says which.
    """
    for frame, digest in saved.inputs.items():
        if not sources.lower <= frame <= sources.upper:
            raise MissingFramesError(
                f"Frame {frame} of plate or matte is missing; the state in {path} was made with it, and the "
                "fill goes on from it."
            )
        marks = {"plate": sources.plate.fingerprint(frame), "matte": sources.matte.fingerprint(frame)}
        if input_digest(marks) != digest:
            raise StateError(
                f"State file {path} was made with another plate or matte: frame {frame} differs."
            )


def input_digest(marks: Mapping[str, Fingerprint]) -> str:
    """Return one digest of a frame's plate and matte, wherever their files lie."""
    joined = "".join(marks[kind].digest for kind in ("plate", "matte"))
    return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()
