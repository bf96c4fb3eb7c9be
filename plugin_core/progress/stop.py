"""Requests to stop: a signal, a file that appears, a call."""

from __future__ import annotations

from pathlib import Path


class Stop:
    """Asked inside every long loop whether to go on.

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
