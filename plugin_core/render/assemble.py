"""A movie is made of pictures that lie beside it, and they are removed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ..clips.movie_write import MovieLook, write_movie
from ..clips.sequence import FileSequence
from ..disk.atomic import remove_leftovers
from ..disk.folders import remove_own
from ..errors import Interrupted
from ..images import Plate, read_plate
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..state.folder import journal_path, output_folder


def assemble(
    path: Path,
    pictures: FileSequence,
    frames: range,
    look: MovieLook,
    note: Callable[[Path], None],
    reporters: Reporters,
    stop: Stop,
) -> None:
    """Make a movie of its pictures.

    Args:
        path: of the movie.
        pictures: all that are there.
        frames: their numbers.
        look: what it says besides them.
        note: told the whole file before it takes its name; may raise.
        reporters: told how it gets on.
        stop: asked before each frame whether to go on.

    Raises:
        Interrupted: a stop was asked for; the pictures stay.
        WriteError: the disk does not take it.
    """
    if not look.is_rate_known:
        reporters.note("The plate states no frame rate: the movie has 24 frames a second.")
    reporters.note(
        f"{path.name} is ProRes 4444, which is not lossless: what was not changed was encoded, too. "
        "For untouched pixels to stay exact, write a sequence."
    )
    remove_leftovers(path.parent, lambda found: found == path)

    def plates() -> Iterator[Plate]:
        for number, frame in enumerate(frames):
            code = stop.requested()
            if code is not None:
                message = "Stopped while the movie was made; its frames are kept, go on with --resume."
                raise Interrupted(message, code)
            reporters.phase(Phase.DELIVERING, number, len(frames))
            yield read_plate(pictures.path(frame))

    write_movie(plates(), len(frames), path, look, note)


def remove_pictures(pictures: FileSequence, notes: Collection[str] = ()) -> None:
    """Remove the pictures and what was remembered of them; what anyone else put there stays.

    Args:
        pictures: the sequence.
        notes: patterns of files beside its journal.
    """
    kept = output_folder(pictures)
    remove_own(kept, [journal_path(kept), *(path for name in notes for path in kept.glob(name))])
    with contextlib.suppress(OSError):
        kept.parent.rmdir()
    remove_own(pictures.folder, map(pictures.path, pictures.frames_on_disk()))
