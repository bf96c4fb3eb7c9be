"""A plate or a matte as a run of frames, whether it is an image sequence, a still or a movie file."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from ..disk.fingerprint import Fingerprint
from ..errors import InputError, MissingFramesError
from ..images import (
    Header,
    Matte,
    Plate,
    Storage,
    Window,
    matte_from,
    read_header,
    read_matte,
    read_plate,
    stored,
)
from ..images.formats import MOVIE_EXTENSIONS
from .listing import what_is_there
from .movie_read import MovieReader, is_movie
from .sequence import FileSequence, FrameRange, compact, has_token

_PRINTS = 512
"""Of so many frames the fingerprints are remembered: who reads and who paints asks for the same."""


class Clip(Protocol):
    """Numbered pictures."""

    @property
    def name(self) -> str:
        """How the clip is called in messages."""
        ...

    @property
    def is_still(self) -> bool:
        """Whether one picture serves every frame."""
        ...

    def frames(self) -> list[int]:
        """Return the frames that are there, ascending; none for a still, which serves any."""
        ...

    def path(self, frame: int) -> Path:
        """Return the file that holds a frame."""
        ...

    def header(self, frame: int) -> Header:
        """Return a frame's size, windows, channels and types. Raises ImageError."""
        ...

    def plate(self, frame: int) -> Plate:
        """Read a frame as a plate. Raises ImageError."""
        ...

    def matte(self, frame: int, channel: str, plate: Header | None = None) -> Matte:
        """Read a frame as a matte, of a plate where one is given. Raises ImageError."""
        ...

    def fingerprint(self, frame: int) -> Fingerprint:
        """Return what the frame's file is like now. Raises ImageError."""
        ...

    def again(self) -> Clip:
        """Return the same clip with a place of its own, for reading it in two places at once."""
        ...


@dataclass(frozen=True)
class Reading:
    """How plates are taken from their files.

    Attributes:
        view: of stereo pictures, the one to fill; empty for the first.
        storage: how the output will be stored, where not as the plate.
        canvas: the box that holds the data windows of all frames, where they differ.
    """

    view: str = ""
    storage: Storage = field(default_factory=Storage)
    canvas: Window | None = None

    def applied(self, plate: Plate) -> Plate:
        """Return a plate that was read as it is wanted."""
        plate = plate if self.canvas is None else plate.on(self.canvas)
        return stored(plate, self.storage) if self.storage.is_given else plate


def open_clip(pattern: str, reading: Reading | None = None) -> Clip:
    """Open a sequence pattern, a folder that holds one sequence, a still, or a movie file.

    Args:
        pattern: which.
        reading: how its plates are taken from their files.

    Raises:
        InputError: the pattern can't be understood.
        MissingFramesError: there is no such file or no frame at all.
    """
    path = Path(pattern)
    if is_movie(path):
        if not path.is_file():
            raise MissingFramesError(f"Movie {path} is not there; {what_is_there(path, MOVIE_EXTENSIONS)}")
        return MovieClip(path, reading)
    if pattern.strip() and not (has_token(path.name) or path.suffix or path.exists()):
        raise MissingFramesError(
            f"There is no file or folder {path}; {what_is_there(path)} Give a sequence such as "
            "name.####.exr, a folder that holds one, or a movie."
        )
    clip = SequenceClip(FileSequence.parse(pattern), reading)
    if clip.is_still and not clip.path(0).is_file():
        raise MissingFramesError(f"{clip.name} is not there; {what_is_there(path)}")
    if not clip.is_still and not clip.frames():
        raise MissingFramesError(f"No frame of {clip.name} is on disk; {what_is_there(path)}")
    return clip


def open_plate(pattern: str, asked: FrameRange | None, reading: Reading | None = None) -> Clip:
    """Open a clip that is filled: as `open_clip`, but a single picture is a shot of one frame.

    Args:
        pattern: which.
        asked: the frame range that was asked for; None for all.
        reading: how its plates are taken from their files.

    Returns:
        A clip with frames of its own. A single picture's is the number in its name, else the one that is
        asked for, else 1.

    Raises:
        InputError: several frames are asked of a single picture; or as `open_clip`.
    """
    clip = open_clip(pattern, reading)
    if not (isinstance(clip, SequenceClip) and clip.is_still):
        return clip
    if asked is not None and len(asked) > 1:
        raise InputError(
            f"Plate {clip.name} is a single picture and frames {asked} are asked for; give a sequence such "
            "as name.####.exr, or leave --frames out."
        )
    frame = clip.sequence.number
    if frame is None:
        frame = 1 if asked is None else asked.first
    return SequenceClip(clip.sequence.as_frame(frame), reading)


def missing_frames(clip: Clip, first: int, last: int) -> FrameRange:
    """Return the frames of a range that a clip has not; costs nothing for a range far too long."""
    if clip.is_still:
        return FrameRange(())
    there = [first - 1, *(frame for frame in clip.frames() if first <= frame <= last), last + 1]
    gaps = ((before + 1, after - 1) for before, after in pairwise(there))
    return FrameRange(tuple((low, high) for low, high in gaps if low <= high))


def check_frames(clip: Clip, first: int, last: int, what: str) -> str | None:
    """Return one clause that lists what is missing of a clip, None when nothing is."""
    missing = missing_frames(clip, first, last)
    if not missing.spans:
        return None
    there = clip.frames()
    found = f"on disk are {compact(there)}" if there else "none is on disk"
    return f"{what} {clip.name} lacks frames {missing} ({found})"


def holds(pattern: str, path: Path) -> bool:
    """Whether `path` is a file of the clip that `pattern` names; False for a pattern that names none."""
    with contextlib.suppress(InputError):
        if is_movie(Path(pattern)):
            return Path(pattern).resolve() == path.resolve()
        return FileSequence.parse(pattern).same_files(FileSequence(path.parent, path.name, "", None))
    return False


class SequenceClip:
    """A numbered sequence or a still on disk."""

    def __init__(self, sequence: FileSequence, reading: Reading | None = None) -> None:
        self.sequence = sequence
        self._reading = reading or Reading()
        self._still: Fingerprint | None = None
        self._prints: dict[int, Fingerprint] = {}
        self._printing = threading.Lock()
        self._still_matte: tuple[str, Matte] | None = None

    @property
    def name(self) -> str:
        """The pattern."""
        return str(self.sequence)

    @property
    def is_still(self) -> bool:
        """Whether one picture serves every frame."""
        return self.sequence.is_still

    def frames(self) -> list[int]:
        """Return the frames on disk."""
        return self.sequence.frames_on_disk()

    def path(self, frame: int) -> Path:
        """Return the frame's file."""
        return self.sequence.path(frame)

    def header(self, frame: int) -> Header:
        """Read a frame's header."""
        return read_header(self.path(frame), self._reading.view)

    def plate(self, frame: int) -> Plate:
        """Read a frame with all it holds."""
        return self._reading.applied(read_plate(self.path(frame), self._reading.view))

    @property
    def has_canvas(self) -> bool:
        """Whether the data windows differ, so that the pictures are laid on a canvas."""
        return self._reading.canvas is not None

    def again(self) -> SequenceClip:
        """Return itself: every frame is a file."""
        return self

    def on_canvas(self, canvas: Window) -> SequenceClip:
        """The same pictures, each laid on a canvas that holds the data windows of all."""
        return SequenceClip(self.sequence, replace(self._reading, canvas=canvas))

    def matte(self, frame: int, channel: str, plate: Header | None = None) -> Matte:
        """Read a frame as a matte; a still is read once."""
        if not self.is_still:
            return read_matte(self.path(frame), channel, plate)
        if self._still_matte is None or self._still_matte[0] != channel:
            self._still_matte = channel, read_matte(self.path(frame), channel, plate)
        return self._still_matte[1]

    def fingerprint(self, frame: int) -> Fingerprint:
        """Take the fingerprint of a frame's file, unless it is known and the file as it was."""
        if not self.is_still:
            return self._printed(frame)
        if self._still is None:
            self._still = Fingerprint.of(self.path(frame))
        return self._still

    def _printed(self, frame: int) -> Fingerprint:
        path, known = self.path(frame), self._prints.get(frame)
        if known is not None and known.is_of(path):
            return known
        found = Fingerprint.of(path)
        with self._printing:
            while len(self._prints) >= _PRINTS:
                del self._prints[next(iter(self._prints))]
            self._prints[frame] = found
        return found


class MovieClip:
    """A movie file; its frames are numbered from 1."""

    def __init__(self, path: Path, reading: Reading | None = None) -> None:
        self._path = path
        self._reading = reading or Reading()
        if self._reading.view:
            raise InputError(f"Movie {path} has no views; leave --view out.")
        self._reader = MovieReader(path)
        self._print: Fingerprint | None = None
        self._header: Header | None = None

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def is_still(self) -> bool:
        """A movie has frames of its own."""
        return False

    def frames(self) -> list[int]:
        """Return every frame."""
        return list(self._reader.frames)

    def path(self, frame: int) -> Path:
        """Return the movie file, whatever the frame."""
        return self._path

    def header(self, frame: int) -> Header:
        """Return the movie's header, which is the same for every frame."""
        if self._header is None:
            self._header = self._reader.read(frame).header
        return self._header

    def plate(self, frame: int) -> Plate:
        """Decode a frame."""
        return self._reading.applied(self._reader.read(frame))

    def matte(self, frame: int, channel: str, plate: Header | None = None) -> Matte:
        """Decode a frame and take the matte from it."""
        return matte_from(self._reader.read(frame), channel)

    def again(self) -> MovieClip:
        """Open the movie once more: going back and forth in one would decode it over and over."""
        return MovieClip(self._path, self._reading)

    def fingerprint(self, frame: int) -> Fingerprint:
        """Take the fingerprint of the whole file, once: any change in it may change any frame."""
        if self._print is None:
            self._print = Fingerprint.of(self._path)
        return self._print
