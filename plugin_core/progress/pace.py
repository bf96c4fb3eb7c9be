"""The time that is left, from what goes on steadily: neither start-up nor the first frame counts."""

from __future__ import annotations

from collections import deque

_WINDOW = 24
"""The pace is that of so many units, the latest."""

_SURE = 8
"""With fewer frames than this, what comes before the frames has a say in how fast they will come."""


class Pace:
    """The pace of something that is done unit by unit. Counts may leap and stand still, never fall."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque(maxlen=_WINDOW + 1)

    @property
    def units(self) -> int:
        """How many units the pace is known from."""
        return self._marks[-1][1] - self._marks[0][1] if self._marks else 0

    def mark(self, now: float, done: int) -> None:
        """So many are done now. Before the first are nothing but preparations."""
        if done > (self._marks[-1][1] if self._marks else 0):
            self._marks.append((now, done))

    def pause(self, seconds: float) -> None:
        """Leave out seconds since the last mark, in which something else was done."""
        self._marks = deque(((at + seconds, done) for at, done in self._marks), maxlen=_WINDOW + 1)

    def seconds(self) -> float | None:
        """Return the seconds of a unit; None while nothing tells."""
        return (self._marks[-1][0] - self._marks[0][0]) / self.units if self.units else None


class TimeLeft:
    """The time left of a render.

    What is told of comes in any order of threads; a frame that is only copied takes next to nothing, and says
    nothing of the others.

    Args:
        began: when.
        filled, copied: frames that are to come, with a hole and without.
    """

    def __init__(self, began: float, filled: int, copied: int) -> None:
        self._began = self._before = began
        self._left = {True: filled, False: copied}
        self._filling, self._searching, self._stepping = Pace(), Pace(), Pace()
        self._copying = 0.0
        self._count = {True: 0, False: 0}

    def searched(self, now: float, done: int) -> None:
        """Of so many frames pixels were looked for: that goes on ahead of the filling, no slower than it."""
        self._searching.mark(now, done)

    def stepped(self, now: float, begun: int) -> None:
        """The network has begun so many steps."""
        self._stepping.mark(now, begun)

    def frame(self, now: float, filled: bool) -> None:
        """A frame is there."""
        self._left[filled] = max(0, self._left[filled] - 1)
        self._count[filled] += 1
        if filled:
            self._filling.mark(now, self._count[True])
        else:
            self._copying += now - self._before
            self._filling.pause(now - self._before)
        self._before = now

    def seconds(self, now: float) -> float:
        """Return the seconds to the last frame."""
        copy = self._copying / self._count[False] if self._count[False] else 0.0
        return self._left[True] * self._seconds_to_fill(now) + self._left[False] * copy

    def _seconds_to_fill(self, now: float) -> float:
        filling = self._filling.seconds()
        if filling is not None and self._filling.units >= _SURE:
            return filling
        searching, stepping = self._searching.seconds(), self._stepping.seconds()
        if filling is None and stepping is not None:
            # The first step opens the graphs too: it counts as far as the search bears it out.
            filling = stepping if searching is None else min(stepping, 2 * searching)
        known = [pace for pace in (filling, searching) if pace is not None]
        return max(known) if known else (now - self._began) / max(1, sum(self._count.values()))
