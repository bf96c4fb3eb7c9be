"""A restored shot as a movie: made when all of its frames are there, known again once it is made."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..clips.clip import Clip, open_clip
from ..clips.movie_write import MovieLook, write_movie
from ..clips.sequence import FileSequence
from ..disk.atomic import remove_leftovers
from ..disk.fingerprint import Fingerprint
from ..disk.folders import remove_own
from ..errors import InputError, Interrupted, WriteError
from ..images import Plate, read_plate
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..render.made_movie import look_at_movie, mark, note_movie
from ..state.folder import journal_path, output_folder
from .options import Restoration


class RestoredMovie:
    """The movie of one run.

    Args:
        asked: the run, with the movie as its output.
        notes: name of the file beside the journal in which the finds are remembered.

    Raises:
        InputError: the movie can't be written there, or is someone's own.
    """

    def __init__(self, asked: Restoration, notes: str) -> None:
        self._asked, self._notes = asked, notes
        self._path = path = Path(asked.output)
        if asked.compression or asked.bit_depth:
            raise InputError(f"{path} is a movie: leave --compression and --bit-depth out.")
        if path.resolve() == Path(asked.plate).resolve():
            raise InputError(f"Output {path} would overwrite the plate; give another name.")
        if path.is_dir():
            raise InputError(f"Output {path} is a folder, and a movie is one file; give another name.")
        if path.exists() and not (asked.overwrite or asked.resume):
            raise InputError(
                f"{path} is there already; use --resume to go on or --overwrite to make it again."
            )
        there = look_at_movie(path)
        if there.is_precious and not asked.overwrite:
            raise InputError(
                f"{path} was changed since it was written, or is of no restoration of ours; start again with "
                "--overwrite, which replaces it."
            )
        self._plate = open_clip(asked.plate)
        self._about = _about(asked, self._plate)
        self.is_finished = asked.resume and there.kind == "made" and there.about == self._about
        """Whether it is there, whole, from these very inputs, and is to be gone on with."""
        self._found = mark(path)

    def say_finished(self, reporters: Reporters) -> None:
        """Tell that nothing is left to do."""
        frames = self._frames()
        reporters.start(first=frames[0], last=frames[-1], done=len(frames), output=str(self._path), color="")
        reporters.note(f"{self._path} is finished: it was made from these very frames and settings.")
        reporters.done()

    def make(self, pictures: FileSequence, reporters: Reporters, stop: Stop) -> None:
        """Make it of its pictures, and remove them.

        Raises:
            Interrupted: a stop was asked for; the pictures stay.
            WriteError: the disk does not take it, or someone else wrote there meanwhile.
        """
        frames = self._frames()
        look = MovieLook.of(self._plate.plate(frames[0]))
        if not look.is_rate_known:
            reporters.note("The plate states no frame rate: the movie has 24 frames a second.")
        reporters.note(
            f"{self._path.name} is ProRes 4444, which is not lossless; for exact pixels write a sequence."
        )
        remove_leftovers(self._path.parent, lambda path: path == self._path)

        def plates() -> Iterator[Plate]:
            for number, frame in enumerate(frames):
                if (code := stop.requested()) is not None:
                    raise Interrupted("Stopped while the movie was made; go on with --resume.", code)
                reporters.phase(Phase.DELIVERING, number, len(frames))
                yield read_plate(pictures.path(frame))

        def note(movie: Path) -> None:
            if mark(self._path) != self._found:
                raise WriteError(
                    f"{self._path} was changed while the run went on, and is not replaced; start again with "
                    "--overwrite."
                )
            note_movie(self._path, self._about, movie, self._found)

        write_movie(plates(), len(frames), self._path, look, note)
        kept = output_folder(pictures)
        remove_own(kept, [journal_path(kept), kept / self._notes])
        with contextlib.suppress(OSError):
            kept.parent.rmdir()
        remove_own(pictures.folder, map(pictures.path, pictures.frames_on_disk()))

    def _frames(self) -> range:
        asked = self._asked.shot().frame_range()
        there = self._plate.frames()
        first, last = (there[0], there[-1]) if asked is None else (asked.first, asked.last)
        return range(first, last + 1)


def _about(asked: Restoration, plate: Clip) -> dict[str, object]:
    """Return what a movie is made of: what was asked for, and size and time of every input file."""
    clips = [plate] if asked.protect is None else [plate, open_clip(asked.protect)]
    files = {str(clip.path(frame)) for clip in clips for frame in clip.frames() or [0]}
    about: dict[str, object] = {
        **asked.key("restored plates"),
        "plate": asked.plate,
        "frames": asked.frames or "",
        "ocio_config": asked.ocio_config or "",
        "inputs": {file: mark(Path(file)) for file in sorted(files)},
    }
    if asked.finds is not None:
        about["finds"] = Fingerprint.of(Path(asked.finds)).digest
    return about
