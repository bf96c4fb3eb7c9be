"""How far each shot of a batch is, as its workers tell it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ..errors import CleanplateError
from ..job.job import Job
from ..progress.text import Event, plain
from .chunks import grid, renders_side_by_side, shot_frames
from .shots import BadShot, BatchShot


class Progress(StrEnum):
    """Where a shot stands."""

    WAITING = "waiting"
    RENDERING = "rendering"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass
class Task:
    """What one worker does at a time: a shot, or a chunk of one.

    Attributes:
        name: unlike any other task's.
        shot: how far its shot is.
        job: what is rendered.
        tries: how often it was begun.
    """

    name: str
    shot: ShotProgress
    job: Job
    tries: int = 0


@dataclass
class ShotProgress:
    """One shot of the batch.

    Attributes:
        name: the shot's.
        state: where it stands.
        total: its frames; 0 until known.
        exit_code, message: how its first failing task ended.
        seconds: from its first task's start to its last one's end.
        rendered: frames rendered now, not found.
        warnings: what looked wrong with it, by code.
        output: where its frames go.
        doing: what it is at while no frame comes: a phase and its count; empty for nothing to tell of.
    """

    name: str
    output: str = ""
    state: Progress = Progress.WAITING
    total: int = 0
    exit_code: int = 0
    message: str = ""
    rendered: int = 0
    warnings: dict[str, str] = field(default_factory=dict)
    open_tasks: int = 0
    doing: str = ""
    _began: float | None = None
    _ended: float | None = None
    _done: dict[str, int] = field(default_factory=dict)
    _ends: dict[str, float] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Frames that are on disk."""
        return sum(self._done.values())

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        if self._began is None:
            return 0.0
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    @property
    def frames_per_second(self) -> float:
        """Its pace, over all that was rendered now."""
        return self.rendered / self.seconds if self.rendered else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to its last frame; None while unknown."""
        if self._ends and len(self._ends) == self.open_tasks and self.state is Progress.RENDERING:
            return max(0.0, max(self._ends.values()) - time.monotonic())
        pace = self.frames_per_second
        return (self.total - self.done) / pace if pace and self.state is Progress.RENDERING else None

    def begin(self) -> None:
        """A task of it was given to a worker."""
        self._began = self._began if self._began is not None else time.monotonic()
        if self.state is Progress.WAITING:
            self.state = Progress.RENDERING

    def hear(self, task: str, event: Event) -> None:
        """Take in what a worker told of one of its tasks."""
        if event["event"] in ("start", "frame", "done"):
            self._done[task] = event["done"]
            self.doing = ""
            self.rendered += event["event"] == "frame"
        if event["event"] == "frame":
            self._ends[task] = time.monotonic() + event["eta"]
        elif event["event"] == "phase":
            self.doing = plain(event)

    def is_warned(self, event: Event) -> bool:
        """Take in a note; whether it is a warning that no task of the shot has told yet."""
        code = event.get("code", "")
        if not code or code in self.warnings:
            return False
        self.warnings[code] = event["message"]
        return True

    def end(self, exit_code: int, message: str) -> None:
        """One of its tasks ended for good."""
        self.open_tasks -= 1
        self.doing = ""
        if exit_code and not self.exit_code:
            self.exit_code, self.message = exit_code, message
        if self.open_tasks == 0:
            self._ended = time.monotonic()
        if self.exit_code:
            self.state = Progress.STOPPED if self.exit_code in (130, 143) else Progress.FAILED
        elif self.open_tasks == 0:
            self.state = Progress.DONE


def plan_tasks(shots: Iterable[BatchShot], bad: Iterable[BadShot]) -> tuple[list[ShotProgress], list[Task]]:
    """Return every shot's progress, and the tasks of those that can be rendered.

    Only chunks that are made side by side become tasks of their own: those of an exact render would wait for
    one another, and a shot in one go gives their very pixels.
    """
    progress: list[ShotProgress] = []
    tasks: list[Task] = []
    for shot in shots:
        state = ShotProgress(shot.name, shot.job.shot.output)
        progress.append(state)
        try:
            first, last = shot_frames(shot.job.shot)
            own = _tasks(shot, state, first, last)
        except CleanplateError as error:
            state.open_tasks = 1
            state.end(error.exit_code, str(error))
            continue
        state.total = last - first + 1
        state.open_tasks = len(own)
        tasks += own
    for entry in bad:
        state = ShotProgress(entry.name, open_tasks=1)
        state.end(entry.exit_code, entry.message)
        progress.append(state)
    return progress, tasks


def _tasks(shot: BatchShot, state: ShotProgress, first: int, last: int) -> list[Task]:
    if shot.chunk_frames is None or not renders_side_by_side(shot.job):
        return [Task(shot.name, state, shot.job)]
    tasks = []
    for begin, end in grid(first, last, shot.chunk_frames):
        chunk = f"{begin}-{end}"
        run = shot.job.run.model_copy(update={"chunk": chunk})
        tasks.append(Task(f"{shot.name}:{chunk}", state, shot.job.model_copy(update={"run": run})))
    return tasks
