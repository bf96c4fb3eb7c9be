"""The pictures of a shot, opened and checked: plate, matte, frame range, and where the output goes."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..clips.clip import Clip, MovieClip, Reading, SequenceClip, check_frames, open_clip, open_plate
from ..clips.headers import check_headers
from ..clips.listing import Listed, pictures_in
from ..clips.sequence import FileSequence, FrameRange
from ..color.color_map import choose_color
from ..disk.fingerprint import Fingerprint
from ..disk.folders import make_folder
from ..errors import InputError, MissingFramesError, WriteError
from ..images import Header, Storage, formats_lossy, output_notes
from ..images.formats import LAYERED, WRITTEN, is_written
from ..images.storage import keeps_codes
from ..job.settings import Settings, Shot
from ..progress.watch import Phase, Watch, unwatched
from ..regions.shot_mattes import ShotMattes
from .reference_files import check_references, find_references


@dataclass(frozen=True)
class Sources:
    """The opened inputs of a shot and where its output goes.

    Attributes:
        plate, matte: the clips.
        output: the sequence that is written.
        begins, ends: the shot's first and last frame.
        first, last: the rendered range: the shot's, or a chunk's inside it.
        lower, upper: frames that can be read, handles included.
        header: of the plate's first rendered frame.
        notes: sentences the user should see.
        storage: how the output is stored where not as the plate is.
        patch: the sequence that the fill alone is written to; None for none.
        layers: what is added to the output, or to the patch where there is one: "patch", "source".
        whole_patch: the patch's files hold all of the plate, and not only the hole's box.
        sample: mattes of what may not be borrowed; None for none.
        shadow: mattes of shadows and reflections, filled too; None for none.
        references: files of reference frames, by the frame that they were painted on.
    """

    plate: Clip
    matte: Clip
    output: FileSequence
    begins: int
    ends: int
    first: int
    last: int
    lower: int
    upper: int
    header: Header
    notes: tuple[str, ...]
    storage: Storage = field(default_factory=Storage)
    patch: FileSequence | None = None
    layers: tuple[str, ...] = ()
    whole_patch: bool = False
    sample: Clip | None = None
    shadow: Clip | None = None
    references: Mapping[int, Path] = field(default_factory=dict)

    @property
    def clips(self) -> dict[str, Clip]:
        """What a frame's pixels are made from, by kind, as journals note it: plate, matte, shadow matte."""
        clips = {"plate": self.plate, "matte": self.matte}
        return clips if self.shadow is None else {**clips, "shadow": self.shadow}

    def fingerprints(self, frame: int) -> dict[str, Fingerprint]:
        """Return what a frame's files are like now, by kind. Raises ImageError."""
        return {kind: clip.fingerprint(frame) for kind, clip in self.clips.items()}

    @property
    def has_one_hole(self) -> bool:
        """Whether all frames have the same: mattes are one still each."""
        return self.matte.is_still and (self.shadow is None or self.shadow.is_still)

    @property
    def own_layers(self) -> tuple[str, ...]:
        """Return the layers that the output itself has."""
        return self.layers if self.patch is None else ()


def open_sources(
    shot: Shot, chunk: str | None = None, *, dry: bool = False, watch: Watch = unwatched
) -> Sources:
    """Find the pictures of a shot and check that they can be rendered.

    Args:
        shot: where they are.
        chunk: the part of its frames to render; None for all. What is checked does not depend on it.
        dry: make no folder for the output and try no file in it.
        watch: told how the plates' headers are read; may raise to stop.

    Raises:
        InputError: bad range, or an output that would overwrite an input.
        WriteError: the output folder can't be written to.
        MissingFramesError: frames of plate or matte are missing; all are listed.
        ImageError: pictures that can't be read, or sizes that differ.
    """
    watch(Phase.FRAMES)
    storage = Storage(shot.compression, shot.bit_depth)
    plate = plate_of(shot, storage)
    matte = open_clip(shot.needed_matte())
    first, last = _range(shot, plate)
    check_complete(plate, matte, first, last)
    sample = None if shot.sample_matte is None else open_clip(shot.sample_matte)
    if sample is not None and (lack := check_frames(sample, first, last, "sample matte")):
        raise MissingFramesError(f"{lack[0].upper()}{lack[1:]}; supply them, or one still for all frames.")
    shadow = None if shot.shadow_matte is None else open_clip(shot.shadow_matte)
    if shadow is not None and (lack := check_frames(shadow, first, last, "shadow matte")):
        raise MissingFramesError(f"{lack[0].upper()}{lack[1:]}; supply them, or one still for all frames.")
    start = plate.header(first)  # what is no picture is told before anything about the output
    output = output_of(shot.output, lambda: plate)
    references = find_references(shot.reference)
    _check_output(output, plate, matte)
    _check_mattes(output, sample, shadow)
    _check_references(output, references)
    _check_folder(output.folder, dry)
    patch = patch_of(shot, plate, output)
    if patch is not None:
        _check_output(patch, plate, matte, "Patch")
        _check_mattes(patch, sample, shadow, "Patch")
        _check_references(patch, references, "Patch")
        _check_folder(patch.folder, dry, "Patch")
    elif shot.layers and output.extension not in LAYERED:
        raise InputError(
            f"Output {output} can't hold the layers {', '.join(shot.layers)}: {output.extension} has none. "
            "Give an .exr output, or a --patch sequence, which takes them."
        )
    mattes = [matte] if shadow is None else [matte, shadow]
    lower, upper = _readable(plate, mattes, first, last)
    if keeps_codes(storage, start):
        color = choose_color(shot.colorspace, start, shot.ocio_config).color
        storage = replace(storage, encoding=color.tag)
        plate = plate_of(shot, storage)
    plate, header = check_headers(plate, range(lower, upper + 1), watch)
    check_references(references, header, lower, upper)
    notes = (*_one_of_many(plate, matte, last > first), *output_notes(header, output.extension, storage))
    own = plate.path(first).suffix.lower()
    if output.extension not in (Path(shot.output).suffix.lower(), own):
        why = "is lossy, written again it changes" if formats_lossy(own) else "is not written here"
        notes += (f"Output is {output.extension}: the plate's own format ({own}) {why}.",)
    part = _part(chunk, first, last)
    where = output, first, last, *part, lower, upper
    beside = patch, shot.layers, shot.patch_window == "plate", sample, shadow, references
    return Sources(plate, matte, *where, header, notes, storage, *beside)


def plate_of(shot: Shot, storage: Storage | None = None) -> Clip:
    """Open a shot's plate, which has frames of its own even where it is a single picture.

    Raises:
        InputError: its name can't be understood, or several frames are asked of a single picture.
        MissingFramesError: there is no such file.
    """
    return open_plate(shot.plate, shot.frame_range(), Reading(shot.view or "", storage or Storage()))


def mattes_of(sources: Sources, settings: Settings, cuts: tuple[int, ...]) -> ShotMattes:
    """Return what gives the hole of any readable frame of a shot."""
    return ShotMattes(
        sources.matte,
        sources.header,
        settings,
        lower=sources.lower,
        upper=sources.upper,
        cuts=cuts,
        shadow=sources.shadow,
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


def check_complete(plate: Clip, matte: Clip, first: int, last: int) -> None:
    """Raise MissingFramesError, which lists every frame of a range that plate or matte lacks."""
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
    inside = path.is_dir() or not path.suffix
    output = FileSequence.parse(path / _own_name(plate()) if inside else path)
    if not is_written(output.extension):
        raise InputError(
            f"Output {text} can't be written: {output.extension} is none of {', '.join(WRITTEN)}; use one of "
            "these."
        )
    if not output.is_still:
        return output
    sequence = _sequence_of(plate())
    if sequence is None or sequence.only is None:
        raise InputError(f"Output {text} has no frame number; write it as {path.stem}.####{path.suffix}.")
    return output.as_frame(sequence.only)


def patch_of(shot: Shot, plate: Clip, output: FileSequence | None = None) -> FileSequence | None:
    """Return the sequence that a shot's fill alone is written to; None where none is asked for.

    Raises:
        InputError: it is no EXR sequence, or the output itself.
    """
    if shot.patch is None:
        return None
    path = Path(shot.patch)
    patch = FileSequence.parse(path / "patch.####.exr" if path.is_dir() or not path.suffix else path)
    only = None if (sequence := _sequence_of(plate)) is None else sequence.only
    if patch.is_still and only is not None:
        patch = patch.as_frame(only)
    if patch.is_still or patch.extension not in LAYERED:
        raise InputError(f"A patch goes into an EXR sequence such as patch.####.exr, got {shot.patch}.")
    if output is not None and patch.same_files(output):
        raise InputError(
            f"Patch {patch} would overwrite the output; give another name, or --layers patch for layers in "
            "the output itself."
        )
    return patch


def _own_name(plate: Clip) -> str:
    """Return the plate's file name; PNG or EXR in place of a format that can't keep untouched pixels."""
    if isinstance(plate, MovieClip):
        return f"{Path(plate.name).stem}.####.png"
    name = Path(plate.name)
    if formats_lossy(name.suffix):
        return name.with_suffix(".png").name
    if is_written(name.suffix):
        return name.name
    return name.with_suffix(".exr" if plate.header(plate.frames()[0]).is_float else ".png").name


def _sequence_of(clip: Clip) -> FileSequence | None:
    return clip.sequence if isinstance(clip, SequenceClip) else None


def _one_of_many(plate: Clip, matte: Clip, several: bool) -> Iterator[str]:
    """Yield notes where a single picture was given, and is one of a sequence's.

    Args:
        plate, matte: the clips.
        several: whether there are frames that one matte would serve.
    """
    one, still = _sequence_of(plate), _sequence_of(matte)
    if one is not None and one.only is not None and (whole := _sequence_around(one)):
        told = f"The plate is one picture, {one.head}, so one frame is rendered"
        yield f"{told}; the whole sequence is {whole}."
    if still is not None and still.is_still and several and (whole := _sequence_around(still)):
        yield f"The matte is one picture, {still.head}, for every frame; the whole sequence is {whole}."


def _sequence_around(one: FileSequence) -> str:
    """Return the pattern of the sequence that a single picture is one of; empty where it is none's."""
    named = Listed.of(one.head)
    for found in pictures_in(one.folder) if named.numbers else ():
        if (found.head, found.tail) == (named.head, named.tail) and len(found.numbers) > 1:
            return str(one.folder / found.pattern)
    return ""


def _check_references(output: FileSequence, references: Mapping[int, Path], named: str = "Output") -> None:
    for path in references.values():
        if output.same_files(FileSequence(path.parent, path.name, "", None)):
            raise InputError(
                f"{named} {output} would overwrite reference {path}; give another folder or another name."
            )


def _check_output(output: FileSequence, plate: Clip, matte: Clip, named: str = "Output") -> None:
    for clip, what in ((plate, "plate"), (matte, "matte")):
        sequence = _sequence_of(clip)
        if sequence is not None and output.same_files(sequence):
            raise InputError(
                f"{named} {output} would overwrite the {what}; give another folder or another name."
            )


def _check_mattes(
    output: FileSequence, sample: Clip | None, shadow: Clip | None, named: str = "Output"
) -> None:
    for what, clip in (("sample", sample), ("shadow", shadow)):
        sequence = None if clip is None else _sequence_of(clip)
        if sequence is not None and output.same_files(sequence):
            raise InputError(
                f"{named} {output} would overwrite the {what} matte; give another folder or another name."
            )


def _check_folder(folder: Path, dry: bool, named: str = "Output") -> None:
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if there.exists() and not there.is_dir():
        raise InputError(
            f"{named} folder {folder} can't be made: {there} is a file. Give a folder, or a name with a "
            f"frame number such as {there.parent / 'clean.####.exr'}."
        )
    try:
        if dry:
            if not (there.is_dir() and os.access(there, os.W_OK)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WriteError(
            f"{named} folder {folder} can't be written to ({error.strerror or error}); "
            "check its permissions or give another."
        ) from error


def _readable(plate: Clip, mattes: Sequence[Clip], first: int, last: int) -> tuple[int, int]:
    """Widen the range to the frames around it that all clips have without a gap."""
    there = set(plate.frames())
    for matte in mattes:
        if not matte.is_still:
            there &= set(matte.frames())
    lower, upper = first, last
    while lower - 1 in there:
        lower -= 1
    while upper + 1 in there:
        upper += 1
    return lower, upper
