"""Requests to stop: a signal, or a file that appears."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class Stop:
    """Asked between two frames whether to go on.

    Args:
        cancel_file: the render stops once this file exists; None watches no file.
    """

    def __init__(self, cancel_file: Path | None = None) -> None:
        self._cancel_file = cancel_file
        self._exit_code: int | None = None

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
def on_signals(stop: Stop) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into stop requests while the block runs; a second one stops at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.requested() is not None:
            raise KeyboardInterrupt
        stop.request(128 + number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
