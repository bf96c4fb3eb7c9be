"""Retarget a shot: look at all its mattes, decide where everything goes, then lay frame by frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from ..clips.clip import Clip
from ..clips.movie_read import is_movie
from ..clips.movie_write import MovieLook
from ..color.color_map import ColorMap, choose_color
from ..errors import InputError
from ..images import Plate, write_plate
from ..job.job import Job
from ..job.settings import Shot, matte_names
from ..network.contract import Network
from ..probe.forecast import Forecast, forecast_job
from ..probe.frame_forecast import frame_forecast, movie_forecast
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Watch, unwatched
from ..regions.shot_mattes import ShotMattes
from ..render.delivery import pictures_of
from ..render.folder import leaving_nothing_behind
from ..render.frame_by_frame import STOPPED, FrameByFrame
from ..render.frame_movie import Delivery, delivered
from ..render.render import FrameDone
from ..render.sources import Sources, mattes_of, open_sources
from .clean_plate import clean_job, open_clean, render_clean
from .geometry import Geometry, geometry_of
from .lay import Placed, cropped, laid
from .objects import Thing, find_objects
from .paths import Path as Way
from .paths import object_path, window_path
from .pictures import clean_of, left_out, mattes_shown, retargeted
from .resample import FILTER
from .troubles import TWICE, Trouble, in_order, troubles_of

VERSION = 3
"""Of the pixels: frames that another version made are made again."""

_OF_A_MATTE = ("matte_channel", "matte_invert", "matte_fit")


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
        troubles: what will not look right.
    """

    job: Job
    sources: Sources
    geometry: Geometry
    mattes: ShotMattes
    color: ColorMap
    things: tuple[Thing, ...]
    paths: tuple[Way, ...]
    notes: tuple[str, ...]
    troubles: tuple[Trouble, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What will not look right, in sentences."""
        return tuple(trouble.told for trouble in self.troubles)

    @property
    def needs_clean(self) -> bool:
        """Whether a clean plate is needed: what is behind an object that moves away is seen."""
        return self.geometry.keep == "squeeze" and bool(self.things)

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


def plan_retarget(job: Job, *, dry: bool = False, watch: Watch = unwatched) -> Plan:
    """Decide a retargeting from all mattes that can be read: any part of a shot agrees with the whole.

    Args:
        job: plate, matte, output, frames, and the new format; `Settings` say how the matte is read and the
            clean plate made.
        dry: make no folder for the output.
        watch: told how it gets on; may raise to stop.

    Raises:
        InputError, MissingFramesError, ImageError, WriteError: as a render, before any frame is written.
        SettingsError: the target makes no sense for this plate.
    """
    asked = job.retarget
    shot = pictures_of(job.shot).model_copy(
        update={"patch": None, "layers": (), "sample_matte": None, "reference": None}
    )
    sources = open_sources(shot, job.run.chunk, dry=dry, watch=watch)
    geometry = geometry_of(sources.header, asked.target(), asked.keep, asked.pixel_aspect)
    color = choose_color(shot.colorspace, sources.header, shot.ocio_config)
    cuts = tuple(sorted(set(shot.cuts)))
    mattes = mattes_of(sources, job.settings, cuts)
    read = partial(mattes_shown, mattes, sources.header)
    things = find_objects(read, sources.lower, sources.upper, cuts, watch)
    paths: tuple[Way, ...]
    if asked.keep == "crop":
        window = window_path(things, geometry, sources.lower, sources.upper, cuts, asked.smooth)
        paths = (window,)
        told = tuple(troubles_of(things, paths * len(things), geometry))
    else:
        paths = tuple(object_path(thing, geometry, asked.smooth) for thing in things)
        told = tuple(troubles_of(things, paths, geometry))
        if things and asked.clean is None and job.settings.paint == "off":
            told = (*told, TWICE)
    notes = (*sources.notes, *color.notes, *left_out(sources.header))
    if not geometry.is_native:
        notes = (
            *notes,
            f"Objects are scaled by {max(geometry.objects):.3f}, so none of their pixels stays exact.",
        )
    return Plan(job, sources, geometry, mattes, color.color, things, paths, notes, told)


def retarget(
    job: Job,
    network: Callable[[], Network],
    reporters: Reporters,
    stop: Stop,
    *,
    recorded: Callable[[Job], None] = lambda job: None,
) -> Iterator[FrameDone]:
    """Give a shot its new format and yield each frame once its file is whole.

    Args:
        job: what is asked for.
        network: opens the model, or has it open; asked for where a clean plate is to be rendered.
        reporters: told of progress.
        stop: asked inside every long loop whether to go on.
        recorded: told the job that is left beside the output once the run has begun.

    Raises:
        InputError: frames are there already and nothing says what to do with them, or `strict` and a warning.
        MissingFramesError, ImageError: a picture is missing, can't be read, or does not fit.
        SettingsError: the target makes no sense for this plate.
        StateError: a resume of a run with other settings.
        OutputBusyError: somebody else writes this output.
        WriteError: the disk does not take a frame.
        Interrupted: `stop` was asked for.
    """

    def make(shot: Shot, told: Reporters) -> Iterator[FrameDone]:
        return _frames(job, shot, network, told, stop, recorded)

    yield from delivered(_delivery(job), reporters, stop, make)


def retarget_forecast(plan: Plan, watch: Watch = unwatched) -> Forecast:
    """Say what `retarget` would do. Raises what it would raise before its first frame.

    Args:
        plan: of the job, made dry.
        watch: told how it gets on; may raise to stop.
    """
    job = plan.job
    _refuse_doubtful(plan)
    if is_movie(job.shot.output) and (told := movie_forecast(_delivery(job))) is not None:
        return told
    cleaning = rendered_first(plan)
    if cleaning is None:
        given = job.retarget.clean if plan.needs_clean else None
        return frame_forecast(_book(plan, None if given is None else open_clean(given, plan.sources)), watch)
    before = forecast_job(cleaning, watch)
    if before.action in ("overwrite", "occupied"):
        return replace(before, reasons=tuple(f"clean plate: {why}" for why in before.reasons))
    if before.action == "nothing":
        return frame_forecast(_book(plan, open_clean(cleaning.shot.output, plan.sources)), watch)
    told = frame_forecast(_book(plan, None), watch)
    return replace(told, reasons=(*told.reasons, "the clean plate is rendered first"))


def rendered_first(plan: Plan) -> Job | None:
    """Return the job of the clean plate that is rendered before the first frame; None for no such render."""
    given = plan.job.retarget.clean is not None
    return None if given or not plan.needs_clean else clean_job(plan.job, plan.sources)


def _refuse_doubtful(plan: Plan) -> None:
    if plan.job.run.strict and plan.warnings:
        raise InputError(f"{plan.warnings[0]} Refused because of --strict.")


def _delivery(job: Job) -> Delivery:
    asked, shot = job.retarget, job.shot
    about = {"what": job.do, **asked.model_dump(mode="json"), "version": str(VERSION)}
    about |= {name: str(getattr(job.settings, name)) for name in _OF_A_MATTE}
    about |= {name: str(getattr(shot, name)) for name in ("colorspace", "view", "cuts")}
    if asked.clean is None:
        about["filled with"] = job.settings.effective()

    def look(plate: Plate) -> MovieLook:
        ours = MovieLook.of(plate)
        aspect = asked.pixel_aspect
        return (
            ours if aspect is None else replace(ours, pixel_aspect=Fraction(aspect).limit_denominator(1000))
        )

    clips = [*matte_names(shot), *([] if asked.clean is None else [asked.clean])]
    return Delivery(shot, job.run, clips, about, look)


def _frames(
    job: Job,
    shot: Shot,
    network: Callable[[], Network],
    reporters: Reporters,
    stop: Stop,
    recorded: Callable[[Job], None],
) -> Iterator[FrameDone]:
    """Make what is missing of a shot whose output is pictures."""
    watch = reporters.watch(stop, STOPPED)
    with leaving_nothing_behind(shot, job.shot):
        plan = plan_retarget(job, watch=watch)
        _refuse_doubtful(plan)
        sources = plan.sources
        _book(plan, None).check()  # before hours are spent on a clean plate
        for note in plan.notes:
            reporters.note(note)
        for warning in plan.warnings:
            reporters.note(warning, "retarget")
        clean, cleaning = job.retarget.clean, rendered_first(plan)
        if cleaning is not None and job.run.chunk is not None:
            raise InputError(
                "A chunk of a retargeting needs a clean plate that is there: give it with --clean, or "
                "retarget the shot in one go."
            )
        if cleaning is not None:
            render_clean(cleaning, network, reporters, stop, plan.notes)
            clean = cleaning.shot.output
        opened = None if clean is None or not plan.needs_clean else open_clean(clean, sources)
        book = _book(plan, opened)
        with book.begun(job, plan.color.name, reporters, stop, recorded) as todo:
            for frame in todo:
                path = _make(plan, opened, frame, book)
                yield FrameDone(frame, path, reporters.frame(frame))


def _make(plan: Plan, clean: Clip | None, frame: int, book: FrameByFrame) -> Path:
    sources, geometry, color = plan.sources, plan.geometry, plan.color
    plate = sources.plate.plate(frame)
    threads = plan.job.run.threads or 0
    if geometry.keep == "crop":
        pixels = cropped(plate, geometry, plan.paths[0][frame], color, threads)
    else:
        behind = clean_of(clean or sources.plate, frame, plate.header, color)
        mattes = mattes_shown(plan.mattes, sources.header, frame)
        pixels = laid(plate, behind, mattes, placed(plan, frame), geometry, color, threads)
    path = sources.output.path(frame)
    write_plate(retargeted(plate, pixels, geometry), path, ready=partial(book.note, frame))
    return path


def placed(plan: Plan, frame: int) -> list[Placed]:
    """Return the objects of a frame as they are laid over the background, the farthest first."""
    return [
        Placed(plan.things[number].seen[frame], plan.paths[number][frame])
        for number in in_order(plan.things)
        if frame in plan.things[number].seen
    ]


def _book(plan: Plan, clean: Clip | None) -> FrameByFrame:
    """Return what knows of the frames that are there: all that they are made of, and every decision."""
    job, sources, geometry = plan.job, plan.sources, plan.geometry
    clips = {"plate": sources.plate}
    if geometry.keep == "squeeze":
        clips |= sources.clips | ({} if clean is None else {"clean": clean})
    across, down = geometry.size
    key = {
        "what": job.do,
        "version": str(VERSION),
        "filter": FILTER,
        "format": f"{across}x{down}, pixels {geometry.pixel_aspect:g}",
        "keep": geometry.keep,
        "plate": "x".join(map(str, geometry.source)),
        "color": plan.color.key,
        "stored": repr((sources.storage, sources.output.extension)),
        **{name: str(getattr(job.settings, name)) for name in _OF_A_MATTE},
    }

    def place(frame: int) -> dict[str, str]:
        if geometry.keep == "crop":
            return {"window": repr(plan.paths[0][frame])}
        said = repr(placed(plan, frame)).encode()
        return {"objects": hashlib.blake2b(said, digest_size=16).hexdigest()}

    return FrameByFrame(sources, job.run, key, clips, lambda frame: range(frame, frame + 1), place)
