"""Which frames are looked at for what a frame's hole hides, and over which frames its points get there.

Near the frame every one is looked at. What lies farther shows little that its neighbors do not: there only
frames are looked at whose numbers divide by four or eight, whatever the frame, so that the motion between
them is put together once and serves many. What it costs to look twice as far then grows by a few frames.
"""

from __future__ import annotations

from collections.abc import Iterator

_NEAR = 8
"""Every frame this near is looked at."""

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


def _stride(frame: int, here: int, last: int, way: int) -> int:
    far, left = abs(here - frame), abs(last - here)
    for length in (8, 4):
        if here % length == 0 and left >= length and far >= (_NEAR if length == 4 else _MIDDLE):
            return length
    return 1
