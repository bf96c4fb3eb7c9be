"""Render to what was asked for: pictures, or one movie.

A movie can't be gone on with frame by frame: its index is written last. So its frames are rendered as TIFF
pictures, uncompressed and of the plate's depth, into a folder beside it (`movie_frames_folder`),
with journal and states as for any sequence. When all are there the movie is made of them under a temporary
name and renamed, and the pictures are removed. An interrupted render leaves them, and resumes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from ..clips.clip import Clip, holds
from ..clips.movie_read import is_movie
from ..clips.movie_write import MovieLook, check_movie
from ..clips.sequence import FileSequence
from ..errors import InputError, WriteError
from ..job.job import Job
from ..job.settings import Run, Settings, Shot, matte_names
from ..network.contract import Network
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..state.folder import movie_frames_folder, paint_folder
from .assemble import assemble, remove_pictures
from .made_movie import look_at_movie, mark, movie_about, note_movie
from .render import FrameDone
from .render import render as render_frames
from .resume import HOW_TO_GO_ON
from .sources import plate_of


def render(
    shot: Shot,
    settings: Settings,
    run: Run,
    network: Network,
    reporters: Reporters,
    stop: Stop,
    *,
    recorded: Callable[[Job], None] = lambda job: None,
) -> Iterator[FrameDone]:
    """Render a shot to its output, a sequence or a movie; see `render.render`.

    A movie's frames are yielded as they come, under the names they have until the movie is made.
    """
    if not is_movie(shot.output):
        return render_frames(shot, settings, run, network, reporters, stop, recorded=recorded)
    return _MovieRender(shot, settings, run, network, reporters, stop).frames(recorded)


def pictures_of(shot: Shot) -> Shot:
    """Return the shot whose output is the pictures that a movie is made of; itself for a sequence."""
    path = Path(shot.output)
    if not is_movie(path):
        return shot
    pattern = movie_frames_folder(path) / f"{path.stem}.####.tif"
    return shot.model_copy(update={"output": str(pattern), "compression": "none"})


def check_delivery(shot: Shot, run: Run, plate: Clip) -> None:
    """Refuse what can't be asked of a movie; says nothing of a sequence. Raises InputError."""
    path = Path(shot.output)
    if not is_movie(path):
        return
    if run.chunk or run.state_in or run.state_out:
        raise InputError(
            f"{path} is a movie, which is written in one go: render chunks to a sequence, and make "
            "the movie of it."
        )
    if shot.patch or shot.layers:
        raise InputError(
            f"{path} is a movie, which has no layers and no patch beside it; render a sequence for --patch "
            "and --layers."
        )
    if shot.compression or shot.bit_depth:
        raise InputError(f"{path} is a movie: leave --compression and --bit-depth out.")
    if any(holds(clip, path) for clip in (shot.plate, *matte_names(shot))):
        raise InputError(f"Output {path} would overwrite an input; give another name.")
    if path.is_dir():
        raise InputError(f"Output {path} is a folder, and a movie is one file; give another name.")
    if path.exists() and not (run.goes_on or run.overwrite):
        raise InputError(f"{path} is there already; {HOW_TO_GO_ON}.")
    check_movie(path, plate.header(_range(shot, plate)[0]).is_float)


def _range(shot: Shot, plate: Clip) -> tuple[int, int]:
    asked = shot.frame_range()
    there = plate.frames()
    return (there[0], there[-1]) if asked is None else (asked.first, asked.last)


class _MovieRender:
    """One render to a movie."""

    def __init__(
        self, shot: Shot, settings: Settings, run: Run, network: Network, reporters: Reporters, stop: Stop
    ) -> None:
        self._shot, self._settings, self._run = shot, settings, run
        self._network, self._reporters, self._stop = network, reporters, stop
        self._path = Path(shot.output)
        self._inner = pictures_of(shot)
        self._pattern = Path(self._inner.output)
        self._found: list[int] = []

    def frames(self, recorded: Callable[[Job], None]) -> Iterator[FrameDone]:
        """Check, render what is missing, make the movie."""
        plate = plate_of(self._shot)
        check_delivery(self._shot, self._run, plate)
        about = movie_about(self._shot, self._settings, self._network.model_id)
        there = look_at_movie(self._path)
        if there.is_precious and self._run.keep_edited:
            self._reporters.note(f"{self._path} was changed since it was written: kept as found.")
            self._say_done()
            return
        if there.is_precious and not self._run.overwrite:
            raise InputError(
                f"{self._path} was changed since it was written, or is of no render of ours. Leave it as it "
                "is with --keep-edited, or start again with --overwrite, which replaces it."
            )
        if there.is_precious:
            self._reporters.note(f"{self._path} was changed since it was written: replaced.")
        if self._run.goes_on and there.is_made_of(about, self._shot, self._settings):
            self._say_done()
            return
        self._found = mark(self._path)
        quiet = UntilTheMovie(self._reporters, str(self._path))
        given = self._settings, self._run, self._network, quiet, self._stop
        yield from render_frames(self._inner, *given, asked=self._shot, recorded=recorded)
        self._make(plate, about)
        self._reporters.done()

    def _say_done(self) -> None:
        first, last = _range(self._shot, plate_of(self._shot))
        count = last - first + 1
        self._reporters.start(first=first, last=last, done=count, output=str(self._path), color="")
        self._reporters.done()

    def _make(self, plate: Clip, about: dict[str, object]) -> None:
        """Make the movie of the pictures, and remove them."""
        first, last = _range(self._shot, plate)
        pictures = FileSequence.parse(self._pattern)

        def note(movie: Path) -> None:
            """Say what the movie is like that is about to take its name, and what stands there till then."""
            if mark(self._path) != self._found:
                raise WriteError(
                    f"{self._path} was changed while the render ran, and is not replaced; leave it as it is "
                    "with --keep-edited, or start again with --overwrite."
                )
            paint = paint_folder(pictures).glob("paint.*.exr")
            note_movie(self._path, about, movie, self._found, paint)

        look = MovieLook.of(plate.plate(first))
        frames = range(first, last + 1)
        assemble(self._path, pictures, frames, look, note, self._reporters, self._stop)
        remove_pictures(pictures, ["state.*.safetensors"])


class UntilTheMovie(Reporters):
    """Tells of the frames as they come, but says done only where the movie is."""

    def __init__(self, outer: Reporters, output: str) -> None:
        super().__init__([])
        self._outer, self._output = outer, output

    def start(
        self, *, first: int, last: int, done: int, copied: Collection[int] = (), **about: str | int
    ) -> None:
        """Announce the range, with the movie as output."""
        about["output"] = self._output
        self._outer.start(first=first, last=last, done=done, copied=copied, **about)

    def frame(self, frame: int) -> float:
        """Announce a frame."""
        return self._outer.frame(frame)

    def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
        """Pass on how a phase gets on."""
        self._outer.phase(phase, done, total)

    def note(self, message: str, code: str = "") -> None:
        """Pass a note on."""
        self._outer.note(message, code)

    def origins(self, message: str, shares: Mapping[str, float]) -> None:
        """Pass on where the pixels came from."""
        self._outer.origins(message, shares)

    def done(self) -> None:
        """Say nothing yet: the frames are there, the movie is not."""
