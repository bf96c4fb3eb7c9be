"""What a render tells the outside while it runs: a bar for people, JSON lines for machines.

A JSON line holds one event, flushed at once::

    {"event": "start", "total": 100, "done": 0, "first": 1001, "last": 1100, "output": "...", "color": "..."}
    {"event": "prepare", "what": "looking at plates", "done": 31, "total": 58}
    {"event": "frame", "frame": 1012, "done": 12, "total": 100, "seconds": 0.41, "eta": 36.1}
    {"event": "heartbeat", "frame": 1012, "seconds": 60.0}
    {"event": "note", "message": "..."}
    {"event": "done", "done": 100, "total": 100, "seconds": 41.2}
    {"event": "error", "message": "...", "exit_code": 3}
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from ..disk.folders import make_folder
from ..errors import WriteError
from .dialects import DIALECTS, lines_of
from .heartbeat import Heartbeat
from .terminal import say, shown
from .text import Event, plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PREPARE_SECONDS = 1.0
"""Preparations are told of no more often."""

HEARTBEAT_SECONDS = 30.0
"""A sign of life is sent when nothing else was for so long."""


class Reporter(Protocol):
    """Takes events as they happen."""

    def report(self, event: Event) -> None:
        """Show or write one event."""
        ...

    def close(self) -> None:
        """Nothing more will come."""
        ...


class Reporters:
    """Hands every event to several reporters, and adds what is counted: frames done, seconds, time left.

    As a context manager it also sends a heartbeat while a long frame runs, so that a farm does not take the
    task for dead.

    Args:
        reporters: told of every event.
        heartbeat_seconds: how long nothing may be said; None sends no heartbeats.
    """

    def __init__(self, reporters: Sequence[Reporter], heartbeat_seconds: float | None = None) -> None:
        self._reporters = list(reporters)
        self._one_at_a_time = threading.Lock()
        self._heartbeat_seconds = heartbeat_seconds
        self._heart: Heartbeat | None = None
        self._frame: int | None = None
        self._total = self._done = self._rendered = 0
        self._began = self._previous = time.monotonic()
        self._prepared = -math.inf

    def __enter__(self) -> Reporters:
        if self._heartbeat_seconds is not None:
            self._heart = Heartbeat(self._heartbeat_seconds, self._beat)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._heart is not None:
            self._heart.stop()
        for reporter in self._reporters:
            reporter.close()

    @contextlib.contextmanager
    def also(self, reporter: Reporter) -> Iterator[None]:
        """Tell one more while the block runs, and close it."""
        with self._one_at_a_time:
            self._reporters.append(reporter)
        try:
            yield
        finally:
            with self._one_at_a_time:
                self._reporters.remove(reporter)
            reporter.close()

    def start(self, *, first: int, last: int, done: int, **about: str | int) -> None:
        """Announce the range; `done` frames of it are there already."""
        self._total, self._done = last - first + 1, done
        self._began = self._previous = time.monotonic()
        self._send(
            {"event": "start", "total": self._total, "done": done, "first": first, "last": last, **about}
        )

    def frame(self, frame: int) -> float:
        """Announce a written frame; returns the seconds since the one before."""
        now = time.monotonic()
        seconds, self._previous = now - self._previous, now
        self._done += 1
        self._rendered += 1
        self._frame = frame
        pace = (now - self._began) / self._rendered
        self._send(
            {
                "event": "frame",
                "frame": frame,
                "done": self._done,
                "total": self._total,
                "seconds": round(seconds, 3),
                "eta": round(pace * (self._total - self._done), 1),
            }
        )
        return seconds

    def prepare(self, what: str, done: int, total: int) -> None:
        """Announce how far something is that comes before the first frame; at most once a second."""
        now = time.monotonic()
        if now - self._prepared >= _PREPARE_SECONDS:
            self._prepared = now
            self._send({"event": "prepare", "what": what, "done": done, "total": total})

    def note(self, message: str) -> None:
        """Tell the user something worth knowing that does not stop the render."""
        self._send({"event": "note", "message": message})

    def done(self) -> None:
        """Announce that every frame is there."""
        seconds = round(time.monotonic() - self._began, 1)
        self._send({"event": "done", "done": self._done, "total": self._total, "seconds": seconds})

    def error(self, message: str, exit_code: int) -> None:
        """Announce the end that was not wanted."""
        self._send({"event": "error", "message": message, "exit_code": exit_code})

    def _beat(self, seconds: float) -> None:
        self._tell({"event": "heartbeat", "frame": self._frame, "seconds": round(seconds, 1)})

    def _send(self, event: Event) -> None:
        if self._heart is not None:
            self._heart.heard()
        self._tell(event)

    def _tell(self, event: Event) -> None:
        with self._one_at_a_time:
            for reporter in self._reporters:
                reporter.report(event)


class JsonLines:
    """One JSON object a line, flushed at once."""

    def __init__(self, stream: TextIO, *, owned: bool = False) -> None:
        self._stream = stream
        self._owned = owned

    @classmethod
    def file(cls, path: Path) -> JsonLines:
        """Append to a file, which is made with its folder. Raises WriteError when that can't be."""
        try:
            make_folder(path.parent)
            return cls(open(path, "a", encoding="utf-8", opener=_without_waiting), owned=True)
        except OSError as error:
            raise WriteError(f"Can't write progress file {path}: {error.strerror or error}.") from error

    def report(self, event: Event) -> None:
        """Write one line. A reader that has gone away or a full disk never stops the render."""
        try:
            say(json.dumps(event, ensure_ascii=False), stream=self._stream)
        except OSError:
            _silence(self._stream)

    def close(self) -> None:
        """Close the file, if it is ours."""
        if self._owned:
            with contextlib.suppress(OSError):
                self._stream.close()


class PlainLines:
    """One plain line a frame, for logs; with a dialect, also what a farm engine reads."""

    def __init__(self, stream: TextIO, dialect: str | None = None) -> None:
        self._stream = stream
        self._lines = lines_of(dialect) if dialect is not None else _plain_lines

    def report(self, event: Event) -> None:
        """Write what there is to say; plain errors are printed by whoever ends the process."""
        try:
            for line in self._lines(event):
                say(line, stream=self._stream)
        except OSError:
            _silence(self._stream)

    def close(self) -> None:
        """Nothing to close."""


class Bar:
    """A progress bar with frame, frames per second and time left."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(file=stream)
        self._progress: Progress = Progress(
            TextColumn("frame {task.fields[frame]}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}  {task.fields[pace]}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None

    def report(self, event: Event) -> None:
        """Move the bar."""
        if event["event"] == "start":
            self._progress.start()
            self._task = self._progress.add_task(
                "", total=event["total"], completed=event["done"], frame=event["first"], pace=""
            )
        elif event["event"] == "frame" and self._task is not None:
            pace = f"{1 / max(event['seconds'], 1e-3):.2f} fps"
            self._progress.update(self._task, completed=event["done"], frame=event["frame"], pace=pace)
        elif event["event"] == "prepare" and self._task is not None:
            self._progress.update(self._task, pace=f"{event['what']} {event['done']}/{event['total']}")
        elif event["event"] == "note":
            self._console.print(shown(f"note: {event['message']}"), markup=False, highlight=False)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()


def choose_reporter(style: str, stream: TextIO | None = None) -> Reporter | None:
    """Return the reporter for ``--progress``; auto takes plain lines off a terminal.

    Args:
        style: ``auto``, ``bar``, ``json``, ``none`` or a farm's dialect.
        stream: standard output for machines and standard error for people unless given.
    """
    if style == "none":
        return None
    if style == "json":
        return JsonLines(stream or sys.stdout)
    if style in DIALECTS:
        return PlainLines(stream or sys.stdout, style)
    stream = stream or sys.stderr
    if style == "bar" or stream.isatty():
        return Bar(stream)
    return PlainLines(stream)


@contextlib.contextmanager
def reporting(style: str, progress_file: str | None) -> Iterator[Reporters]:
    """Open the reporters a render was asked for and close them at its end."""
    chosen = [choose_reporter(style)]
    if progress_file is not None:
        chosen.append(JsonLines.file(Path(progress_file)))
    there = [reporter for reporter in chosen if reporter is not None]
    with Reporters(there, HEARTBEAT_SECONDS if there else None) as reporters:
        yield reporters


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody reads from is an error, not a place to wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def _silence(stream: TextIO) -> None:
    """Send what is still buffered nowhere, or Python would complain of it when the process ends."""
    if stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _plain_lines(event: Event) -> list[str]:
    return [line for line in [plain(event)] if line]
