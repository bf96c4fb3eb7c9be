"""What a render has read, by fingerprints: for its journal, and for the states that it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from ..disk.fingerprint import Fingerprint
from .journal import Entry

Prints = Mapping[int, Mapping[str, Fingerprint]]
"""Fingerprints of plate, matte and painted key frame, by frame."""


class InputLog:
    """The inputs of one render.

    Args:
        reach: how many frames before a step later ones may look at: their inputs belong to the state.
    """

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._digests: dict[int, str] = {}
        self._unnoted: dict[int, Mapping[str, Fingerprint]] = {}

    @property
    def digests(self) -> dict[int, str]:
        """Digests of the inputs that later steps read again, by frame: what a state was made with."""
        return dict(self._digests)

    def recall(self, handed_in: Mapping[int, str], entries: Iterable[Entry], start: int) -> None:
        """Remember what went into the state that a render goes on from.

        Args:
            handed_in: digests that a handed-in state names.
            entries: of the journal.
            start: the first frame that is rendered.
        """
        self._digests.update(handed_in)
        oldest = start - 1 - self._reach
        for entry in entries:
            if entry.frame < start:
                near = {frame: marks for frame, marks in entry.inputs.items() if frame >= oldest}
                self._digests.update(_digests(near))

    def add(self, position: int, prints: Prints) -> None:
        """Take in what was read for a step at a place on the time line."""
        for frame, marks in prints.items():
            self._unnoted[frame] = {**self._unnoted.get(frame, {}), **marks}
        self._digests.update(_digests(prints))
        oldest = position - self._reach
        self._digests = {frame: digest for frame, digest in self._digests.items() if frame >= oldest}

    def take_unnoted(self) -> Prints:
        """Return what was read since this was last asked: what the journal notes with the next frame."""
        unnoted, self._unnoted = self._unnoted, {}
        return unnoted


def _digests(prints: Prints) -> dict[int, str]:
    """Return the digests of those frames whose plate was read: a painted key frame follows from plates."""
    return {frame: input_digest(marks) for frame, marks in prints.items() if "plate" in marks}


def input_digest(marks: Mapping[str, Fingerprint]) -> str:
    """Return one digest of a frame's plate and mattes, wherever their files lie."""
    joined = "".join(marks[kind].digest for kind in ("plate", "matte", "shadow") if kind in marks)
    return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()
