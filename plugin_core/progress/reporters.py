"""What a render tells the outside while it runs: a bar for people, JSON lines for machines.

A JSON line holds one event, flushed at once::

    {"event": "start", "total": 100, "done": 0, "first": 1001, "last": 1100, "output": "...", "color": "..."}
    {"event": "phase", "phase": "plates", "what": "looking at plates", "done": 31, "total": 58, "elapsed": 4}
    {"event": "frame", "frame": 1012, "done": 12, "total": 100, "seconds": 0.41, "eta": 36.1}
    {"event": "heartbeat", "frame": 1012, "seconds": 60.0}
    {"event": "note", "message": "..."}
    {"event": "note", "message": "The matte covers ...", "code": "matte_inverted"}    (a warning)
    {"event": "origins", "shares": {"found": 0.62, "guessed": 0.38}, "message": "62 % found in ..."}
    {"event": "done", "done": 100, "total": 100, "seconds": 41.2, "output": "..."}
    {"event": "error", "message": "...", "exit_code": 3}

Phases (`progress.watch.Phase`) come before `start` and after it; `total` is 0 where nobody knows it. `eta` is
in seconds, from frames that go on steadily: start-up does not count.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, TextIO

from ..disk.folders import make_folder
from ..errors import Interrupted, WriteError
from .dialects import DIALECTS, lines_of
from .heartbeat import Heartbeat
from .notes import notes
from .pace import TimeLeft
from .stop import Stop
from .terminal import say
from .text import Event, plain
from .watch import DOING, Phase, Watch

_PHASE_SECONDS = 1.0
"""Of one phase is told no more often."""

_QUIET_SECONDS = 2.0
"""Once frames come, phases are told of only where none has come for so long."""

_LOG_SECONDS = 3.0
"""In a log a phase gets a line only where nothing was said for so long."""

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
        self._total = self._done = 0
        self._born = self._began = self._previous = time.monotonic()
        self._left = TimeLeft(self._began, 0, 0)
        self._copied: Collection[int] = ()
        self._output = ""
        self._told_at = -math.inf
        self._phases: set[Phase] = set()

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

    def start(
        self, *, first: int, last: int, done: int, copied: Collection[int] = (), **about: str | int
    ) -> None:
        """Announce the range.

        Args:
            first, last: of it.
            done: so many frames of it are there already.
            copied: frames that nothing is filled on, which take next to no time.
            about: more to tell of.
        """
        self._total, self._done = last - first + 1, done
        self._began = self._previous = time.monotonic()
        self._copied, self._output = copied, str(about.get("output", ""))
        ahead = sum(frame in copied for frame in range(first + done, last + 1))
        self._left = TimeLeft(self._began, self._total - done - ahead, ahead)
        self._send(
            {"event": "start", "total": self._total, "done": done, "first": first, "last": last, **about}
        )

    def frame(self, frame: int) -> float:
        """Announce a written frame; returns the seconds since the one before."""
        now = time.monotonic()
        seconds, self._previous = now - self._previous, now
        self._done += 1
        self._frame = frame
        self._told_at = now
        self._left.frame(now, frame not in self._copied)
        self._send(
            {
                "event": "frame",
                "frame": frame,
                "done": self._done,
                "total": self._total,
                "seconds": round(seconds, 3),
                "eta": round(self._left.seconds(now), 1),
            }
        )
        return seconds

    def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
        """Announce what is being done, and how much of it is done; may be called as often as you like.

        A phase that was not told of yet is told of at once, else one a second, and seldom while frames come.
        """
        now = time.monotonic()
        if phase is Phase.SEARCHING:
            self._left.searched(now, done)
        elif phase is Phase.FILLING:
            self._left.stepped(now, done)
        amid = self._frame is not None and self._done < self._total
        new = phase not in self._phases and not amid
        if new or now - self._told_at >= (_QUIET_SECONDS if amid else _PHASE_SECONDS):
            self._told_at = now
            self._phases.add(phase)
            event = {
                "event": "phase",
                "phase": str(phase),
                "what": DOING[phase],
                "done": done,
                "total": total,
            }
            self._send(event | {"elapsed": round(now - self._born, 1)})

    def watch(self, stop: Stop, message: str) -> Watch:
        """Return what tells of phases, and raises Interrupted with a message once a stop is asked for."""

        def watching(phase: Phase | None = None, done: int = 0, total: int = 0) -> None:
            code = stop.requested()
            if code is not None:
                raise Interrupted(message, code)
            if phase is not None:
                self.phase(phase, done, total)

        return watching

    def note(self, message: str, code: str = "") -> None:
        """Tell the user something worth knowing that does not stop the render.

        Args:
            message: one or two sentences.
            code: of a warning, for machines: what looks wrong and may not be meant.
        """
        notes.log(logging.WARNING if code else logging.INFO, "%s", message)
        self._send({"event": "note", "message": message, **({"code": code} if code else {})})

    def origins(self, message: str, shares: Mapping[str, float]) -> None:
        """Tell where the pixels of all holes came from: in words, and as parts of the whole by class."""
        parts = {name: round(share, 4) for name, share in shares.items()}
        self._send({"event": "origins", "shares": parts, "message": message})

    def done(self) -> None:
        """Announce that every frame is there."""
        seconds = round(time.monotonic() - self._born, 1)
        done = {"event": "done", "done": self._done, "total": self._total, "seconds": seconds}
        self._send(done | {"output": self._output})

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
    def file(cls, path: str | os.PathLike[str]) -> JsonLines:
        """Append to a file, which is made with its folder. Raises WriteError when that can't be."""
        try:
            make_folder(Path(path).parent)
            return cls(open(path, "a", encoding="utf-8", opener=_without_waiting), owned=True)
        except OSError as error:
            raise WriteError(
                f"Can't write progress file {os.fspath(path)}: {error.strerror or error}."
            ) from error

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
    """One plain line a frame, for logs, and one every few seconds of a phase.

    Args:
        stream: takes the lines.
        dialect: also what this farm engine reads.
    """

    def __init__(self, stream: TextIO, dialect: str | None = None) -> None:
        self._stream = stream
        self._lines = lines_of(dialect) if dialect is not None else _plain_lines
        self._said = time.monotonic()

    def report(self, event: Event) -> None:
        """Write what there is to say; plain errors are printed by whoever ends the process."""
        now = time.monotonic()
        if event["event"] == "phase" and now - self._said < _LOG_SECONDS:
            return
        self._said = now
        try:
            for line in self._lines(event):
                say(line, stream=self._stream)
        except OSError:
            _silence(self._stream)

    def close(self) -> None:
        """Nothing to close."""


def choose_reporter(style: str, stream: TextIO | None = None) -> Reporter | None:
    """Return the reporter for ``--progress``; auto takes plain lines off a terminal.

    Args:
        style: ``auto``, ``bar``, ``lines``, ``json``, ``none`` or a farm's dialect.
        stream: standard output for machines and standard error for people unless given.
    """
    if style == "none":
        return None
    if style == "json":
        return JsonLines(stream or sys.stdout)
    if style in DIALECTS:
        return PlainLines(stream or sys.stdout, style)
    stream = stream or sys.stderr
    if style == "bar" or (style == "auto" and stream.isatty()):
        from .bar import Bar

        return Bar(stream)
    return PlainLines(stream)


@contextlib.contextmanager
def reporting(
    style: str = "auto", progress_file: str | os.PathLike[str] | None = None
) -> Iterator[Reporters]:
    """Open the reporters a render was asked for and close them at its end."""
    chosen = [choose_reporter(style)]
    if progress_file is not None:
        chosen.append(JsonLines.file(progress_file))
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
