"""Signs of life while a long frame runs, so that nobody takes the render for dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Heartbeat:
    """Calls a function whenever nothing else was heard for some time.

    Args:
        every_seconds: how long the silence may last.
        beat: called from a thread of its own with the seconds since something was last heard.
    """

    def __init__(self, every_seconds: float, beat: Callable[[float], None]) -> None:
        self._every = every_seconds
        self._beat = beat
        self._over = threading.Event()
        self._heard = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def heard(self) -> None:
        """Something was said: begin to count anew."""
        self._heard = time.monotonic()

    def stop(self) -> None:
        """No more beats from here on."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        wait = self._every
        while not self._over.wait(wait):
            silent = time.monotonic() - self._heard
            if silent < self._every:
                wait = self._every - silent
            else:
                self._beat(silent)
                wait = self._every
