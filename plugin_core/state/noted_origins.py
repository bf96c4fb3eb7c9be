"""What the journals beside an output say of where its holes' pixels came from."""

from __future__ import annotations

from ..clips.sequence import FileSequence
from .noted import noted_entries
from .origins import Origins


def noted_origins(output: FileSequence) -> dict[int, Origins]:
    """Return, by frame, where the pixels of its hole came from.

    Frames without a hole, frames that were never noted and frames that changed since are left out; a journal
    that can't be read says nothing.
    """
    found: dict[int, Origins] = {}
    for entry in noted_entries(output):
        file = output.path(entry.frame)
        if entry.origins and (not file.exists() or entry.is_whole(file)):
            found[entry.frame] = entry.origins
    return found
