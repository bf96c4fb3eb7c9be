"""What the journals beside an output say of where its holes' pixels came from."""

from __future__ import annotations

from ..clips.sequence import FileSequence
from ..errors import StateError
from .folder import journals_of, output_folder
from .journal import Journal
from .origins import Origins


def noted_origins(output: FileSequence) -> dict[int, Origins]:
    """Return, by frame, where the pixels of its hole came from.

    Frames without a hole, frames that were never noted and frames that changed since are left out; a journal
    that can't be read says nothing.
    """
    found: dict[int, Origins] = {}
    for path in journals_of(output_folder(output)):
        try:
            key = Journal(path, {}).found_key()
            entries = None if key is None else Journal(path, key).read()
        except StateError:
            continue
        for entry in entries or []:
            file = output.path(entry.frame)
            if entry.origins and (not file.exists() or entry.is_whole(file)):
                found[entry.frame] = entry.origins
    return found
