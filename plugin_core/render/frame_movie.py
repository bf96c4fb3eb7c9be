"""A shot whose frames are made one by one, as pictures or as a movie: that is made when all are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..clips.clip import holds, open_clip
from ..clips.movie_read import is_movie
from ..clips.movie_write import MovieLook
from ..clips.sequence import FileSequence
from ..errors import InputError, WriteError
from ..images import Plate
from ..job.settings import Run, Shot
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..state.folder import finds_path, movie_folder, output_folder
from .assemble import assemble, remove_pictures
from .delivery import UntilTheMovie, check_delivery, pictures_of
from .made_movie import MadeMovie, look_at_movie, mark, note_movie
from .sources import plate_of

_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Delivery:
    """What is made.

    Attributes:
        shot: as asked for: its output may be a movie.
        run: how.
        clips: beside the plate, what it is made from.
        about: what else its frames depend on, as JSON can hold it.
        look: given a plate, what a movie says besides its pictures.
    """

    shot: Shot
    run: Run
    clips: Sequence[str]
    about: Mapping[str, object]
    look: Callable[[Plate], MovieLook] = MovieLook.of

    @property
    def path(self) -> Path:
        """Where it goes."""
        return Path(self.shot.output)

    def frames(self) -> range:
        """Return the shot's frames. Raises InputError, MissingFramesError."""
        asked, there = self.shot.frame_range(), plate_of(self.shot).frames()
        first, last = (there[0], there[-1]) if asked is None else (asked.first, asked.last)
        return range(first, last + 1)

    def look_at(self) -> MadeMovie:
        """Check what is asked for, and say what stands where the movie is to be.

        Raises:
            InputError: the movie can't be written there.
        """
        check_delivery(self.shot, self.run, plate_of(self.shot))
        if any(holds(clip, self.path) for clip in self.clips):
            raise InputError(f"Output {self.path} would overwrite an input; give another name.")
        return look_at_movie(self.path)

    def is_finished(self, there: MadeMovie) -> bool:
        """Whether the movie is there, whole, from these very inputs."""
        return there.kind == "made" and there.about == self.made_of()

    def made_of(self) -> dict[str, object]:
        """Return what the movie is made of: what was asked for, and size and time of every input file."""
        clips = [plate_of(self.shot), *map(open_clip, self.clips)]
        files = {str(clip.path(frame)) for clip in clips for frame in clip.frames() or [0]}
        marks = {file: mark(Path(file)) for file in sorted(files)}
        return {**self.about, "frames": self.shot.frames or "", "inputs": marks}


def delivered(
    asked: Delivery, reporters: Reporters, stop: Stop, make: Callable[[Shot, Reporters], Iterator[_Done]]
) -> Iterator[_Done]:
    """Make a shot's frames and yield what comes of each; then the movie, where one is asked for.

    Args:
        asked: what is made.
        reporters: told of progress.
        stop: asked for.
        make: given the shot whose output is pictures, and whom to tell, makes the frames that are missing.

    Raises:
        InputError: a movie can't be written there, or is someone's own.
        Interrupted: a stop was asked for; what is finished stays.
        WriteError: the disk does not take it, or someone else wrote there meanwhile.
        CleanplateError: whatever `make` raises.
    """
    shot, run, path = asked.shot, asked.run, asked.path
    if not is_movie(path):
        yield from make(shot, reporters)
        reporters.done()
        return
    there, frames = asked.look_at(), asked.frames()
    kept = there.is_precious and run.keep_edited
    if kept or (run.goes_on and not there.is_precious and asked.is_finished(there)):
        reporters.start(first=frames[0], last=frames[-1], done=len(frames), output=str(path), color="")
        why = "was changed since it was written: kept as found" if kept else _FINISHED
        reporters.note(f"{path} {why}.")
        reporters.done()
        return
    if there.is_precious and not run.overwrite:
        raise InputError(
            f"{path} was changed since it was written, or is of no run of ours. Leave it as it is with "
            "--keep-edited, or start again with --overwrite, which replaces it."
        )
    found = mark(path)
    yield from make(pictures_of(shot), UntilTheMovie(reporters, str(path)))

    def note(movie: Path) -> None:
        if mark(path) != found:
            raise WriteError(
                f"{path} was changed while the run went on, and is not replaced; leave it as it is with "
                "--keep-edited, or start again with --overwrite."
            )
        note_movie(path, asked.made_of(), movie, found)

    plate = plate_of(shot)
    pictures = FileSequence.parse(pictures_of(shot).output)
    assemble(path, pictures, frames, asked.look(plate.plate(frames[0])), note, reporters, stop)
    finds = finds_path(output_folder(pictures))
    if finds.is_file():
        finds.replace(finds_path(movie_folder(path)))
    remove_pictures(pictures)
    reporters.done()


_FINISHED = "is finished: it was made from these very frames and settings"
