"""How a stream gets on: frames, frames a second, latency, frames dropped."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

_WINDOW = 48


@dataclass(frozen=True)
class Pace:
    """A moment's figures.

    Attributes:
        frames: written.
        dropped: not filled, for there was no time.
        fps: frames a second, over the last 48.
        latency: milliseconds from a frame's last byte in to its last byte out, the mean over the same.
        behind: most frames that had come while one was still on its way, over the same.
    """

    frames: int
    dropped: int
    fps: float
    latency: float
    behind: int


class Meter:
    """Counts; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames = self._dropped = self._come = 0
        self._written: deque[tuple[float, float, int]] = deque(maxlen=_WINDOW)

    def come(self, number: int) -> None:
        """A frame has come; the first is 0."""
        with self._lock:
            self._come = number

    def drop(self) -> None:
        """A frame was dropped."""
        with self._lock:
            self._dropped += 1

    def written(self, number: int, come: float) -> None:
        """A frame that came at this time (`time.monotonic`) has been written."""
        now = time.monotonic()
        with self._lock:
            self._frames += 1
            if self._frames == 1:
                return  # All is set up by it.
            self._written.append((now, now - come, self._come - number))

    def pace(self) -> Pace:
        """Return how it gets on."""
        with self._lock:
            written = list(self._written)
            frames, dropped = self._frames, self._dropped
        if not written:
            return Pace(frames, dropped, 0.0, 0.0, 0)
        spent = written[-1][0] - written[0][0]
        return Pace(
            frames,
            dropped,
            (len(written) - 1) / spent if spent > 0 else 0.0,
            1000 * sum(latency for _, latency, _ in written) / len(written),
            max(behind for _, _, behind in written),
        )
