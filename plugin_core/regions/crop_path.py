"""Where a crop that follows a hole stands on every frame.

A crop keeps its size and moves in whole steps (see `region`). It moves as rarely as its size allows: it
stays until the next frame's hole, with its context, would leave it, and then goes where it can stay longest.
The path is a function of the holes alone. A hole that wanders elsewhere later leaves the places before that
alone, unless it asks for another size.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..box import Box
from .region import Region

_ROOM = (1 / 16, 1 / 8, 3 / 16, 1 / 4)
"""How much larger than what it must show a crop may be, so that it need not move so often."""

_STAY = 8
"""Frames that a crop should stay where it is, on average; larger room is tried until it does."""

_STILL = 1.15
"""A crop that need not move at all may be larger by this factor than one that does."""


@dataclass(frozen=True)
class CropPath:
    """A crop's way over the plate.

    Attributes:
        region: where it stands first.
        moves: frames on which it stands elsewhere than on the frame before, ascending, and where then.
        deep: whether the depth of a hole, rather than the working size, decides how far it is reduced.
    """

    region: Region
    moves: tuple[tuple[int, Box], ...] = ()
    deep: bool = False

    @property
    def area(self) -> int:
        """Plate pixels of the crop."""
        return self.region.crop.width * self.region.crop.height

    def at(self, frame: int) -> Region:
        """Return where the crop stands on a frame."""
        passed = bisect.bisect_right(self.moves, frame, key=lambda move: move[0])
        return self.region.at(self.moves[passed - 1][1]) if passed else self.region


@dataclass(frozen=True)
class Bounds:
    """What a crop obeys.

    Attributes:
        plate: the whole plate, in its own pixels.
        multiple: the network's size multiple.
        working_size: the network works on at most this many pixels squared.
        hole_reach: network pixels that a hole may be deep; None for no limit.
        depth: of the deepest hole in it, in plate pixels.
    """

    plate: Box
    multiple: int
    working_size: int
    hole_reach: int | None = None
    depth: int = 0

    @property
    def least_step(self) -> int:
        """The least plate pixels for one step at which the network reaches the middle of the deepest hole."""
        if self.hole_reach is None:
            return self.multiple
        return max(self.multiple, -(-self.depth * self.multiple // self.hole_reach))

    def is_deep(self, step: int) -> bool:
        """Whether it is for the depth of a hole that a step is as large as it is."""
        return self.multiple < step == self.least_step


def context_of(longest: int, context: int | None) -> int:
    """Return the pixels of plate kept around a hole whose longest side is given: half of it unless told."""
    return max(64, longest // 2) if context is None else context


def still_path(box: Box, bounds: Bounds) -> CropPath:
    """Return the path of a crop that holds a box of the plate and stays there."""
    step = _step_for(box.width, box.height, (False, False), bounds)
    x0, width = _place(box.x0, box.x1, bounds.plate.width, step)
    y0, height = _place(box.y0, box.y1, bounds.plate.height, step)
    region = Region(Box(x0, y0, x0 + width, y0 + height), bounds.plate, step, bounds.multiple)
    return CropPath(region, deep=bounds.is_deep(step))


def follow(needed: Mapping[int, Box], bounds: Bounds) -> CropPath:
    """Choose a path that holds a box of the plate on every frame.

    Args:
        needed: what the crop must show, by frame, in the frames' order; frames without one don't matter.
        bounds: what the crop obeys.
    """
    first, *others = needed.values()
    union = first.union(*others)
    width = max(box.width for box in needed.values())
    height = max(box.height for box in needed.values())
    path = still_path(union, bounds)
    for room in _ROOM:
        larger = (min(round(width * (1 + room)), union.width), min(round(height * (1 + room)), union.height))
        if union.width * union.height <= _STILL * larger[0] * larger[1]:
            return still_path(union, bounds)
        path = _moving(needed, *larger, bounds)
        if len(path.moves) * _STAY <= len(needed):
            break
    return path


def _moving(needed: Mapping[int, Box], width: int, height: int, bounds: Bounds) -> CropPath:
    across, down = (
        [(box.x0, box.x1) for box in needed.values()],
        [(box.y0, box.y1) for box in needed.values()],
    )
    step = _step_for(width, height, (_travels(across, width), _travels(down, height)), bounds)
    columns = _axis(across, width, bounds.plate.width, step)
    rows = _axis(down, height, bounds.plate.height, step)
    frames = list(needed)
    places: list[tuple[int, Box]] = []
    for begin, end in _stays(columns, rows):
        x, y = columns.place(begin, end), rows.place(begin, end)
        box = Box(x, y, x + columns.length, y + rows.length)
        if not places or box != places[-1][1]:
            places.append((frames[begin], box))
    region = Region(places[0][1], bounds.plate, step, bounds.multiple)
    return CropPath(region, tuple(places[1:]), bounds.is_deep(step))


def _travels(spans: Sequence[tuple[int, int]], length: int) -> bool:
    return max(high for _, high in spans) - min(low for low, _ in spans) > length


@dataclass(frozen=True)
class _Axis:
    """One direction of a moving crop: where it may begin on each frame, in steps from `origin`."""

    origin: int
    step: int
    length: int
    inside: tuple[int, int]
    allowed: Sequence[tuple[int, int]]

    def place(self, begin: int, end: int) -> int:
        """Return where the crop begins over frames begin..end: mid-way, on the plate where that can be."""
        low, high = self.range(begin, end)
        inner = max(low, min(high, self.inside[0])), min(high, max(low, self.inside[1]))
        low, high = inner if inner[0] <= inner[1] else (low, high)
        return self.origin + (low + high) // 2 * self.step

    def range(self, begin: int, end: int) -> tuple[int, int]:
        """Return the first and last place that holds every box of frames begin..end."""
        lows, highs = zip(*self.allowed[begin:end], strict=True)
        return max(lows), min(highs)


def _axis(spans: Sequence[tuple[int, int]], length: int, size: int, step: int) -> _Axis:
    """Lay a grid of steps over the plate's side of `size`, from the edge that the crop comes to."""
    lowest, highest = min(low for low, _ in spans), max(high for _, high in spans)
    if not _travels(spans, length):
        origin, length = _place(lowest, highest, size, step)
        return _Axis(origin, step, length, (0, 0), [(0, 0)] * len(spans))
    # One step more than needed: wherever the box lies, a place on the grid holds it.
    length = min(_round_up(length, step) + step, _round_up(size, step))
    origin = (size - length) % step if highest == size and lowest > 0 else 0
    allowed = [(-((origin - high + length) // step), (low - origin) // step) for low, high in spans]
    return _Axis(origin, step, length, (-(origin // step), (size - length - origin) // step), allowed)


def _stays(columns: _Axis, rows: _Axis) -> list[tuple[int, int]]:
    """Split the frames into the fewest runs over which one place holds every box."""
    runs = []
    begin = 0
    held = [columns.allowed[0], rows.allowed[0]]
    for frame in range(1, len(columns.allowed)):
        tighter = [_common(held[0], columns.allowed[frame]), _common(held[1], rows.allowed[frame])]
        if all(low <= high for low, high in tighter):
            held = tighter
        else:
            runs.append((begin, frame))
            begin, held = frame, [columns.allowed[frame], rows.allowed[frame]]
    return [*runs, (begin, len(columns.allowed))]


def _common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), min(one[1], other[1])


def _step_for(width: int, height: int, travels: tuple[bool, bool], bounds: Bounds) -> int:
    """Return the least plate pixels for one step at which the network's input keeps to the working size.

    And at which the network reaches the middle of the deepest hole.
    """
    most = max(1, bounds.working_size**2 // bounds.multiple**2)
    for step in itertools.count(bounds.least_step):
        columns = min(-(-width // step) + travels[0], -(-bounds.plate.width // step))
        rows = min(-(-height // step) + travels[1], -(-bounds.plate.height // step))
        if columns * rows <= most:
            return step
    raise AssertionError("unreachable: a step as large as the plate is enough")


def _place(low: int, high: int, size: int, step: int) -> tuple[int, int]:
    """Widen a span to whole steps, on the plate where it has room; return its begin and its length."""
    length = _round_up(high - low, step)
    middle = (low + high - length) // 2
    return max(0, min(middle, size - length)), length


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
