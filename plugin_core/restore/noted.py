"""What a restoration notes of the damage that it finds: a line a frame, beside its journal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence
from ..damage.finder import Damage
from ..disk.regular import read_regular
from ..errors import WriteError
from ..state.folder import finds_path, journals_of, movie_folder, output_folder
from ..state.noted import entries_of
from .find_list import Entry, as_entry

_MOST_BYTES = 1 << 30


class Noted(Entry):
    """One find as it was noted.

    Attributes:
        pixels: how many it has.
        score: 0..1, how sure it is.
        white, contrast: as of a `Find`.
    """

    model_config = ConfigDict(frozen=True)

    pixels: int
    white: bool
    contrast: Annotated[float, Field(allow_inf_nan=False)]
    score: Annotated[float, Field(allow_inf_nan=False)]


class _Line(BaseModel):
    frame: int
    finds: list[Noted]


class FindNotes:
    """The notes of one run.

    Args:
        path: its file; made with the first frame.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def forget(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)

    def add(self, frame: int, damage: Damage) -> None:
        """Note a frame's finds; what was noted of it before counts no more. Raises WriteError."""
        entries = [as_entry(frame, find) for find in damage.finds]
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"frame": frame, "finds": entries}) + "\n")
        except OSError as error:
            raise WriteError(f"Can't write {self._path}: {error.strerror or error}.") from error

    def read(self) -> dict[int, Sequence[Noted]]:
        """Return the finds by frame, ascending; nothing where there are no notes."""
        if not self._path.is_file():
            return {}
        noted: dict[int, Sequence[Noted]] = {}
        for line in read_regular(self._path, _MOST_BYTES).splitlines():
            try:
                told = _Line.model_validate_json(line)
            except ValidationError:
                continue  # cut short by a kill: its frame is made again
            noted[told.frame] = told.finds
        return dict(sorted(noted.items()))


def noted_finds(output: str) -> Mapping[int, Sequence[Noted]]:
    """Return what was found on each frame of an output, a pattern or a movie, by the notes beside it.

    Of a sequence only frames are told that a journal knows.
    """
    if is_movie(output):
        return FindNotes(finds_path(movie_folder(Path(output)))).read()
    noted: dict[int, Sequence[Noted]] = {}
    for journal in journals_of(output_folder(FileSequence.parse(output))):
        there = {entry.frame for entry in entries_of(journal)}
        finds = FindNotes(finds_path(journal.parent)).read()
        noted |= {frame: those for frame, those in finds.items() if frame in there}
    return noted
