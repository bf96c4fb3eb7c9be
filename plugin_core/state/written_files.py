"""Whose the files of an output are: those that renders of ours have written, by all journals beside them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from ..disk.fingerprint import Fingerprint
from .folder import journals_of
from .journal import files_noted, is_file_of, patches_noted


class WrittenFiles:
    """What the journals of an output and of its chunks know of its files.

    Args:
        root: the output's state folder.
        patches: whether its patches are meant, in place of its frames.

    Attributes:
        kept: frames whose file is someone else's, and was left as it was found.
    """

    def __init__(self, root: Path, *, patches: bool = False) -> None:
        self._known: defaultdict[int, list[Fingerprint]] = defaultdict(list)
        self.kept: set[int] = set()
        for journal in journals_of(root):
            for frame, file in patches_noted(journal) if patches else files_noted(journal):
                self._known[frame] += [] if file is None else [file]
                (self.kept.add if file is None else self.kept.discard)(frame)

    def __contains__(self, frame: int) -> bool:
        """Whether any journal speaks of a frame."""
        return frame in self._known

    def of(self, frame: int, path: Path) -> Fingerprint | None:
        """Return the note that the file at `path` fits; None when it is not as a render left it."""
        return next((file for file in reversed(self._known.get(frame, [])) if is_file_of(file, path)), None)
