"""What the journals beside an output say of how its frames were rendered, and how long each took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..clips.sequence import FileSequence
from ..errors import StateError
from .folder import journals_of, output_folder
from .journal import Entry, Journal


def noted_runs(output: FileSequence) -> list[dict[str, str]]:
    """Return version, device and machine of every journal that notes them; chunks have one each."""
    found = []
    for path in journals_of(output_folder(output)):
        try:
            made = Journal(path, {}).found_made()
        except StateError:
            continue
        if made and made not in found:
            found.append(made)
    return found


def noted_seconds(output: FileSequence) -> dict[int, float]:
    """Return how long each frame took, by number; frames of which nobody noted it are left out."""
    return {entry.frame: entry.seconds for entry in noted_entries(output) if entry.seconds}


def noted_entries(output: FileSequence) -> Iterator[Entry]:
    """Yield the entries of all journals of an output; a journal that can't be read has none."""
    for path in journals_of(output_folder(output)):
        yield from entries_of(path)


def entries_of(journal: Path) -> list[Entry]:
    """Return the entries of one journal; none where it can't be read."""
    try:
        key = Journal(journal, {}).found_key()
        return [] if key is None else Journal(journal, key).read() or []
    except StateError:
        return []
