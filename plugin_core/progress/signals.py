"""SIGINT and SIGTERM: the first stops with the state saved, the second at once.

Python's own handlers run in the main thread, between two steps of Python: while a network computes there, or
a picture is read, they wait. So what can't wait is done by a thread that the signal itself wakes, by a byte:
the line that says that the stop was heard, and the end when a second signal finds the process still there.
That end is hard, and as safe as a kill: a final name appears only by a rename of a whole file, and whoever
goes on looks at what is there. Temporary files are removed first.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from ..disk.atomic import remove_unfinished
from ..errors import Interrupted
from .stop import Stop

AT_ONCE = "Stopped at once; go on with --resume from the last saved state."

HURRY_SECONDS = 0.35
"""How long a second signal leaves for an orderly end."""

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_ELLIPSIS = "…"
_CLEAR_LINE, _SHOW_CURSOR = "\r\033[K", "\033[?25h"


@contextmanager
def on_signals(stop: Stop, notice_seconds: float | None = None, *, ends: bool = False) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into stop requests while the block runs; a second one stops at once.

    The first is answered on standard error at once, whatever the process is at. A second raises
    KeyboardInterrupt in the block, and ends the process where the block is not left within `HURRY_SECONDS`.

    Args:
        stop: told of the signal.
        notice_seconds: a frame that takes longer than this after the signal is left in the middle, before the
            farm kills the process: what is saved stays, and the exit code is the signal's. None waits for it.
        ends: the process ends after the block: once a signal has come, later ones are ignored there, for they
            would change the exit code of what has been stopped already.

    Raises:
        Interrupted: a second signal has come.
        ValueError: this is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("Signals are heard in the main thread only.")
    signals = _Signals(stop, notice_seconds)
    previous = {number: signal.signal(number, signals.handle) for number in _NUMBERS}
    woken = signal.set_wakeup_fd(signals.wakes, warn_on_full_buffer=False)
    try:
        yield
    except KeyboardInterrupt:
        if not stop.hurried:
            raise
        raise Interrupted(AT_ONCE, stop.requested() or 130) from None
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_IGN if ends and stop.signalled else handler)
        signals.close(to_its_end=ends)


class _Signals:
    """Hears signals, in the main thread and in one that never waits for anything else."""

    def __init__(self, stop: Stop, notice_seconds: float | None) -> None:
        self._stop = stop
        self._notice_seconds = notice_seconds
        self._handled = self._heard = 0
        self._timers: list[threading.Timer] = []
        self._encoding = getattr(sys.stderr, "encoding", None) or "ascii"
        self._inbox, self._outbox = socket.socketpair()
        self._outbox.setblocking(False)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    @property
    def wakes(self) -> int:
        """Takes a byte for each signal."""
        return self._outbox.fileno()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Python's handler. It may be called once for two signals, and late."""
        self._stop.signalled = True
        self._handled += 1
        if self._handled == 1:
            self._stop.request(128 + number)
        elif not self._stop.hurried:
            self._stop.hurried = True
            raise KeyboardInterrupt

    def close(self, *, to_its_end: bool) -> None:
        """No signal will come; once hurried, the process has only so long to end."""
        for timer in self._timers:
            if not (to_its_end and self._stop.hurried):
                timer.cancel()
        self._outbox.close()

    def _listen(self) -> None:
        while numbers := self._inbox.recv(16):
            for number in numbers:
                if number in _NUMBERS:
                    self._heard += 1
                    self._hear(number)
        self._inbox.close()

    def _hear(self, number: int) -> None:
        if self._heard == 1:
            again = "press Ctrl-C again" if number == signal.SIGINT else "send a second signal"
            self._say(f"cleanplate: stopping{_ELLIPSIS}; {again} to stop at once\n")
            self._stop.signalled = True
            self._stop.request(128 + number)
            if self._notice_seconds is not None:
                why = "cleanplate: the frame took longer than the notice; go on with --resume\n"
                self._leave_in(self._notice_seconds, why)
        elif self._heard == 2:
            self._leave_in(HURRY_SECONDS, f"cleanplate: {AT_ONCE}\n")

    def _leave_in(self, seconds: float, why: str) -> None:
        timer = threading.Timer(seconds, self._leave, (why,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _leave(self, why: str) -> None:
        """End the process now, like a kill, but with the exit code of a stop."""
        remove_unfinished()
        self._say(f"{_SHOW_CURSOR if os.isatty(2) else ''}{why}")
        os._exit(self._stop.requested() or 130)

    def _say(self, line: str) -> None:
        """Write to standard error itself, past whoever may hold it, and not where that would have to wait."""
        with suppress(OSError, ValueError):
            if os.name == "posix" and not select.select([], [2], [], 0)[1]:
                return
            text = (_CLEAR_LINE if os.isatty(2) else "") + line
            try:
                told = text.encode(self._encoding)
            except (UnicodeEncodeError, LookupError):
                told = text.replace(_ELLIPSIS, "...").encode("ascii", "replace")
            os.write(2, told)
