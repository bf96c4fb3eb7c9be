"""Frame ranges, and the file names of numbered image sequences.

Nothing here opens a picture. A frame number is any integer; a sequence is a folder, a name with one frame
token (``####``, ``@@@@`` or ``%04d``) and an extension, or a single still that serves every frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from .frame_range import FRAME_LIMIT, FrameRange, compact
from .listing import Listed, listed, names_in, pictures_in, told

__all__ = ["FileSequence", "FrameRange", "compact", "has_token"]

_TOKEN = re.compile(r"#+|@+|%0?\d*d", re.ASCII)
_MOST_PADDING = 32


@dataclass(frozen=True)
class FileSequence:
    """The file names of a numbered image sequence, or of one still.

    ``head`` and ``tail`` are the parts of the name around the frame number, ``padding`` its least width;
    a still has the whole name in ``head`` and no padding. ``only`` is the one frame that a single picture is,
    where it is not a still that serves every frame.
    """

    folder: Path
    head: str
    tail: str
    padding: int | None
    only: int | None = None

    @classmethod
    def parse(cls, pattern: str | Path) -> FileSequence:
        """Read ``plate.####.exr``, ``plate.@@@@.exr``, ``plate.%04d.exr``, a folder or one file's name.

        One ``#`` or ``@`` stands for one digit, and a number may be wider than its token. A folder must hold
        exactly one numbered sequence (or one picture); files that are no pictures don't count. A name without
        a token is a still, digits or not.
        Raises InputError when there are several tokens, no extension, or nothing that can be told apart.
        """
        path = Path(pattern)
        if not str(pattern).strip():
            raise InputError(
                "The name of the picture sequence is empty; expected for example plate.####.exr."
            )
        if path.is_dir():
            return _only_sequence_in(path)
        return _from_name(path)

    @property
    def is_still(self) -> bool:
        """Whether one file serves every frame."""
        return self.padding is None and self.only is None

    @property
    def number(self) -> int | None:
        """The number in a single picture's name; None where it has none."""
        frames = [] if self.padding is not None else Listed.of(self.head).frames
        return frames[0] if frames else None

    def as_frame(self, frame: int) -> FileSequence:
        """A single picture as a sequence of one frame."""
        return replace(self, only=frame)

    @property
    def pattern(self) -> str:
        """The whole path with ``#`` for the digits (``%d`` where the number is not padded)."""
        if self.padding is None:
            return str(self.folder / self.head)
        return str(self.folder / f"{self.head}{'#' * self.padding}{self.tail}")

    @property
    def extension(self) -> str:
        """The file extension in lower case, with its dot."""
        return Path(self.head + self.tail if self.padding is None else f"x{self.tail}").suffix.lower()

    def path(self, frame: int) -> Path:
        """The file of one frame; a negative number is written as printf does (``%04d`` of -5 is ``-005``)."""
        if self.padding is None:
            return self.folder / self.head
        return self.folder / f"{self.head}{frame:0{self.padding}d}{self.tail}"

    def frames_on_disk(self) -> list[int]:
        """The frames whose files are there, ascending; none for a still that serves every frame.

        A number counts only when written as :meth:`path` writes it: ``####`` finds ``0001`` and ``10000``,
        never ``1`` or ``00001``. Raises InputError when the folder can't be listed.
        """
        if self.padding is None:
            return [] if self.only is None or not self.path(self.only).is_file() else [self.only]
        name = re.compile(f"{re.escape(self.head)}(-?[0-9]+){re.escape(self.tail)}")
        found = (name.fullmatch(text) for text in names_in(self.folder))
        numbers = ((int(match[1]), match[1]) for match in found if match)
        return sorted(
            frame
            for frame, text in numbers
            if f"{frame:0{self.padding}d}" == text and abs(frame) <= FRAME_LIMIT
        )

    def missing(self, frames: Iterable[int]) -> list[int]:
        """Those of the given frames that have no file, ascending."""
        if self.is_still:
            return [] if self.path(0).is_file() else sorted(set(frames))
        return sorted(set(frames) - set(self.frames_on_disk()))

    def same_files(self, other: FileSequence) -> bool:
        """Whether the two may name the same file for some frame (used to protect a plate from its output)."""
        if _resolved(self.folder) != _resolved(other.folder):
            return False
        if self.padding is not None and other.padding is not None:
            return (self.head, self.tail) == (other.head, other.tail)
        if self.padding is None and other.padding is None:
            return self.head == other.head
        still, numbered = (self, other) if self.padding is None else (other, self)
        middle = still.head[len(numbered.head) : len(still.head) - len(numbered.tail)]
        return f"{numbered.head}{middle}{numbered.tail}" == still.head and bool(
            re.fullmatch(r"-?\d+", middle)
        )

    def __str__(self) -> str:
        return self.pattern


def has_token(name: str) -> bool:
    """Whether a name has a place for frame numbers."""
    return bool(_TOKEN.search(name))


def _from_name(path: Path) -> FileSequence:
    name = path.name
    if "%V" in name or "%v" in name:
        raise InputError(
            f"'{path}' names stereo views with %V; give one view at a time, for example plate_left.####.exr."
        )
    tokens = list(_TOKEN.finditer(name))
    if len(tokens) > 1:
        raise InputError(f"'{path}' has several frame tokens ({', '.join(t[0] for t in tokens)}); leave one.")
    tail = name[tokens[0].end() :] if tokens else name
    if not Path(f"x{tail}" if tokens else tail).suffix:
        raise InputError(
            f"'{path}' has no file extension after its name; expected for example plate.####.exr."
        )
    if not tokens:
        return FileSequence(path.parent, name, "", None)
    return FileSequence(path.parent, name[: tokens[0].start()], tail, _padding(tokens[0][0], path))


def _padding(token: str, path: Path) -> int:
    digits = token[1:-1]
    if len(token) > _MOST_PADDING or (token.startswith("%") and int(digits or 1) > _MOST_PADDING):
        raise InputError(
            f"A sequence pads its frame numbers to {token[:12]}...; {_MOST_PADDING} digits are most."
        )
    if not token.startswith("%"):
        return len(token)
    if digits and not digits.startswith("0"):
        raise InputError(f"'{path}' pads its frame numbers with spaces ({token}); write %0{digits}d.")
    return max(1, int(digits or 1))


def _only_sequence_in(folder: Path) -> FileSequence:
    found = pictures_in(folder)
    if not found:
        others = listed(names_in(folder))
        raise InputError(
            f"Folder '{folder}' should hold exactly one picture sequence, and holds "
            f"{f'no pictures but {told(others)}' if others else 'no files'}."
        )
    if len(found) > 1:
        raise InputError(
            f"Folder '{folder}' should hold exactly one picture sequence, and holds {told(found)}; name one, "
            f"for example {folder / found[0].name}."
        )
    only = found[0]
    if not only.numbers:
        return FileSequence(folder, only.head, "", None)
    if only.padding is None:
        raise InputError(
            f"Folder '{folder}' mixes paddings of '{only.head}#{only.tail}'; name the sequence with a "
            "pattern."
        )
    return FileSequence(folder, only.head, only.tail, only.padding)


def _resolved(folder: Path) -> Path:
    return folder.resolve()
