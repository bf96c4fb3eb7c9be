"""What a folder holds, as sequences of pictures: for a folder given as a clip, and for what is not found.

Nothing here opens a picture: names tell.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .frame_range import FRAME_LIMIT, compact

_NAMES = """
    avif bmp bw cin dds dib dpx env exr fits gif hdr heic heics heif hif ico icon iff int inta
    j2c j2k jfi jfif jif jp2 jpc jpe jpeg jpg jph jxl mxr pbm pdd pfm pgm pic png pnm ppm psb
    psd ptex qoi rat rgb rgba rgbe rla sgi sm sxr targa tex tga tif tiff tpic tx vda vsm vst
    webp z zfile 3fr arw cr2 cr3 dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef ptx pxn
    raf raw rdc rw2 sr2 srf srw x3f
"""
PICTURES = frozenset(f".{name}" for name in _NAMES.split())
"""Extensions of pictures, read here or not: anything else beside them (Thumbs.db, notes.txt) is no plate."""

_NUMBERED = re.compile(r"(?P<head>.*?)(?P<frame>(?:(?<![^._])-)?\d+)(?P<tail>\.[^.\d][^.]*)")
_NEAR = 0.6
"""Names as like one another as this are worth asking about."""

_MOST_TOLD = 4


@dataclass(frozen=True)
class Listed:
    """Files of a folder whose names differ in one number; or one file whose name has none.

    ``head`` and ``tail`` stand around the number, as written in ``numbers``; a name without one is all head.
    """

    head: str
    tail: str = ""
    numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str) -> Listed:
        """Take one name apart."""
        match = _NUMBERED.fullmatch(name)
        return cls(name) if match is None else cls(match["head"], match["tail"], (match["frame"],))

    @property
    def padding(self) -> int | None:
        """The least width of the numbers; None where they are padded in different ways."""
        width = min(map(len, self.numbers), default=1)
        return width if all(f"{int(number):0{width}d}" == number for number in self.numbers) else None

    @property
    def frames(self) -> list[int]:
        """The numbers, ascending; those that no frame has are left out."""
        return sorted({int(number) for number in self.numbers if abs(int(number)) <= FRAME_LIMIT})

    @property
    def pattern(self) -> str:
        """The name with ``#`` for the digits."""
        return f"{self.head}{'#' * (self.padding or 1)}{self.tail}" if self.numbers else self.head

    @property
    def name(self) -> str:
        """How to name it: by its pattern, and a single file by its own name."""
        return self.pattern if len(self.numbers) > 1 else f"{self.head}{''.join(self.numbers)}{self.tail}"

    def __str__(self) -> str:
        if len(self.numbers) < 2:
            return self.name
        runs = compact(self.frames)
        told = runs if runs.count(",") < _MOST_TOLD else f"{self.frames[0]} to {self.frames[-1]}, with gaps"
        return f"{self.pattern}, {len(self.numbers)} frames ({told})"


def names_in(folder: Path) -> list[str]:
    """Return what lies in a folder; nothing for one that is not there. Raises InputError."""
    try:
        return [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"Folder '{folder}' can't be listed ({error.strerror}); check its permissions."
        ) from error


def pictures_in(folder: Path, extensions: Collection[str] = PICTURES) -> list[Listed]:
    """Return the sequences and single pictures of a folder, by name; hidden ones don't count.

    Raises InputError.
    """
    there = [name for name in names_in(folder) if Path(name).suffix.lower() in extensions]
    return listed(name for name in there if not name.startswith(".") and (folder / name).is_file())


def listed(names: Iterable[str]) -> list[Listed]:
    """Put names that differ in one number together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in map(Listed.of, names):
        groups.setdefault((one.head, one.tail), []).extend(one.numbers)
    return [Listed(head, tail, tuple(sorted(numbers))) for (head, tail), numbers in sorted(groups.items())]


def told(found: Iterable[object], between: str = "; ") -> str:
    """Return a list in words, the first few of it."""
    words = [str(one) for one in found]
    more = [f"{len(words) - _MOST_TOLD} more"] if len(words) > _MOST_TOLD else []
    return between.join(words[:_MOST_TOLD] + more)


def what_is_there(path: Path, extensions: Collection[str] = PICTURES) -> str:
    """Return a sentence's end: what lies where a file or a sequence was looked for, the nearest first."""
    folder = path.parent
    if not folder.is_dir():
        return _no_folder(folder)
    folders = sorted(name for name in names_in(folder) if _is_folder(folder / name))
    close = difflib.get_close_matches(path.name, folders, 1, _NEAR)
    if close and not path.suffix:
        return f"did you mean the folder {folder / close[0]}?"
    found = pictures_in(folder, extensions)
    near = difflib.get_close_matches(_bare(path.name), [_bare(one.pattern) for one in found], 1, _NEAR)
    for one in found:
        if near == [_bare(one.pattern)]:
            return f"found {one}; did you mean {folder / one.name}?"
    if found:
        return f"{_named(folder)} holds {told(found)}."
    if close:
        return f"did you mean the folder {folder / close[0]}?"
    return f"{_named(folder)} holds " + (f"the folders {told(folders, ', ')}." if folders else "no pictures.")


def _named(folder: Path) -> str:
    return f"folder {folder}" if folder.parts else "this folder"


def _no_folder(folder: Path) -> str:
    there = next((parent for parent in folder.parents if parent.is_dir()), None)
    lacks = f"there is no folder {folder}"
    if there is None:
        return f"{lacks}."
    names = [name for name in names_in(there) if _is_folder(there / name)]
    close = difflib.get_close_matches(folder.relative_to(there).parts[0], names, 1, _NEAR)
    return f"{lacks}; did you mean {there / close[0]}?" if close else f"{lacks}."


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _bare(name: str) -> str:
    """A name without its digits and frame token, in lower case."""
    return re.sub(r"%0?\d*d|[#@\d*]+", "#", name).lower()
