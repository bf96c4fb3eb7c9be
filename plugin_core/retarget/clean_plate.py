"""The clean plate of a shot that is retargeted: given, or rendered beside the output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ..clips.clip import Clip, check_frames, open_clip
from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence
from ..errors import InputError, MissingFramesError
from ..job.job import Job
from ..network.contract import Network
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..render.delivery import render
from ..render.sources import Sources, output_of

FOLDER = "clean"
"""Beside the output: where the clean plate is rendered to."""

_OF_ONE_RUN = {"chunk": None, "state_in": None, "state_out": None, "progress_file": None, "cancel_file": None}


def clean_job(job: Job, sources: Sources) -> Job:
    """Return the job of the clean plate, into a folder beside the output, going on where it stands."""
    shot, run = job.shot, job.run
    path = Path(shot.output)
    folder = (path.parent if is_movie(path) else sources.output.folder) / FOLDER
    clean = output_of(str(folder), lambda: sources.plate).pattern
    shot = shot.model_copy(update={"output": clean, "patch": None, "layers": ()})
    shot = shot.model_copy(update={"compression": None, "bit_depth": None})
    run = run.model_copy(update=_OF_ONE_RUN | ({} if run.overwrite else {"resume": True}))
    return job.model_copy(update={"do": "render", "shot": shot, "run": run})


def render_clean(
    job: Job, network: Callable[[], Network], reporters: Reporters, stop: Stop, said: Collection[str] = ()
) -> None:
    """Render the clean plate, as a phase before the first frame. Raises CleanplateError.

    Args:
        job: from `clean_job`.
        network: opens the model, or has it open.
        reporters: told of progress.
        stop: asked inside every long loop whether to go on.
        said: notes that the user has seen.
    """
    told = _AsAPhase(reporters, said)
    for _ in render(job.shot, job.settings, job.run, network(), told, stop):
        pass


def open_clean(clean: str, sources: Sources) -> Clip:
    """Open a clean plate.

    Raises:
        InputError: its name can't be understood, or it is the output.
        MissingFramesError: it lacks frames.
    """
    opened = open_clip(clean)
    lack = check_frames(opened, sources.first, sources.last, "clean plate")
    if lack is not None:
        raise MissingFramesError(
            f"{lack[0].upper()}{lack[1:]}; supply them or retarget a shorter --frames range."
        )
    sequence = getattr(opened, "sequence", None)
    if isinstance(sequence, FileSequence) and sources.output.same_files(sequence):
        raise InputError(
            f"Output {sources.output} would overwrite the clean plate; give another folder or name."
        )
    return opened


class _AsAPhase(Reporters):
    """Tells of a render inside another run: its frames are a phase of that."""

    def __init__(self, outer: Reporters, said: Collection[str]) -> None:
        super().__init__([])
        self._outer, self._said = outer, said
        self._there = self._all = 0

    def start(
        self, *, first: int, last: int, done: int, copied: Collection[int] = (), **about: str | int
    ) -> None:
        """Note how many frames there are."""
        self._there, self._all = done, last - first + 1
        self._outer.phase(Phase.CLEANING, self._there, self._all)

    def frame(self, frame: int) -> float:
        """Tell of a frame, as so much of the phase."""
        self._there += 1
        self._outer.phase(Phase.CLEANING, self._there, self._all)
        return 0.0

    def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
        """Pass on how a phase gets on."""
        self._outer.phase(phase, done, total)

    def note(self, message: str, code: str = "") -> None:
        """Pass a new note on."""
        if message not in self._said:
            self._outer.note(message, code)

    def origins(self, message: str, shares: Mapping[str, float]) -> None:
        """Pass on where the pixels came from."""
        self._outer.origins(message, shares)

    def done(self) -> None:
        """Say nothing: what was asked for is not done."""
