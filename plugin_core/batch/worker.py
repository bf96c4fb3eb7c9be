"""A worker: keeps models open and takes jobs as JSON lines, one after the other.

Lines in::

    {"id": "sh010", "job": {"shot": {...}, "settings": {...}, "run": {...}}}    a job.json, and a name for it
    {"cancel": "sh010"}                                                        stop it; its state is saved

Lines out are the events of `progress`, each with the job's ``id``, and around them::

    {"event": "ready", "pid": 4711, "version": "0.1.0"}
    {"event": "result", "id": "sh010", "exit_code": 0, "frames": 100, "seconds": 41.2}
    {"event": "result", "id": "sh020", "exit_code": 3, "frames": 0, "seconds": 0.1, "message": "Frames ..."}

Every job gets exactly one result, in the order of the jobs; a job that fails never ends the worker. There is
no socket: whoever started the worker owns its two pipes.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from ..api import Model, open_model
from ..errors import CleanplateError, DeviceError, Interrupted, SettingsError
from ..job.job import Job
from ..job.settings import Run
from ..job.strict import validated
from ..progress.reporters import HEARTBEAT_SECONDS, JsonLines, Reporters
from ..progress.stop import Stop
from ..progress.text import Event
from ..render.delivery import check_progress_file, render

_KEPT_MODELS = 2


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
    """A line that came in."""

    name: str
    given: dict[str, Any]
    stop: _JobStop


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
        self._stops: dict[str, _JobStop] = {}

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
            self._out.report({"event": "ready", "pid": os.getpid(), "version": version("cleanplate")})
            while self._ending.requested() is None:
                task = self._ending.tasks.get()
                if task is None:
                    break
                self._take(task)
            return self._ending.requested() or 0
        finally:
            self._models.close()

    def _listen(self, lines: TextIO) -> None:
        """Pass jobs on, and act at once on lines that cancel one."""
        for line in filter(str.strip, lines):
            given = _parsed(line)
            if "cancel" in given:
                if (stop := self._stops.get(str(given["cancel"]))) is not None:
                    stop.request(130)
                continue
            task = _Task(str(given.get("id", "")), given, _JobStop(self._ending))
            self._stops[task.name] = task.stop
            self._ending.tasks.put(task)
        if self._stop_at_eof:
            self._ending.request(143)
        self._ending.tasks.put(None)

    def _take(self, task: _Task) -> None:
        began = time.monotonic()
        out = _Named(self._out, task.name)
        outcome = self._do(task, out)
        self._stops.pop(task.name, None)
        result = {"event": "result", "exit_code": outcome.exit_code, "frames": out.frames}
        result["seconds"] = round(time.monotonic() - began, 3)
        out.report(result | ({} if outcome.message is None else {"message": outcome.message}))

    def _do(self, task: _Task, out: _Named) -> Outcome:
        try:
            fields = task.given.get("job")
            if not isinstance(fields, dict):
                raise SettingsError('A line for the worker must be {"id": ..., "job": {...}}.')
            job = validated(Job, fields, f"Job {task.name}")
            with Reporters(_reporters(job, out), HEARTBEAT_SECONDS) as reporters:
                return _contained(lambda: self._render(job, reporters, task.stop), reporters)
        except CleanplateError as error:
            return Outcome(error.exit_code, str(error))

    def _render(self, job: Job, reporters: Reporters, stop: Stop) -> None:
        if job.run.cancel_file is not None:
            stop.watch(Path(job.run.cancel_file))
        try:
            network = self._models.get(job.run).network
            for _ in render(job.shot, job.settings, job.run, network, reporters, stop):
                pass
        except DeviceError:
            # What is left of a device that ran out of memory is not worth keeping.
            self._models.close()
            raise


def _contained(work: Callable[[], None], reporters: Reporters) -> Outcome:
    """Run a job and say how it ended, whatever happens."""
    try:
        work()
    except CleanplateError as error:
        reporters.error(str(error), error.exit_code)
        return Outcome(error.exit_code, str(error))
    except KeyboardInterrupt:
        stopped = Interrupted("Stopped at once; go on with --resume from the last saved state.")
        reporters.error(str(stopped), stopped.exit_code)
        return Outcome(stopped.exit_code, str(stopped))
    except Exception as error:
        told = f"A bug, please report it: {error!r}\n{traceback.format_exc()}"
        reporters.error(told, 1)
        return Outcome(1, told)
    return Outcome(0)


def _reporters(job: Job, out: _Named) -> list[JsonLines | _Named]:
    check_progress_file(job)
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


def _parsed(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
