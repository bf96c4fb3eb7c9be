"""Retarget a shot: look at all its mattes, decide where everything goes, then lay frame by frame."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..clips.clip import Clip, check_frames, open_clip
from ..clips.sequence import FileSequence
from ..color.color_map import ColorMap, choose_color
from ..disk.atomic import remove_leftovers
from ..disk.lock import holding
from ..errors import InputError, Interrupted, MissingFramesError
from ..images import write_plate
from ..job.job import Job
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Watch, unwatched
from ..regions.shot_mattes import ShotMattes
from ..render.sources import Sources, mattes_of, open_sources, output_of
from ..state.folder import output_folder
from .geometry import Geometry, Keep, Target, geometry_of
from .lay import Placed, cropped, laid
from .objects import Thing, find_objects
from .paths import Path as Way
from .paths import object_path, window_path
from .pictures import clean_of, left_out, mattes_shown, retargeted
from .record import Record
from .resample import FILTER
from .warnings import in_order, warnings_of

VERSION = 1
"""Of the pixels: frames that another version made are made again."""

SMOOTH = 8
"""Frames each way over which positions are smoothed, unless it is said."""

CLEAN_FOLDER = "clean"
"""Beside the output: where the clean plate is rendered to."""

_STOPPED = "Stopped; what was written is kept, go on with --resume."


@dataclass(frozen=True)
class Asked:
    """What a shot is to become.

    Attributes:
        target: its format.
        keep: whether the background is squeezed, or a part of the picture shown.
        pixel_aspect: of the output; None for the plate's.
        smooth: frames each way over which positions are smoothed.
    """

    target: Target
    keep: Keep = "squeeze"
    pixel_aspect: float | None = None
    smooth: int = SMOOTH


@dataclass(frozen=True)
class Plan:
    """A retargeting, decided.

    Attributes:
        job: plate, matte, output, and how they are read and written.
        sources: the opened inputs.
        geometry: of the output.
        mattes: read again for each frame.
        color: what the plate's values mean.
        things: the objects.
        paths: the way of each; where a part is shown, one alone, of the whole picture under the window.
        notes: sentences the user should see.
        warnings: what will not look right.
    """

    job: Job
    sources: Sources
    geometry: Geometry
    mattes: ShotMattes
    color: ColorMap
    things: tuple[Thing, ...]
    paths: tuple[Way, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def needs_clean(self) -> bool:
        """Whether a clean plate is needed: what is behind an object that moves away is seen."""
        return self.geometry.keep == "squeeze" and bool(self.things)

    def clean_job(self) -> Job:
        """Return the job of the clean plate, into a folder beside the output, going on where it stands."""
        shot, run = self.job.shot, self.job.run
        folder = self.sources.output.folder / CLEAN_FOLDER
        clean = output_of(str(folder), lambda: self.sources.plate).pattern
        return self.job.model_copy(
            update={
                "shot": shot.model_copy(update={"output": clean, "patch": None, "layers": ()}),
                "run": run.model_copy(update={} if run.overwrite else {"resume": True}),
            }
        )

    def as_dict(self) -> dict[str, object]:
        """Return what was decided, as JSON can hold it."""
        return {
            "size": list(self.geometry.size),
            "pixel_aspect": self.geometry.pixel_aspect,
            "keep": self.geometry.keep,
            "background": list(self.geometry.background),
            "objects_scale": list(self.geometry.objects),
            "first": self.sources.first,
            "last": self.sources.last,
            "output": str(self.sources.output),
            "objects": [
                {
                    "object": number,
                    "first": thing.first,
                    "last": thing.last,
                    "shifts": {str(frame): list(self._path(number)[frame]) for frame in thing.seen},
                }
                for number, thing in enumerate(self.things, 1)
            ],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def _path(self, number: int) -> Way:
        return self.paths[0 if self.geometry.keep == "crop" else number - 1]

    def lines(self) -> list[str]:
        """Return the same for people."""
        told = [self.geometry.words()]
        for number, thing in enumerate(self.things, 1):
            box = thing.seen[thing.first].box
            told.append(
                f"object {number}: frames {thing.first}-{thing.last}, {box.width}x{box.height} at first"
            )
        return [*told, *self.notes, *(f"warning: {each}" for each in self.warnings)]


def plan_retarget(job: Job, asked: Asked, *, dry: bool = False, watch: Watch = unwatched) -> Plan:
    """Decide a retargeting from all mattes that can be read: any part of a shot agrees with the whole.

    Args:
        job: plate, matte, output, frames; `Settings` say how the matte is read and the clean plate made.
        asked: what it is to become.
        dry: make no folder for the output.
        watch: told how it gets on; may raise to stop.

    Raises:
        InputError, MissingFramesError, ImageError, WriteError: as a render, before any frame is written.
        SettingsError: the target makes no sense for this plate.
    """
    shot = job.shot.model_copy(update={"patch": None, "layers": ()})
    if Path(shot.output).suffix.lower() in (".mov", ".mp4", ".mxf"):
        raise InputError(
            f"A retargeted shot is written as pictures, not as {Path(shot.output).suffix}; give a sequence "
            f"such as {Path(shot.output).stem}.####.png."
        )
    sources = open_sources(shot, dry=dry, watch=watch)
    geometry = geometry_of(sources.header, asked.target, asked.keep, asked.pixel_aspect)
    color = choose_color(shot.colorspace, sources.header, shot.ocio_config)
    cuts = tuple(sorted(set(shot.cuts)))
    mattes = mattes_of(sources, job.settings, cuts)
    read = partial(mattes_shown, mattes, sources.header)
    things = find_objects(read, sources.lower, sources.upper, cuts, watch)
    paths: tuple[Way, ...]
    if asked.keep == "crop":
        window = window_path(things, geometry, sources.lower, sources.upper, cuts, asked.smooth)
        paths = (window,)
        told = tuple(warnings_of(things, paths * len(things), geometry))
    else:
        paths = tuple(object_path(thing, geometry, asked.smooth) for thing in things)
        told = tuple(warnings_of(things, paths, geometry))
    notes = (*sources.notes, *color.notes, *left_out(sources.header))
    if not geometry.is_native:
        notes = (
            *notes,
            f"Objects are scaled by {max(geometry.objects):.3f}, so none of their pixels stays exact.",
        )
    return Plan(job, sources, geometry, mattes, color.color, things, paths, notes, told)


def check_output(plan: Plan) -> None:
    """Refuse what would be refused once the clean plate is there; before hours are spent on it.

    Raises:
        InputError: frames are there already and nothing says what to do with them, or `strict` and a warning.
    """
    run, sources = plan.job.run, plan.sources
    if run.strict and plan.warnings:
        raise InputError(f"{plan.warnings[0]} Refused because of --strict.")
    Record(sources.output).check(range(sources.first, sources.last + 1), run)


def retarget(plan: Plan, clean: str | None, reporters: Reporters, stop: Stop) -> Iterator[Path]:
    """Make the frames and yield the file of each once it is whole.

    Args:
        plan: what was decided.
        clean: the clean plate; None where the plan needs none.
        reporters: told of progress.
        stop: asked before each frame whether to go on.

    Raises:
        InputError: frames are there already and nothing says what to do with them, or `strict` and a warning.
        MissingFramesError, ImageError: the clean plate lacks frames, or does not fit.
        OutputBusyError: somebody else writes this output.
        WriteError: the disk does not take a frame.
        Interrupted: `stop` was asked for.
    """
    sources, run = plan.sources, plan.job.run
    check_output(plan)
    root = output_folder(sources.output)
    frames = range(sources.first, sources.last + 1)
    opened = _open_clean(plan, clean)
    with holding(root, str(sources.output), None, wait_seconds=run.wait_seconds) as claim:
        record = Record(sources.output)
        kept = record.keep(frames, run, _Digests(plan, opened))
        remove_leftovers(sources.output.folder, lambda path: path in map(sources.output.path, frames))
        reporters.start(
            first=sources.first,
            last=sources.last,
            done=len(kept),
            output=str(sources.output),
            color=plan.color.name,
        )
        digests = _Digests(plan, opened)
        for frame in frames:
            if frame in kept:
                continue
            if (code := stop.requested()) is not None:
                raise Interrupted(_STOPPED, code)
            claim.check()
            yield _make(plan, opened, frame, record, digests[frame])
            reporters.frame(frame)
    reporters.done()


def _make(plan: Plan, clean: Clip | None, frame: int, record: Record, digest: str) -> Path:
    sources, geometry, color = plan.sources, plan.geometry, plan.color
    plate = sources.plate.plate(frame)
    threads = plan.job.run.threads or 0
    if geometry.keep == "crop":
        pixels = cropped(plate, geometry, plan.paths[0][frame], color, threads)
    else:
        behind = clean_of(clean or sources.plate, frame, plate.header, color)
        mattes = mattes_shown(plan.mattes, sources.header, frame)
        pixels = laid(plate, behind, mattes, _placed(plan, frame), geometry, color, threads)
    path = sources.output.path(frame)
    write_plate(
        retargeted(plate, pixels, geometry), path, ready=lambda file: record.note(frame, digest, file)
    )
    return path


def _placed(plan: Plan, frame: int) -> list[Placed]:
    return [
        Placed(plan.things[number].seen[frame], plan.paths[number][frame])
        for number in in_order(plan.things)
        if frame in plan.things[number].seen
    ]


class _Digests(Mapping[int, str]):
    """What each frame is made of, worked out when asked for: its inputs' content, and every decision."""

    def __init__(self, plan: Plan, clean: Clip | None) -> None:
        self._plan = plan
        self._clean = clean

    def __getitem__(self, frame: int) -> str:
        plan, sources = self._plan, self._plan.sources
        clips = [sources.plate, sources.matte, self._clean, sources.shadow]
        if plan.geometry.keep == "crop":
            clips = clips[:1]
            placed: object = plan.paths[0][frame]
        else:
            placed = _placed(plan, frame)
        inputs = [None if clip is None else clip.fingerprint(frame).digest for clip in clips]
        storage = sources.storage, sources.output.extension
        decided = (
            VERSION,
            FILTER,
            plan.geometry,
            placed,
            plan.color.key,
            storage,
            plan.job.settings.matte_invert,
        )
        said = repr((*decided, plan.job.settings.matte_channel, plan.job.settings.matte_fit, inputs))
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._plan.sources.first, self._plan.sources.last + 1))

    def __len__(self) -> int:
        return self._plan.sources.last - self._plan.sources.first + 1


def _open_clean(plan: Plan, clean: str | None) -> Clip | None:
    if not plan.needs_clean:
        return None
    if clean is None:
        raise InputError(
            "A clean plate is needed: what an object leaves behind is seen. Give it with --clean."
        )
    opened = open_clip(clean)
    lack = check_frames(opened, plan.sources.first, plan.sources.last, "clean plate")
    if lack is not None:
        raise MissingFramesError(
            f"{lack[0].upper()}{lack[1:]}; supply them or retarget a shorter --frames range."
        )
    sequence = getattr(opened, "sequence", None)
    if isinstance(sequence, FileSequence) and plan.sources.output.same_files(sequence):
        raise InputError(
            f"Output {plan.sources.output} would overwrite the clean plate; give another folder or name."
        )
    return opened
