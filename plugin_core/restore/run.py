"""Detect or restore a shot from disk to disk: resumable, whole files only, every frame noted.

A frame depends on the files of the frames around it and on nothing else, so frames are made in any order: a
resumed run makes those that are missing, or whose inputs changed, and no others.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import Clip, open_clip
from ..clips.movie_read import is_movie
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..color.shot_color import shot_color
from ..damage.finder import Damage
from ..disk.atomic import replacing
from ..errors import InputError
from ..images import Plate, matte_on, write_plate
from ..images.formats import format_for
from ..images.layers import Layers, picture_of
from ..job.job import Job
from ..job.settings import Settings, Shot, matte_names
from ..probe.cuts import Thumbnail, thumbnail
from ..probe.forecast import Forecast
from ..probe.frame_forecast import frame_forecast, movie_forecast
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase, Watch, unwatched
from ..render.delivery import pictures_of
from ..render.folder import leaving_nothing_behind
from ..render.frame_by_frame import STOPPED, FrameByFrame
from ..render.frame_movie import Delivery, delivered
from ..render.render import FrameDone
from ..render.sources import Sources, mattes_of, open_sources
from ..state.folder import finds_path
from .find_list import Entry, FindList
from .given_matte import damage_of
from .noted import FindNotes
from .options import key_of, search_of
from .review import Review
from .shot import RestoredShot
from .takes import LOOKS_FAR, Takes

_THUMBNAIL_STEP = 4

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Restored(FrameDone):
    """A frame that is on disk.

    Attributes:
        finds: pieces of damage on it.
        pixels: that are damage (`detect`), or that were changed (`restore`).
    """

    finds: int
    pixels: int


def restore(
    job: Job, reporters: Reporters, stop: Stop, *, recorded: Callable[[Job], None] = lambda job: None
) -> Iterator[Restored]:
    """Write a shot without its damage, or mattes of it, white; yields each frame once it is written.

    Args:
        job: `do` is ``restore`` or ``detect``, whose output is the mattes. A matte says what is damaged;
            without one it is found.
        reporters: told of progress.
        stop: asked before each frame.
        recorded: told the job that is left beside the output once the run has begun.

    Raises:
        InputError, MissingFramesError, ImageError, SettingsError: what is asked for can't be done.
        StateError: a resume of a run with other settings.
        OutputBusyError: another run writes this output.
        WriteError: the disk does not take a frame; what was written stays and can be gone on with.
        Interrupted: a stop was asked for.
    """
    _check(job)

    def make(shot: Shot, told: Reporters) -> Iterator[Restored]:
        return _frames(job, shot, told, stop, recorded)

    yield from delivered(_delivery(job), reporters, stop, make)


def restore_forecast(job: Job, watch: Watch = unwatched) -> Forecast:
    """Say what `restore` would do with a job. Raises what it would raise before its first frame."""
    _check(job)
    if is_movie(job.shot.output) and (told := movie_forecast(_delivery(job))) is not None:
        return told
    sources, protect = open_restored(job, pictures_of(job.shot), dry=True, watch=watch)
    color = color_of(job, sources)
    return frame_forecast(_book(job, sources, protect, color), watch)


def _check(job: Job) -> None:
    if job.do == "detect" and is_movie(job.shot.output):
        raise InputError(f"Mattes are a sequence such as matte.####.exr; got {job.shot.output}.")
    if job.do == "detect" and job.shot.matte is not None:
        raise InputError("Damage is detected where no matte says it: leave the matte out.")
    if job.run.chunk is not None and job.restore.review is not None:
        raise InputError("Sheets of finds are made in one go: leave the chunk or the review out.")
    if job.shot.matte is not None and job.restore.finds is not None:
        raise InputError("A matte and a list of finds both say what is damaged; give one of them.")
    least, most = job.restore.smallest, job.restore.largest
    if most is not None and most < least:
        raise InputError(
            f"No piece of dirt has {least} pixels at least and {most} at most; give a --largest of {least} "
            "or more."
        )


def _delivery(job: Job) -> Delivery:
    protect = [] if job.restore.protect is None else [job.restore.protect]
    return Delivery(job.shot, job.run, [*matte_names(job.shot), *protect], key_of(job))


def open_restored(
    job: Job, shot: Shot, *, dry: bool = False, watch: Watch = unwatched
) -> tuple[Sources, Clip | None]:
    """Open what a run is made from, and the matte of what is no damage; None for none.

    A shot without a matte is opened with its plate in the matte's place. Raises CleanplateError.

    Args:
        job: as it was asked for.
        shot: its own, with pictures as its output.
        dry: make no folder for the output.
        watch: told how it gets on.
    """
    stands_in = {"matte": shot.matte or shot.plate}
    beside = {"patch": None, "layers": (), "sample_matte": None, "shadow_matte": None, "reference": None}
    sources = open_sources(shot.model_copy(update=beside | stands_in), job.run.chunk, dry=dry, watch=watch)
    protect = None if job.restore.protect is None else open_clip(job.restore.protect)
    return sources, protect


def color_of(job: Job, sources: Sources) -> ColorMap:
    """Return what the plate's values mean."""
    readable = range(sources.lower, sources.upper + 1)
    return shot_color(job.shot, Settings(), sources.plate, sources.header, readable).color


def _book(job: Job, sources: Sources, protect: Clip | None, color: ColorMap) -> FrameByFrame:
    size = f"{sources.header.width}x{sources.header.height}"
    clips = {"plate": sources.plate}
    if job.shot.matte is not None:
        clips["matte"] = sources.matte
    if protect is not None:
        clips["protect"] = protect

    def near(frame: int) -> range:
        return range(max(sources.lower, frame - LOOKS_FAR), min(sources.upper, frame + LOOKS_FAR) + 1)

    return FrameByFrame(sources, job.run, {**key_of(job), "size": size, "color": color.key}, clips, near)


def _frames(
    job: Job, shot: Shot, reporters: Reporters, stop: Stop, recorded: Callable[[Job], None]
) -> Iterator[Restored]:
    """Make what is missing of a shot whose output is pictures."""
    watch = reporters.watch(stop, STOPPED)
    with leaving_nothing_behind(shot, job.shot), _threads(job.run.threads):
        sources, protect = open_restored(job, shot, watch=watch)
        color = shot_color(
            shot, Settings(), sources.plate, sources.header, range(sources.lower, sources.upper + 1)
        )
        for note in (*sources.notes, *color.notes):
            reporters.note(note)
        book = _book(job, sources, protect, color.color)
        restoring = _Run(job, sources, protect, color.color, book)
        for note in restoring.notes:
            reporters.note(note)
        with book.begun(job, color.color.name, reporters, stop, recorded) as todo:
            restoring.begin(forget=todo.is_all)
            for number, frame in enumerate(todo):
                reporters.phase(Phase.SEARCHING, number, len(todo.frames))
                finds, pixels = restoring.make(frame)
                path = sources.output.path(frame)
                yield Restored(frame, path, reporters.frame(frame), finds, pixels)
            for note in restoring.finish():
                reporters.note(note)


def _beyond(entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return []
    first = entries[0]
    those = "1 find of the list lies" if len(entries) == 1 else f"{len(entries)} finds of the list lie"
    return [
        f"{those} on frames that the plate has not, or beyond its picture (frame {first.frame}, box "
        f"{list(first.box)}): nothing is repaired there."
    ]


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Keep OpenCV to so many threads while the block runs; None for as many as it has."""
    before = cv2.getNumThreads()
    if count is not None:
        cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class _Run:
    """One run over a shot's frames."""

    def __init__(
        self, job: Job, sources: Sources, protect: Clip | None, color: ColorMap, book: FrameByFrame
    ) -> None:
        self._job, self._sources, self._color, self._book = job, sources, color, book
        self._protect = protect
        self.notes: list[str] = []
        self._mattes = None if job.shot.matte is None else mattes_of(sources, job.settings, ())
        asked = job.restore
        search = search_of(asked)
        chosen: dict[str, Callable[[int, Damage], Damage]] = {}
        if self._mattes is not None:
            search, chosen = replace(search, kinds=frozenset()), {"chosen": self._given}
        elif asked.finds is not None:
            finds = FindList.read(Path(asked.finds))
            chosen = {"chosen": finds.chosen}
            header = sources.header
            there = range(sources.lower, sources.upper + 1)
            self.notes = _beyond(finds.beyond(there, header.width, header.height))
        self._takes = Takes(sources.lower, sources.upper, job.shot.cuts, self._thumbnail)
        self._shot = RestoredShot(
            sources.plate,
            color,
            self._takes.of,
            search,
            grain=asked.repair_grain == "auto",
            protected=self._protected,
            **chosen,
        )
        self._counts: Counter[str] = Counter()
        self._notes = FindNotes(finds_path(book.folder))
        self._review: Review | None = None

    def begin(self, *, forget: bool) -> None:
        """Make ready to write; `forget` what was noted of finds."""
        if forget:
            self._notes.forget()
        folder = self._job.restore.review
        self._review = None if folder is None else Review(Path(folder), self._notes, self._color)

    def make(self, frame: int) -> tuple[int, int]:
        """Make and write one frame; returns how many finds and pixels are damaged on it."""
        path = self._sources.output.path(frame)
        picture, damage, pixels = (self._matte if self._job.do == "detect" else self._restored)(frame, path)
        self._notes.add(frame, damage)
        if self._review is not None:
            clean = picture if self._job.do == "restore" else None
            self._review.add(frame, self._shot.plate(frame), clean, damage)

        def note(file: Path) -> None:
            self._book.note(frame, file)

        source = self._sources.plate.path(frame)
        same = source.suffix.lower() == path.suffix.lower() and not self._sources.storage.is_given
        if picture is not None:
            write_plate(picture, path, ready=note)
        elif same:
            with replacing(path, note) as temporary:
                shutil.copyfile(source, temporary)
        else:
            write_plate(self._shot.plate(frame), path, ready=note)
        for find in damage.finds:
            self._counts[find.kind] += 1
        self._counts["pixels"] += pixels
        self._counts["frames"] += bool(damage.finds)
        return len(damage.finds), pixels

    def finish(self) -> Iterator[str]:
        """Write the review and yield what there is to say."""
        count = self._counts
        area = self._sources.header.width * self._sources.header.height
        share = count["pixels"] / area / len(self._book.frames)
        yield (
            f"{count['dirt']} pieces of dirt and {count['scratch']} lines of scratches on {count['frames']} "
            f"frames, {share:.2%} of all pixels."
        )
        if self._review is not None:
            path = self._review.finish(self._job.shot.plate)
            yield f"Every find is in {path} and on the sheets beside it; edit it and give it to --finds."

    def _matte(self, frame: int, path: Path) -> tuple[Plate | None, Damage, int]:
        damage, plate = self._shot.damage(frame), self._shot.plate(frame)
        mask = damage.mask()
        half = "half" in format_for(path.suffix.lower()).types
        values = mask.astype(np.float16) if half else mask.astype(np.uint8) * np.uint8(255)
        layers = Layers(plate.header.data_window, {"Y": values})
        return picture_of(path, layers, plate), damage, int(mask.sum())

    def _restored(self, frame: int, path: Path) -> tuple[Plate | None, Damage, int]:
        plate, damage, changed = self._shot.restored(frame)
        return (plate if changed else None), damage, changed

    def _given(self, frame: int, _: Damage) -> Damage:
        """Return what the matte says is damaged; a frame that it has not, is whole."""
        assert self._mattes is not None
        clip, header = self._sources.matte, self._sources.header
        mask = np.zeros((header.height, header.width), np.bool_)
        if clip.is_still or frame in clip.frames():
            mask = self._mattes.values(frame) >= self._job.settings.matte_threshold
        if (protected := self._protected(frame)) is not None:
            mask &= ~protected
        return damage_of(mask)

    def _protected(self, frame: int) -> Mask | None:
        clip, header = self._protect, self._sources.header
        if clip is None or not (clip.is_still or frame in clip.frames()):
            return None
        return np.asarray(matte_on(header, clip.matte(frame, "auto", header)) > 0.5)

    def _thumbnail(self, frame: int) -> Thumbnail:
        plate = self._shot.plate(frame)
        height, width = plate.header.height, plate.header.width
        steps, rows = np.s_[::_THUMBNAIL_STEP, ::_THUMBNAIL_STEP], 64 * _THUMBNAIL_STEP
        parts = [
            native_pixels(plate, Box(0, top, width, min(top + rows, height)))[steps]
            for top in range(0, height, rows)
        ]
        return thumbnail(network_pixels(np.concatenate(parts), self._color)[0])
