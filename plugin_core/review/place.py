"""Where a page and its pictures go: a folder, or one file with everything in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence
from ..disk.folders import make_folder
from ..errors import InputError, WriteError
from .pictures import Layer

PAGE = "review.html"
_FRAMES = "frames"
_OURS = b'content="Cleanplate review"'
_PICTURE = re.compile(r"-?[0-9]+\.[a-z]+\.webp")


class Place(Protocol):
    """Where a page and its pictures go."""

    page: Path

    def keep(self, frame: int, layer: Layer) -> None:
        """Take one picture of a frame."""
        ...

    def contents(self) -> Iterator[tuple[str, str]]:
        """Yield names and base64 of the pictures that stand in the page itself."""
        ...

    def tidy(self) -> None:
        """Remove what an earlier page left and this one does not show."""
        ...


class Folder:
    """A folder with the page and a folder of pictures.

    Raises:
        InputError: a file has its name, or something else than a page has the page's.
        WriteError: it can't be made.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; --output takes a folder, or with --single-file an .html.")
        self.page = folder / PAGE
        self._frames = folder / _FRAMES
        self._kept: set[str] = set()
        _check_ours(self.page)
        _made(self._frames)

    def keep(self, frame: int, layer: Layer) -> None:
        """Write a picture under the name that the page knows it by."""
        name = picture_name(frame, layer.name)
        self._kept.add(name)
        try:
            (self._frames / name).write_bytes(layer.data)
        except OSError as error:
            raise WriteError(f"Can't write {self._frames / name}: {error.strerror or error}.") from error

    def contents(self) -> Iterator[tuple[str, str]]:
        """Yield nothing: the pictures lie beside the page."""
        return iter(())

    def tidy(self) -> None:
        """Remove the pictures of an earlier page."""
        for path in self._frames.iterdir():
            if _PICTURE.fullmatch(path.name) and path.name not in self._kept:
                path.unlink(missing_ok=True)


class OneFile:
    """A page with its pictures in it.

    Raises:
        InputError: something else than a page has its name.
        WriteError: its folder can't be made.
    """

    def __init__(self, page: Path) -> None:
        if page.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"--single-file writes an .html file, got --output {page}.")
        self.page = page
        self._kept: list[tuple[str, str]] = []
        _check_ours(page)
        _made(page.parent)

    def keep(self, frame: int, layer: Layer) -> None:
        """Hold a picture until the page is written."""
        data = base64.b64encode(layer.data).decode("ascii")
        self._kept.append((picture_name(frame, layer.name), data))

    def contents(self) -> Iterator[tuple[str, str]]:
        """Yield the pictures, first frames first."""
        return iter(self._kept)

    def tidy(self) -> None:
        """Do nothing: there is nothing beside the page."""


def place_of(output: str, asked: str | None = None, *, single_file: bool = False) -> Place:
    """Return where the page of a shot goes.

    Args:
        output: of the shot: a sequence, a folder or a movie.
        asked: a folder, or with `single_file` an .html; None for ``NAME.review`` beside the output.
        single_file: whether the pictures stand in the page.

    Raises InputError, WriteError: see `Folder` and `OneFile`.
    """
    if asked is None:
        asked = str(_beside(output)) + (".html" if single_file else "")
    return OneFile(Path(asked)) if single_file else Folder(Path(asked))


def picture_name(frame: int, layer: str) -> str:
    """Return the file name of a picture; the page's script makes the same."""
    return f"{frame}.{layer}.webp"


def _beside(output: str) -> Path:
    path = Path(output)
    if is_movie(path):
        return path.with_name(f"{path.stem}.review")
    if path.is_dir() or not path.suffix:
        return path / "review"
    sequence = FileSequence.parse(path)
    name = sequence.head if sequence.padding is not None else path.stem
    return sequence.folder / f"{name.rstrip('._- ') or 'clean'}.review"


def _check_ours(page: Path) -> None:
    if not page.exists():
        return
    try:
        with page.open("rb") as stream:
            head = stream.read(2000)
    except OSError as error:
        raise InputError(f"Can't read {page}: {error.strerror or error}.") from error
    if _OURS not in head:
        raise InputError(f"{page} is there already and is no page of a review; give another --output.")


def _made(folder: Path) -> None:
    try:
        make_folder(folder)
    except OSError as error:
        raise WriteError(f"Folder {folder} can't be made ({error.strerror or error}).") from error
