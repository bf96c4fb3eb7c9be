"""Detect or restore a shot from disk to disk: resumable, whole files only, every frame noted.

A frame depends on the files of the frames around it and on nothing else, so frames are made in any order: a
resumed run makes those that are missing, or whose inputs changed, and no others.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import Clip, open_clip
from ..clips.movie_read import is_movie
from ..clips.movie_write import check_movie
from ..clips.sequence import FileSequence
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..color.shot_color import shot_color
from ..damage.finder import Damage
from ..disk.atomic import remove_leftovers, replacing
from ..disk.fingerprint import Fingerprint
from ..disk.lock import holding
from ..errors import InputError, Interrupted
from ..images import Plate, matte_on, write_plate
from ..images.layers import Layers, picture_of
from ..probe.cuts import Thumbnail, thumbnail
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..render.delivery import UntilTheMovie, pictures_of
from ..render.folder import leaving_nothing_behind
from ..render.present import Guard, look, refuse_precious
from ..render.resume import refuse_existing
from ..render.sources import Sources, open_sources
from ..state.folder import journal_path, output_folder
from ..state.journal import Entry, Journal
from .find_list import FindList
from .movie import RestoredMovie
from .options import Restoration
from .review import Review
from .shot import RestoredShot
from .takes import LOOKS_FAR, Takes

_THUMBNAIL_STEP = 4
_NOTES = "finds.jsonl"


@dataclass(frozen=True)
class Done:
    """A frame that is on disk.

    Attributes:
        frame: its number.
        path: its file.
        finds: pieces of damage on it.
        pixels: that are damage (`detect`), or that were changed (`restore`).
    """

    frame: int
    path: Path
    finds: int
    pixels: int


def detect(asked: Restoration, reporters: Reporters, stop: Stop) -> Iterator[Done]:
    """Write a matte of each frame's damage, white; yields each frame once it is written.

    Raises:
        CleanplateError: as `restore`.
    """
    if is_movie(Path(asked.output)):
        raise InputError(f"Mattes are a sequence such as matte.####.exr; got {asked.output}.")
    yield from _run(asked, "mattes of damage", _matte, reporters, stop)


def restore(asked: Restoration, reporters: Reporters, stop: Stop) -> Iterator[Done]:
    """Write a shot without its damage; yields each frame once it is written.

    Raises:
        InputError, MissingFramesError, ImageError, SettingsError: what is asked for can't be done.
        StateError: a resume of a run with other settings.
        OutputBusyError: another run writes this output.
        WriteError: the disk does not take a frame; what was written stays and can be gone on with.
        Interrupted: a stop was asked for.
    """
    if not is_movie(Path(asked.output)):
        yield from _run(asked, "restored plates", _restored, reporters, stop)
        return
    if asked.resume and asked.overwrite:
        raise InputError(_ONE_OF_THEM)
    movie = RestoredMovie(asked, _NOTES)
    if movie.is_finished:
        movie.say_finished(reporters)
        return
    inner = pictures_of(asked.shot())
    pictures = FileSequence.parse(inner.output)
    path, asked = (
        asked.output,
        asked.model_copy(update={"output": inner.output, "compression": inner.compression}),
    )
    yield from _run(asked, "restored plates", _restored, UntilTheMovie(reporters, path), stop, Path(path))
    movie.make(pictures, reporters, stop)
    reporters.done()


Make = Callable[[RestoredShot, int, Path], tuple[Plate | None, Damage, int]]
"""Makes what is written for a frame; None where that is the plate as it is."""


def _matte(shot: RestoredShot, frame: int, path: Path) -> tuple[Plate | None, Damage, int]:
    damage, plate = shot.damage(frame), shot.plate(frame)
    mask = damage.mask()
    layers = Layers(plate.header.data_window, {"Y": mask.astype(np.float16)})
    return picture_of(path, layers, plate), damage, int(mask.sum())


def _restored(shot: RestoredShot, frame: int, path: Path) -> tuple[Plate | None, Damage, int]:
    plate, damage, changed = shot.restored(frame)
    return (plate if changed else None), damage, changed


def _run(
    asked: Restoration, what: str, make: Make, reporters: Reporters, stop: Stop, movie: Path | None = None
) -> Iterator[Done]:
    looking = reporters.watch(stop, "Stopped while looking for frames.")
    shot = asked.shot()
    if asked.resume and asked.overwrite:
        raise InputError(_ONE_OF_THEM)
    with leaving_nothing_behind(shot, shot):
        sources = open_sources(shot, watch=looking)
        if movie is not None:
            check_movie(movie, sources.header.is_float)
        choice = shot_color(
            shot, asked.settings(), sources.plate, sources.header, range(sources.lower, sources.upper + 1)
        )
        for note in (*sources.notes, *choice.notes):
            reporters.note(note)
        finds = None if asked.finds is None else FindList.read(Path(asked.finds))
        folder = output_folder(sources.output)
        if not (asked.resume or asked.overwrite or folder.exists()):
            refuse_existing(sources)
        with holding(folder, str(sources.output), None, watch=looking) as claim:
            run = _Run(asked, what, sources, choice.color, folder, finds)
            todo = run.begin()
            total = sources.last - sources.first + 1
            reporters.start(
                first=sources.first,
                last=sources.last,
                done=total - len(todo),
                output=str(movie or sources.output),
                color=choice.color.name,
            )
            for number, frame in enumerate(todo):
                claim.check()
                if (code := stop.requested()) is not None:
                    raise Interrupted(f"Stopped before frame {frame}; go on with --resume.", code)
                reporters.phase(Phase.SEARCHING, number, len(todo))
                done = run.make(make, frame)
                reporters.frame(frame)
                yield done
            for note in run.finish():
                reporters.note(note)
            reporters.done()


_ONE_OF_THEM = "--resume goes on and --overwrite starts again; give one of them."


class _Run:
    """One run over a shot's frames."""

    def __init__(
        self,
        asked: Restoration,
        what: str,
        sources: Sources,
        color: ColorMap,
        folder: Path,
        finds: FindList | None,
    ) -> None:
        self._asked, self._sources, self._color, self._folder = asked, sources, color, folder
        self._protect = None if asked.protect is None else open_clip(asked.protect)
        self._takes = Takes(sources.lower, sources.upper, asked.shot().cuts, self._thumbnail)
        self._shot = RestoredShot(
            sources.plate,
            color,
            self._takes.of,
            asked.search(),
            grain=asked.grain == "auto",
            protected=self._protected,
            **({} if finds is None else {"chosen": finds.chosen}),
        )
        key = {**asked.key(what), "size": f"{sources.header.width}x{sources.header.height}"}
        if asked.finds is not None:
            key["finds"] = Fingerprint.of(Path(asked.finds)).digest
        self._journal = Journal(journal_path(folder), {**key, "color": color.key})
        self._guard = Guard(sources.output)
        self._prints: dict[tuple[str, int], Fingerprint] = {}
        self._counts: Counter[str] = Counter()
        notes = folder / _NOTES
        self._review = None if asked.review is None else Review(Path(asked.review), notes, color)

    def begin(self) -> list[int]:
        """Return the frames to make, ascending; the journal then knows whose files stand there."""
        sources, output = self._sources, self._sources.output
        frames = range(sources.first, sources.last + 1)
        entries: dict[int, Entry] = {}
        if self._asked.resume:
            entries = {entry.frame: entry for entry in self._journal.read() or []}
            refuse_precious(output, look(output, frames, entries))
            entries = {frame: entry for frame, entry in entries.items() if self._holds(entry)}
        elif not self._asked.overwrite:
            refuse_existing(sources)
        if not entries:
            (self._folder / _NOTES).unlink(missing_ok=True)
        remove_leftovers(self._folder, lambda path: True)
        ours = {output.path(frame).name for frame in frames}
        remove_leftovers(output.folder, lambda path: path.name in ours)
        todo = [frame for frame in frames if frame not in entries]
        standing = {
            frame: file for frame, file in look(output, frames, entries).files.items() if frame in todo
        }
        self._guard = Guard(output, standing)
        self._journal.restart(list(entries.values()), standing)
        return todo

    def _holds(self, entry: Entry) -> bool:
        """Whether a frame is as it was written, from files that are as they were."""
        if not entry.is_whole(self._sources.output.path(entry.frame)):
            return False
        for frame, files in entry.inputs.items():
            for kind, known in files.items():
                clip = self._sources.plate if kind == "plate" else self._protect
                if clip is None or not known.still_holds(clip.path(frame)):
                    return False
        return True

    def make(self, make: Make, frame: int) -> Done:
        """Make and write one frame."""
        path = self._sources.output.path(frame)
        picture, damage, pixels = make(self._shot, frame, path)
        inputs = {other: self._inputs(other) for other in self._near(frame)}
        if self._review is not None:
            clean = picture if make is _restored else None
            self._review.add(frame, self._shot.plate(frame), clean, damage)

        def note(file: Path) -> None:
            self._guard.check(frame)
            self._journal.append(Entry(frame, Fingerprint.of(file), inputs, {}))

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
        return Done(frame, path, len(damage.finds), pixels)

    def finish(self) -> Iterator[str]:
        """Write the review and yield what there is to say."""
        count = self._counts
        area = self._sources.header.width * self._sources.header.height
        share = count["pixels"] / area / max(1, self._sources.last - self._sources.first + 1)
        yield (
            f"{count['dirt']} pieces of dirt and {count['scratch']} lines of scratches on {count['frames']} "
            f"frames, {share:.2%} of all pixels."
        )
        if self._review is not None:
            path = self._review.finish(self._asked.plate)
            yield f"Every find is in {path} and on the sheets beside it; edit it and give it to --finds."

    def _near(self, frame: int) -> range:
        lower, upper = self._sources.lower, self._sources.upper
        return range(max(lower, frame - LOOKS_FAR), min(upper, frame + LOOKS_FAR) + 1)

    def _inputs(self, frame: int) -> dict[str, Fingerprint]:
        files = {"plate": self._print("plate", self._sources.plate, frame)}
        if self._protect is not None and self._has(self._protect, frame):
            files["matte"] = self._print("matte", self._protect, frame)
        return files

    def _print(self, kind: str, clip: Clip, frame: int) -> Fingerprint:
        if (kind, frame) not in self._prints:
            self._prints[kind, frame] = clip.fingerprint(frame)
            for old in [old for old in self._prints if old[1] < frame - 3 * LOOKS_FAR]:
                del self._prints[old]
        return self._prints[kind, frame]

    def _has(self, clip: Clip, frame: int) -> bool:
        return clip.is_still or frame in clip.frames()

    def _protected(self, frame: int) -> NDArray[np.bool_] | None:
        if self._protect is None or not self._has(self._protect, frame):
            return None
        header = self._sources.header
        return np.asarray(matte_on(header, self._protect.matte(frame, "auto", header)) > 0.5)

    def _thumbnail(self, frame: int) -> Thumbnail:
        plate = self._shot.plate(frame)
        box = Box(0, 0, plate.header.width, plate.header.height)
        native = native_pixels(plate, box)[::_THUMBNAIL_STEP, ::_THUMBNAIL_STEP]
        return thumbnail(network_pixels(np.ascontiguousarray(native), self._color)[0])
