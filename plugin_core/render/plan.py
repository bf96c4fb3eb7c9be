"""Everything about a render that can be known, and refused, before the first frame is worked on."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..box import Box
from ..clips.clip import Clip, MovieClip, Reading, check_frames, open_clip
from ..clips.headers import check_headers, window_words
from ..clips.sequence import FileSequence, FrameRange
from ..color.color_map import ColorMap
from ..color.shot_color import shot_color
from ..errors import InputError, MissingFramesError, SettingsError, WriteError
from ..images import Header, Storage, formats_lossy, output_notes
from ..job.job import Settings, Shot
from ..motion.view import MotionView, motion_view
from ..network.contract import NetworkShape
from ..regions.crop_path import Bounds
from ..regions.hole import Hole
from ..regions.islands import Islands, islands_of
from ..regions.lanes import Lane, choose_lanes, told
from ..regions.shot_mattes import ShotMattes
from ..schedule import Schedule, takes


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


@dataclass(frozen=True)
class Plan:
    """A render, decided: its steps, its crop, its colors and what its state depends on.

    Attributes:
        lanes: the crops that the network works on; none where no matte of the shot has a hole: then plates
            are copied and no network runs.
        motion: where the background's motion is measured; None where nothing is filled, or no real pixels are
            asked for.
        cuts: first frames of new takes, ascending.
        key: what saved states of this render are valid for.
        notes: sentences the user should see.
    """

    sources: Sources
    settings: Settings
    schedule: Schedule
    lanes: tuple[Lane, ...]
    motion: MotionView | None
    color: ColorMap
    cuts: tuple[int, ...]
    key: dict[str, str]
    notes: tuple[str, ...] = ()

    def searched(self, frame: int) -> range:
        """Return the frames in which a frame's real pixels are searched for: those near it in its take."""
        reach = self.settings.propagate
        first, last = next(
            take
            for take in takes(self.sources.lower, self.sources.upper, self.cuts)
            if take[0] <= frame <= take[1]
        )
        return range(max(frame - reach, first), min(frame + reach, last) + 1)


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
    output = _output(shot.output, plate, first)
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


def make_plan(
    sources: Sources,
    shot: Shot,
    settings: Settings,
    network: NetworkShape,
    *,
    continues: bool = False,
    watch: Callable[[int, Hole | None], None] = lambda frame, hole: None,
) -> Plan:
    """Decide how a shot is rendered; reads every matte once.

    Args:
        sources: from `open_sources`.
        shot: where the pictures are.
        settings: what was asked for, with a working size.
        network: the model, opened or not.
        continues: the state before the first frame will be handed in.
        watch: called with each matte's frame, and its hole, after it was read; may raise to stop.

    Raises:
        ImageError: a matte can't be read or does not fit its plate.
        InputError: the matte covers the whole picture on every frame, or a cut names no frame.
    """
    cuts = _check_cuts(shot, sources)
    _check_beginning(sources, settings, cuts, continues)
    schedule = Schedule(
        first=sources.first,
        last=sources.last,
        lower=sources.lower,
        upper=sources.upper,
        cuts=cuts,
        continues=continues,
        warmup=settings.warmup,
        offsets=network.source_offsets,
        matte_union=settings.matte_union,
        propagate=settings.propagate,
        begins=sources.begins,
        pre_roll=settings.pre_roll,
    )
    header = sources.header
    assert settings.working_size is not None  # see working_size.chosen_size
    islands = _scan(sources, mattes_of(sources, settings, cuts), watch)
    lanes = choose_lanes(
        islands,
        takes(sources.lower, sources.upper, cuts),
        Bounds(_whole(header), network.size_multiple, settings.working_size, network.hole_reach),
        region=settings.region,
        context=settings.context,
        reach=schedule.reach,
    )
    boxes = (box for found in islands.values() for box in found)
    view = motion_view(boxes, width=header.width, height=header.height)
    motion = view if settings.propagate else None
    choice = shot_color(shot, settings, sources.plate, header, range(sources.lower, sources.upper + 1))
    key = _key(network, sources, choice.color, settings, cuts)
    notes = (*choice.notes, *told(lanes))
    return Plan(sources, settings, schedule, lanes, motion, choice.color, cuts, key, notes)


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


def _check_beginning(sources: Sources, settings: Settings, cuts: tuple[int, ...], continues: bool) -> None:
    """Refuse a chunk that would silently begin in the middle of a take."""
    first = sources.first
    if continues and settings.pre_roll is not None:
        raise SettingsError(
            f"Chunk {first}-{sources.last} has a state handed in and a pre-roll; give one of them."
        )
    if continues or settings.pre_roll is not None or first == sources.begins or first in cuts:
        return
    raise SettingsError(
        f"Chunk {first}-{sources.last} needs the state after frame {first - 1}: give it with --state-in, or "
        "an approximate chunk a --pre-roll."
    )


def _check_complete(plate: Clip, matte: Clip, first: int, last: int) -> None:
    lacks = [check_frames(plate, first, last, "plate"), check_frames(matte, first, last, "matte")]
    told = "; ".join(text for text in lacks if text)
    if told:
        told = told[0].upper() + told[1:]
        raise MissingFramesError(f"{told}; supply them or render a shorter --frames range.")


def _output(text: str, plate: Clip, first: int) -> FileSequence:
    path = Path(text)
    if path.is_dir() or not path.suffix:
        return FileSequence.parse(path / _own_name(plate, first))
    output = FileSequence.parse(path)
    if output.is_still:
        raise InputError(f"Output {text} has no frame number; write it as name.####{path.suffix}.")
    return output


def _own_name(plate: Clip, first: int) -> str:
    """Return the plate's file name; PNG in place of a lossy format, which could not keep untouched pixels."""
    if isinstance(plate, MovieClip):
        return f"{plate.path(first).stem}.####.png"
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
        folder.mkdir(parents=True, exist_ok=True)
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


def _check_cuts(shot: Shot, sources: Sources) -> tuple[int, ...]:
    for cut in shot.cuts:
        if not sources.lower < cut <= sources.upper:
            raise SettingsError(
                f"Cut {cut} is not inside the frames on disk, {sources.lower}-{sources.upper}; a cut is the "
                "first frame of a new take."
            )
    return tuple(sorted(set(shot.cuts)))


def mattes_of(sources: Sources, settings: Settings, cuts: tuple[int, ...]) -> ShotMattes:
    """Return what gives the hole of any readable frame of a shot."""
    return ShotMattes(
        sources.matte, sources.header, settings, lower=sources.lower, upper=sources.upper, cuts=cuts
    )


def _scan(
    sources: Sources, mattes: ShotMattes, watch: Callable[[int, Hole | None], None]
) -> dict[int, Islands]:
    """Return the holes of every frame.

    All readable frames count, not only the range's, so that every part of a shot is rendered with the same
    crops and gives the same pixels as the whole.
    """
    found: dict[int, Islands] = {}
    everything = True
    header = sources.header
    frames = range(sources.lower, sources.upper + 1)
    for frame in frames[:1] if sources.matte.is_still else frames:
        hole, _ = mattes.hole(frame)
        found[frame] = () if hole is None else islands_of(hole.alpha > 0, hole.box, _whole(header))
        everything &= hole is not None and hole.covers(header.width, header.height)
        watch(frame, hole)
    if everything:
        raise InputError(
            f"Matte {sources.matte.name} covers the whole picture on every frame, so there is nothing to "
            "fill from; is it inverted, or is it the wrong channel (--matte-channel)?"
        )
    return {frame: found.get(frame, found[frames[0]]) for frame in frames}


def _whole(header: Header) -> Box:
    return Box(0, 0, header.width, header.height)


def _key(
    network: NetworkShape,
    sources: Sources,
    color: ColorMap,
    settings: Settings,
    cuts: tuple[int, ...],
) -> dict[str, str]:
    asked = sources.storage
    readable = f"{sources.lower}-{sources.upper}"
    return {
        "model": network.model_id,
        "plate size": f"{sources.header.width}x{sources.header.height}",
        "plate window": window_words(sources.header),
        "filled channels": ", ".join(sources.header.channels[c] for c in sources.header.fill_channels),
        "stored as": f"{asked.compression or 'the plate'}, {asked.bit_depth or 'the plate'}",
        "frames on disk": readable,
        "first frame": str(sources.begins),
        "color": color.key,
        "cuts": ",".join(map(str, cuts)),
        **{name.replace("_", " "): str(value) for name, value in settings.model_dump().items()},
    }
