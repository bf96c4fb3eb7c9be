"""A movie that is on disk already: whose it is, and what it was made of, by the note beside it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..clips.clip import open_clip
from ..clips.movie_read import MovieReader
from ..disk.atomic import replacing
from ..disk.bounded import load_json
from ..disk.fingerprint import Fingerprint
from ..disk.regular import read_regular
from ..errors import ImageError
from ..job.settings import Settings, Shot, matte_names
from ..state.folder import movie_note
from ..state.key import chosen, same_choice
from .reference_files import find_references
from .sources import plate_of


@dataclass(frozen=True)
class MadeMovie:
    """A movie on disk.

    Attributes:
        kind: `made` as it was noted; `older`, of ours and to be replaced when a kill came; `damaged`, of
            ours and no movie any more; `edited` since, or of no render of ours; `missing`.
        about: what it was made of, as it was noted.
        paint: the painted key frames that it took, and the mark of each.
    """

    kind: Literal["made", "older", "damaged", "edited", "missing"]
    about: Mapping[str, object] = field(default_factory=dict)
    paint: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_precious(self) -> bool:
        """Whether it is never replaced unless that is asked for."""
        return self.kind == "edited"

    def is_made_of(self, about: Mapping[str, object], shot: Shot, settings: Settings) -> bool:
        """Whether it is there, whole and of these very inputs, and no key frame was mended since."""
        if self.kind != "made" or any(mark(Path(file)) != noted for file, noted in self.paint.items()):
            return False
        asked: dict[str, Shot | Settings] = {"shot": shot, "settings": settings}
        if not all(same_choice(self.about.get(part), fields) for part, fields in asked.items()):
            return False
        return bool({**self.about, **{part: about[part] for part in asked}} == about)


def look_at_movie(path: Path) -> MadeMovie:
    """Say whose the movie at a path is."""
    if not os.path.lexists(path):
        return MadeMovie("missing")
    known: object = None
    with contextlib.suppress(OSError, ValueError):
        known = load_json(read_regular(movie_note(path)).decode("utf-8"), str(movie_note(path)))
    if not isinstance(known, dict):
        return MadeMovie("edited")
    movie, standing, paint = (known.pop(part, None) for part in ("movie", "standing", "paint"))
    if _is_as_noted(path, movie):
        return MadeMovie("made", known, paint if isinstance(paint, dict) else {})
    if _is_as_noted(path, standing):
        return MadeMovie("older", known)
    return MadeMovie("edited" if _is_movie(path) else "damaged", known)


def movie_about(shot: Shot, settings: Settings, model_id: str) -> dict[str, object]:
    """Return what a movie is made of: settings, model, and size and time of every input file."""
    clips = [plate_of(shot), *map(open_clip, matte_names(shot))]
    files = {str(clip.path(frame)) for clip in clips for frame in clip.frames() or [0]}
    files |= set(map(str, find_references(shot.reference).values()))
    return {
        "shot": chosen(shot),
        "settings": chosen(settings),
        "model": model_id,
        "inputs": {file: mark(Path(file)) for file in sorted(files)},
    }


def note_movie(
    path: Path, about: Mapping[str, object], movie: Path, standing: list[int], paint: Iterable[Path] = ()
) -> None:
    """Note what a movie was made of, right before it takes its name.

    Args:
        path: its name.
        about: from `movie_about`.
        movie: the whole file, under its temporary name.
        standing: mark of the file that stands there until then.
        paint: the key frames that it took.

    Raises:
        WriteError: the disk does not take the note.
    """
    told = {**about, "movie": [*mark(movie), Fingerprint.of(movie).digest], "standing": standing}
    told["paint"] = {str(file): mark(file) for file in sorted(paint)}
    with replacing(movie_note(path)) as temporary:
        temporary.write_text(json.dumps(told), "utf-8")


def mark(path: Path) -> list[int]:
    """Return size and modification time in nanoseconds; a file that is gone has neither."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _is_as_noted(path: Path, noted: object) -> bool:
    """Whether a movie is as noted: by size and time, or by its content where that is noted."""
    size, modified, digest = [*noted, None, None, ""][:3] if isinstance(noted, list) else (None, None, "")
    if not isinstance(size, int) or not isinstance(modified, int):
        return False
    return Fingerprint(size, modified, digest if isinstance(digest, str) else "").still_holds(path)


def _is_movie(path: Path) -> bool:
    try:
        with MovieReader(path) as reader:
            reader.read(reader.frames.last)
    except ImageError:
        return False
    return True
