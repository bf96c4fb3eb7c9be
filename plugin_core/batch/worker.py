"""A worker: keeps models open and takes jobs as JSON lines, one after the other.

Lines in::

    {"id": "sh010", "job": {"shot": {...}, "settings": {...}, "run": {...}}}    a job.json, and a name for it
    {"cancel": "sh010"}                                                        stop it; its state is saved

Lines out are the events of `progress`, each with the job's ``id``, and around them::

    {"event": "ready", "pid": 4711, "version": "0.3.0"}
    {"event": "result", "id": "sh010", "exit_code": 0, "frames": 100, "seconds": 41.2}
    {"event": "result", "id": "sh020", "exit_code": 3, "frames": 0, "seconds": 0.1, "message": "Frames ..."}

Every line that is not empty and cancels nothing gets exactly one result, in the order of the lines, whatever
it holds; a job that fails never ends the worker. There is no socket: whoever started the worker owns its two
pipes.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from .. import __version__
from ..api import Model, open_model
from ..disk.bounded import UnreadableError, load_json
from ..errors import DeviceError, SettingsError, translated
from ..job.job import Job
from ..job.settings import Run
from ..job.strict import shown, validated
from ..progress.reporters import HEARTBEAT_SECONDS, JsonLines, Reporters
from ..progress.signals import AT_ONCE
from ..progress.stop import Stop
from ..progress.text import Event
from ..render.side_files import check_side_files
from ..work import carry_out

log = logging.getLogger("cleanplate.batch")

_EXPECTED = 'A line for the worker must be {"id": ..., "job": {...}}'
_KEPT_MODELS = 2
_LONGEST_NAME = 200
"""Letters of a job's name that a message repeats."""

_LONGEST_LINE = 4 << 20
"""Characters; a job with the longest paths there can be has a tenth of it."""


class Ending(Stop):
    """A request to end the worker; wakes it up when it waits for a job.

    Attributes:
        tasks: jobs that came in; None where no more will come.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()

    def request(self, exit_code: int = 130) -> None:
        """Ask for the end: the job at hand is stopped with its state saved."""
        super().request(exit_code)
        self.tasks.put(None)


class _JobStop(Stop):
    """Stops one job: by itself, or because the worker ends."""

    def __init__(self, ending: Ending) -> None:
        super().__init__()
        self._ending = ending

    def requested(self) -> int | None:
        """Return the exit code to stop with, or None to go on."""
        return self._ending.requested() or super().requested()


@dataclass(frozen=True)
class _Task:
    """A line that came in.

    Attributes:
        name: what the result is called by.
        fields: of the job.
        stop: stops it.
        refusal: why there is no job in the line; empty where there is one.
    """

    name: str
    fields: dict[str, Any]
    stop: _JobStop
    refusal: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    exit_code: int
    message: str | None = None


class Models:
    """Models that stay open between jobs; the least recently used are closed."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str, int | None], Model] = OrderedDict()

    def get(self, run: Run) -> Model:
        """Return the model a job asks for. Raises ModelError, DeviceError."""
        asked = (run.model, run.device, run.threads)
        if asked not in self._open:
            while len(self._open) >= _KEPT_MODELS:
                self._close(next(iter(self._open)))
            self._open[asked] = open_model(*asked).__enter__()
        self._open.move_to_end(asked)
        return self._open[asked]

    def close(self) -> None:
        """Close them all."""
        for asked in list(self._open):
            self._close(asked)

    def _close(self, asked: tuple[str, str, int | None]) -> None:
        self._open.pop(asked).__exit__(None, None, None)


class Worker:
    """Takes jobs until its input ends or it is told to stop.

    Args:
        out: takes the lines that go out.
        ending: asked for by signals; its queue holds the lines that came in.
        stop_at_eof: the end of the input stops the job at hand too, instead of finishing what was given: for
            whoever starts workers and may be killed.
    """

    def __init__(self, out: TextIO, ending: Ending, *, stop_at_eof: bool = False) -> None:
        self._out = _Out(out)
        self._ending = ending
        self._stop_at_eof = stop_at_eof
        self._models = Models()
        self._waiting: deque[_Task] = deque()

    def serve(self, lines: TextIO, warm: Run | None = None) -> int:
        """Work; returns the exit code.

        Args:
            lines: jobs.
            warm: open its model before saying that it is ready.
        """
        threading.Thread(target=self._listen, args=(lines,), name="listen", daemon=True).start()
        try:
            if warm is not None:
                self._models.get(warm)
            self._out.report({"event": "ready", "pid": os.getpid(), "version": __version__})
            while self._ending.requested() is None:
                task = self._ending.tasks.get()
                if task is None:
                    break
                self._take(task)
            return self._ending.requested() or 0
        finally:
            self._models.close()

    def _listen(self, lines: TextIO) -> None:
        """Pass jobs on, and act at once on lines that cancel one, until the input ends or breaks."""
        try:
            for line in _lines(lines):
                self._hear(line)
        except (OSError, ValueError) as error:
            log.warning("The input broke: %s.", error)
        finally:
            if self._stop_at_eof:
                self._ending.request(143)
            self._ending.tasks.put(None)

    def _hear(self, line: str | None) -> None:
        stop = _JobStop(self._ending)
        try:
            task, cancelled = _understood(line, stop)
        except Exception as error:  # whatever it is, the line gets its result and the next is heard
            ours = translated(error)
            task, cancelled = _Task("", {}, stop, str(ours or f"A bug, please report it: {error!r}")), None
        if cancelled is None:
            self._waiting.append(task)
            self._ending.tasks.put(task)
            return
        for waiting in tuple(self._waiting):  # at once, since the other thread takes from it
            if waiting.name == cancelled:
                waiting.stop.request(130)

    def _take(self, task: _Task) -> None:
        began = time.monotonic()
        out = _Named(self._out, task.name)
        outcome = self._do(task, out)
        self._waiting.popleft()
        result = {"event": "result", "exit_code": outcome.exit_code, "frames": out.frames}
        result["seconds"] = round(time.monotonic() - began, 3)
        out.report(result | ({} if outcome.message is None else {"message": outcome.message}))

    def _do(self, task: _Task, out: _Named) -> Outcome:
        """Do what a line asks for and say how it ended, whatever happens."""
        try:
            if task.refusal:
                raise SettingsError(task.refusal)
            job = validated(Job, task.fields, f"Job {task.name[:_LONGEST_NAME]}")
            with Reporters(_reporters(job, out), HEARTBEAT_SECONDS) as reporters:
                try:
                    self._render(job, reporters, task.stop)
                except BaseException as error:
                    ended = _outcome(error, task.stop)
                    reporters.error(ended.message or "", ended.exit_code)
                    return ended
        except BaseException as error:
            return _outcome(error, task.stop)
        return Outcome(0)

    def _render(self, job: Job, reporters: Reporters, stop: Stop) -> None:
        try:
            for _ in carry_out(job, lambda: self._models.get(job.run).network, reporters, stop):
                pass
        except Exception as error:
            if isinstance(translated(error), DeviceError):
                # What is left of a device that ran out of memory is not worth keeping.
                self._models.close()
            raise


def _outcome(error: BaseException, stop: Stop) -> Outcome:
    if isinstance(error, KeyboardInterrupt):
        return Outcome(stop.requested() or 130, AT_ONCE)
    ours = translated(error)
    if ours is not None:
        return Outcome(ours.exit_code, str(ours))
    trace = "".join(traceback.format_exception(error))
    return Outcome(1, f"A bug, please report it: {error!r}\n{trace}")


def _reporters(job: Job, out: _Named) -> list[JsonLines | _Named]:
    check_side_files(job.shot, job.run, beside=job.beside())
    path = job.run.progress_file
    return [out] if path is None else [out, JsonLines.file(Path(path))]


class _Out(JsonLines):
    """Standard output, shared by a job's events and its heartbeats."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._one_at_a_time = threading.Lock()

    def report(self, event: Event) -> None:
        """Write one line."""
        with self._one_at_a_time:
            super().report(event)


class _Named:
    """A job's events, with its name, and a count of its frames."""

    def __init__(self, out: _Out, name: str) -> None:
        self._out = out
        self._name = name
        self.frames = 0

    def report(self, event: Event) -> None:
        """Pass an event on."""
        self.frames += event["event"] == "frame"
        self._out.report({"event": event["event"], "id": self._name, **event})

    def close(self) -> None:
        """Nothing to close."""


def _lines(stream: TextIO) -> Iterator[str | None]:
    """Yield the lines that say anything; None in place of one that is too long to be held."""
    while line := stream.readline(_LONGEST_LINE):
        if len(line) < _LONGEST_LINE or line.endswith("\n"):
            if line.strip():
                yield line
            continue
        while (rest := stream.readline(_LONGEST_LINE)) and not rest.endswith("\n"):
            pass
        yield None


def _understood(line: str | None, stop: _JobStop) -> tuple[_Task, str | None]:
    """Return the task of a line, and the name of the job that it cancels in place of being one."""
    if line is None:
        return _Task("", {}, stop, f"A line has more than {_LONGEST_LINE} characters."), None
    try:
        given = load_json(line, "A line for the worker")
    except UnreadableError as error:
        return _Task("", {}, stop, f"{_EXPECTED}; {error.problem}."), None
    if not isinstance(given, dict):
        return _Task("", {}, stop, f"{_EXPECTED}, got {shown(given)}."), None
    name, fields = _name(given.get("id", "")), given.get("job")
    if set(given) == {"cancel"}:
        return _Task(name, {}, stop), _name(given["cancel"])
    if not isinstance(fields, dict) or "cancel" in given:
        return _Task(name, {}, stop, f"{_EXPECTED}, got {shown(given)}."), None
    return _Task(name, fields, stop), None


def _name(given: object) -> str:
    return given if isinstance(given, str) else json.dumps(given)
