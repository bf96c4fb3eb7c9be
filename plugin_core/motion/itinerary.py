"""Which frames are looked at for what a frame's hole hides, and over which frames its points get there.

Near the frame every one is looked at. What lies farther shows little that its neighbors do not: there only
frames are looked at whose numbers divide by four or eight, whatever the frame, so that the motion between
them is put together once and serves many. What it costs to look twice as far then grows by a few frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

_NEAR = 8
"""Every frame this near is looked at."""

_LONGEST = 8
"""Frames of the longest stride."""

_MIDDLE = 24
"""Every fourth is looked at up to here, every eighth beyond."""


def stops(frame: int, last: int) -> Iterator[tuple[int, bool]]:
    """Yield each frame on the way from `frame` to `last`, and whether it is looked at.

    Neighboring ones lie one, four or eight frames apart; the last is always looked at.
    """
    way = 1 if last > frame else -1
    here = frame
    while here != last:
        here += way * _stride(frame, here, last, way)
        far = abs(here - frame)
        yield here, far <= _NEAR or here == last or here % (4 if far <= _MIDDLE else 8) == 0


def last_stop(frame: int, last: int) -> int:
    """Return where a way to about `last` ends best: where those of other frames stop too."""
    way = 1 if last > frame else -1
    end = last - way * ((last if way > 0 else -last) % 4)
    return end if abs(end - frame) > _NEAR else last


def stopped_at(frame: int, frames: range, span: int) -> set[int]:
    """Return where the ways of a frame, which lead to the ends of some frames, and of those near by stop.

    Args:
        frame: which.
        frames: those that may be looked at for it.
        span: how far away the others may lie.
    """
    near = range(frame - span - _NEAR - 4, frame + span + _NEAR + 5)
    ends = {*frames[:4], *frames[-4:]}
    around = range(frames.start - span, frames.stop + span)
    return {stop for stop in around if stop % 4 == 0 or stop in near or stop in ends}


def legs(frame: int, last: int) -> list[tuple[int, int]]:
    """Return the way from `frame` to `last` as the ends of its strides."""
    return list(pairwise([frame, *(stop for stop, _ in stops(frame, last))]))


def post(frame: int, last: int) -> int | None:
    """Return the frame from which on all that come by go the same way to `last`; None where it is near.

    From there on every stride is as long as can be, see `road`.
    """
    for stop, _ in stops(frame, last):
        if stop % _LONGEST == 0 and abs(stop - frame) >= _MIDDLE:
            return stop if stop != last else None
    return None


def road(post: int, last: int) -> Iterator[int]:
    """Yield the frames on the way from a `post` to `last`, both included, in strides as long as can be."""
    way = 1 if last > post else -1
    yield post
    while post != last:
        left = abs(last - post)
        post += way * next(
            (size for size in (_LONGEST, _LONGEST // 2) if post % size == 0 and left >= size), 1
        )
        yield post


def visited(frame: int, frames: range) -> set[int]:
    """Return the frames at which anyone stops on the ways from `frame` to both ends of a range."""
    return {frame, *(stop for last in (frames[0], frames[-1]) for stop, _ in stops(frame, last))}


def _stride(frame: int, here: int, last: int, way: int) -> int:
    far, left = abs(here - frame), abs(last - here)
    for length in (8, 4):
        if here % length == 0 and left >= length and far >= (_NEAR if length == 4 else _MIDDLE):
            return length
    return 1
