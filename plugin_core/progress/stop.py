"""Requests to stop: a signal, or a file that appears."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType


class Stop:
    """Asked between two frames whether to go on.

    Args:
        cancel_file: the render stops once this file exists; None watches no file.

    Attributes:
        signalled: a signal has come.
        hurried: one has come that asks to stop at once; further ones add nothing.
    """

    def __init__(self, cancel_file: Path | None = None) -> None:
        self._cancel_file = cancel_file
        self._exit_code: int | None = None
        self.signalled = False
        self.hurried = False

    def watch(self, cancel_file: Path) -> None:
        """Stop once this file exists."""
        self._cancel_file = cancel_file

    def request(self, exit_code: int = 130) -> None:
        """Ask for a stop; safe to call from a signal handler or another thread."""
        self._exit_code = exit_code

    def requested(self) -> int | None:
        """Return the exit code to stop with, or None to go on."""
        if self._exit_code is None and self._cancel_file is not None and self._cancel_file.exists():
            self._exit_code = 130
        return self._exit_code


@contextmanager
def on_signals(stop: Stop, notice_seconds: float | None = None, *, ends: bool = False) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into stop requests while the block runs; a second one stops at once.

    Args:
        stop: told of the signal.
        notice_seconds: a frame that takes longer than this after the signal is left in the middle, before the
            farm kills the process: what is saved stays, and the exit code is the signal's. None waits for it.
        ends: the process ends after the block: once a signal has come, later ones are ignored there, for they
            would change the exit code of what has been stopped already.
    """
    timers: list[threading.Timer] = []

    def handle(number: int, frame: FrameType | None) -> None:
        stop.signalled = True
        if stop.hurried:
            return
        if stop.requested() is not None:
            stop.hurried = True
            raise KeyboardInterrupt
        stop.request(128 + number)
        if notice_seconds is not None:
            timers.append(threading.Timer(notice_seconds, _leave, (128 + number,)))
            timers[0].daemon = True
            timers[0].start()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_IGN if ends and stop.signalled else handler)


def _leave(exit_code: int) -> None:
    """End the process now, like a kill, but with the exit code of a stop."""
    with suppress(OSError):
        os.write(2, b"cleanplate: the frame took longer than the notice; go on with --resume\n")
    os._exit(exit_code)
