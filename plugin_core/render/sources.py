"""The pictures of a shot, opened and checked: plate, matte, frame range, and where the output goes."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..clips.clip import Clip, MovieClip, Reading, check_frames, open_clip
from ..clips.headers import check_headers
from ..clips.sequence import FileSequence, FrameRange
from ..disk.folders import make_folder
from ..errors import InputError, MissingFramesError, WriteError
from ..images import Header, Storage, formats_lossy, output_notes
from ..job.settings import Settings, Shot
from ..regions.shot_mattes import ShotMattes


@dataclass(frozen=True)
class Sources:
    """The opened inputs of a shot and where its output goes.

    Attributes:
        plate, matte: the clips.
        output: the sequence that is written.
        begins: the shot's first frame.
        first, last: the rendered range: the shot's, or a chunk's inside it.
        lower, upper: frames that can be read, handles included.
        header: of the plate's first rendered frame.
        notes: sentences the user should see.
        storage: how the output is stored where not as the plate is.
    """

    plate: Clip
    matte: Clip
    output: FileSequence
    begins: int
    first: int
    last: int
    lower: int
    upper: int
    header: Header
    notes: tuple[str, ...]
    storage: Storage = field(default_factory=Storage)


def open_sources(shot: Shot, chunk: str | None = None, *, dry: bool = False) -> Sources:
    """Find the pictures of a shot and check that they can be rendered.

    Args:
        shot: where they are.
        chunk: the part of its frames to render; None for all. What is checked does not depend on it.
        dry: make no folder for the output and try no file in it.

    Raises:
        InputError: bad range, or an output that would overwrite an input.
        WriteError: the output folder can't be written to.
        MissingFramesError: frames of plate or matte are missing; all are listed.
        ImageError: pictures that can't be read, or sizes that differ.
    """
    storage = Storage(shot.compression, shot.bit_depth)
    plate, matte = open_clip(shot.plate, Reading(shot.view or "", storage)), open_clip(shot.matte)
    if plate.is_still:
        raise InputError(
            f"Plate {plate.name} is a single picture; give a sequence such as name.####.exr, or a movie."
        )
    first, last = _range(shot, plate)
    _check_complete(plate, matte, first, last)
    output = output_of(shot.output, lambda: plate)
    _check_output(output, plate, matte)
    _check_folder(output.folder, dry)
    lower, upper = _readable(plate, matte, first, last)
    plate, header = check_headers(plate, range(lower, upper + 1))
    notes = output_notes(header, output.extension, storage)
    if output.extension != Path(shot.output).suffix.lower() and formats_lossy(plate.path(first).suffix):
        notes += (
            f"Output is {output.extension}: the plate's own format is lossy, written again it changes.",
        )
    part = _part(chunk, first, last)
    return Sources(plate, matte, output, first, *part, lower, upper, header, notes, storage)


def mattes_of(sources: Sources, settings: Settings, cuts: tuple[int, ...]) -> ShotMattes:
    """Return what gives the hole of any readable frame of a shot."""
    return ShotMattes(
        sources.matte, sources.header, settings, lower=sources.lower, upper=sources.upper, cuts=cuts
    )


def _range(shot: Shot, plate: Clip) -> tuple[int, int]:
    asked = shot.frame_range()
    if asked is None:
        there = plate.frames()
        return there[0], there[-1]
    if len(asked) != asked.last - asked.first + 1:
        raise InputError(
            f"Frame range {shot.frames} has gaps; the fill of a frame needs the frames before it, so give "
            "one run of frames, and each further run as a render of its own."
        )
    return asked.first, asked.last


def _part(chunk: str | None, first: int, last: int) -> tuple[int, int]:
    """Return the first and last frame of a chunk of `first`..`last`."""
    if chunk is None:
        return first, last
    part = FrameRange.parse(chunk)
    if len(part) != part.last - part.first + 1 or not first <= part.first <= part.last <= last:
        raise InputError(f"Chunk {chunk} should be one run of frames inside the shot's {first}-{last}.")
    return part.first, part.last


def _check_complete(plate: Clip, matte: Clip, first: int, last: int) -> None:
    lacks = [check_frames(plate, first, last, "plate"), check_frames(matte, first, last, "matte")]
    problem = "; ".join(text for text in lacks if text)
    if problem:
        problem = problem[0].upper() + problem[1:]
        raise MissingFramesError(f"{problem}; supply them or render a shorter --frames range.")


def output_of(text: str, plate: Callable[[], Clip]) -> FileSequence:
    """Return the sequence that is written.

    Args:
        text: a pattern, or a folder.
        plate: asked for where its files' names are those of the output.

    Raises:
        InputError: it names no sequence.
    """
    path = Path(text)
    if path.is_dir() or not path.suffix:
        return FileSequence.parse(path / _own_name(plate()))
    output = FileSequence.parse(path)
    if output.is_still:
        raise InputError(f"Output {text} has no frame number; write it as name.####{path.suffix}.")
    return output


def _own_name(plate: Clip) -> str:
    """Return the plate's file name; PNG in place of a lossy format, which could not keep untouched pixels."""
    if isinstance(plate, MovieClip):
        return f"{Path(plate.name).stem}.####.png"
    name = Path(plate.name)
    return name.with_suffix(".png").name if formats_lossy(name.suffix) else name.name


def _check_output(output: FileSequence, plate: Clip, matte: Clip) -> None:
    for clip, what in ((plate, "plate"), (matte, "matte")):
        sequence = getattr(clip, "sequence", None)
        if sequence is not None and output.same_files(sequence):
            raise InputError(
                f"Output {output} would overwrite the {what}; give another folder or another name."
            )


def _check_folder(folder: Path, dry: bool) -> None:
    try:
        if dry:
            there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
            if not (there.is_dir() and os.access(there, os.W_OK)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WriteError(
            f"Output folder {folder} can't be written to ({error.strerror or error}); "
            "check its permissions or give another."
        ) from error


def _readable(plate: Clip, matte: Clip, first: int, last: int) -> tuple[int, int]:
    """Widen the range to the frames around it that both clips have without a gap."""
    there = set(plate.frames())
    if not matte.is_still:
        there &= set(matte.frames())
    lower, upper = first, last
    while lower - 1 in there:
        lower -= 1
    while upper + 1 in there:
        upper += 1
    return lower, upper
