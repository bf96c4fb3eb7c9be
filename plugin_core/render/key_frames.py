"""Which frames of a shot are painted, and in what order: from its mattes, its cuts and the search alone.

Each take is divided into stretches of about 32 frames, and each has one regular key frame: where its holes
touch the picture's edge least, near its middle. The one nearest the take's middle is painted first, then its
neighbors outward, each with what the one before carries into it. Between two of them further frames may be
painted, halfway, and halfway again: those in which the paint beside them does not cover what no frame shows
(`key_tree`).

Nothing of this depends on the rendered range: a chunk has the key frames of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..regions.islands import Islands

_STRETCH = 32
"""Frames for which one regular key frame is meant; fewer where the search is short."""

WAYSIDE = 4
"""Key frames' numbers divide by this where they can: the ways of other frames' traces stop there anyway."""


@dataclass(frozen=True)
class KeyFrame:
    """A frame that is painted, or may be.

    Attributes:
        frame: its number.
        parents: the key frames whose paint is carried into it first.
        regular: painted whatever its neighbors cover.
    """

    frame: int
    parents: tuple[int, ...]
    regular: bool = True


@dataclass(frozen=True)
class Span:
    """Frames that take the paint of the same regular key frames.

    Attributes:
        before, after: the key frames on both sides; None where there is none near enough.
        first, last: the frames from the one to the other, those included; or to the end of what is near.
    """

    before: int | None
    after: int | None
    first: int
    last: int

    @property
    def keys(self) -> tuple[int, ...]:
        """Both key frames, or the one that there is."""
        return tuple(dict.fromkeys(key for key in (self.before, self.after) if key is not None))


def choose_key_frames(
    holes: Mapping[int, Islands],
    takes: Sequence[tuple[int, int]],
    *,
    search: int,
    width: int,
    height: int,
) -> tuple[KeyFrame, ...]:
    """Choose the regular key frames of a shot, ascending.

    Args:
        holes: boxes of the holes of every frame on disk.
        takes: first and last frame of each.
        search: frames before and after each that are searched for real pixels, above 0.
        width, height: the plate's size in pixels.
    """

    def at_edge(frame: int) -> int:
        """Count how often the holes of a frame touch the picture's edge."""
        return sum(
            (box.x0 <= 0) + (box.y0 <= 0) + (box.x1 >= width) + (box.y1 >= height) for box in holes[frame]
        )

    chosen: list[KeyFrame] = []
    for first, last in takes:
        frames = _in_stretches(holes, first, last, search, at_edge)
        if not frames:
            continue
        middle = (first + last) / 2
        root = min(frames, key=lambda frame: (at_edge(frame), abs(frame - middle), frame))
        for index, frame in enumerate(frames):
            toward = 0 if frame == root else -1 if frame > root else 1
            parent = frames[index + toward]
            chosen.append(KeyFrame(frame, (parent,) if 0 < abs(parent - frame) <= search else ()))
    return tuple(chosen)


def _in_stretches(
    holes: Mapping[int, Islands], first: int, last: int, search: int, at_edge: Callable[[int], int]
) -> list[int]:
    length = last - first + 1
    count = max(1, round(length / max(1, min(_STRETCH, search * 2 // 3))))
    frames = []
    for index in range(count):
        begin, end = first + index * length // count, first + (index + 1) * length // count
        middle, quarter = (begin + end - 1) / 2, (end - begin) / 4
        holed = [frame for frame in range(begin, end) if holes[frame]]
        central = [frame for frame in holed if abs(frame - middle) <= quarter] or holed
        on_the_way = [frame for frame in central if frame % WAYSIDE == 0] or central
        if on_the_way:
            frames.append(min(on_the_way, key=lambda frame: (at_edge(frame), abs(frame - middle), frame)))
    return frames


def span_of(keys: Sequence[int], frame: int, take: tuple[int, int], search: int) -> Span | None:
    """Return the span that a frame lies in; None where no key frame is near enough.

    Args:
        keys: the regular key frames, ascending.
        frame: which.
        take: first and last frame of its take.
        search: how far from a frame a key frame may be.
    """
    inside = [key for key in keys if take[0] <= key <= take[1]]
    if frame in inside:
        return Span(frame, frame, frame, frame)
    before = next((key for key in reversed(inside) if key < frame), None)
    after = next((key for key in inside if key > frame), None)
    first, last = take[0] if before is None else before, take[1] if after is None else after
    if before is not None and after is not None and after - before > search:
        middle = (before + after) // 2
        if frame <= middle:
            after, last = None, middle
        else:
            before, first = None, middle + 1
    if before is None and after is not None:
        first = max(first, after - search)
    if after is None and before is not None:
        last = min(last, before + search)
    near = (before is not None or after is not None) and first <= frame <= last
    return Span(before, after, first, last) if near else None
