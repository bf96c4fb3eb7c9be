"""Where objects are laid: smooth over time, and inside the frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..schedule import takes
from .geometry import Geometry
from .objects import EDGES, Seen, Thing, together
from .steady import steadied, whole

Series = NDArray[np.float64]
Shift = tuple[int, int]


def _share(before: int, after: int) -> float:
    """Return the share of an object that is let go of with such cores on its two sides."""
    shares = (0.0, *EDGES)
    return round(shares[before] + shares[after], 9)


_CUTS = sorted(itertools.product(range(len(EDGES) + 1), repeat=2), key=lambda cut: _share(*cut))
"""How much of an object is let go of on its two sides, as numbers of cores: as little as possible first."""

Path = Mapping[int, Shift]
"""For each frame, how many output pixels right and down of its own scaled place an object is laid; whole
ones, so that its pixels need no filter."""


def object_path(thing: Thing, geometry: Geometry, reach: int) -> dict[int, Shift]:
    """Return the way of one object over the squeezed background.

    Its center belongs where the background behind it goes; that way is smoothed, so that a swinging arm,
    which moves the center, moves nothing else. An object that the plate's edge cuts stays at that edge. One
    that is larger than the output stands in its middle: there most of it is seen.

    Args:
        thing: the object.
        geometry: of the output.
        reach: frames each way that are smoothed over; 0 for none.
    """
    frames = np.arange(thing.first, thing.last + 1)

    def way(axis: int) -> NDArray[np.int_]:
        scale, back = geometry.objects[axis], geometry.background[axis]
        center = _filled(frames, thing.seen, lambda seen: seen.center[axis])
        low, high, fits = _inside(frames, thing.seen, geometry, axis)
        if fits:
            wanted = held(smooth(center, reach) * (back - scale), low, high, reach)
            return _laid(wanted, low, high, reach)
        anywhere = np.full(frames.size, np.inf)
        return _laid(smooth((low + high) / 2, reach), -anywhere, anywhere, reach)

    return _shifts(frames, thing.seen, way)


def window_path(
    things: Sequence[Thing], geometry: Geometry, lower: int, upper: int, cuts: Sequence[int], reach: int
) -> dict[int, Shift]:
    """Return how the whole picture is shifted under the output's window, so that all objects are in it.

    Args:
        things: the objects; without any the window stays in the middle.
        geometry: of the output.
        lower, upper: the frames there are.
        cuts: first frames of new takes.
        reach: as of `object_path`.
    """
    path: dict[int, Shift] = {}
    for first, last in takes(lower, upper, cuts):
        frames = np.arange(first, last + 1)
        seen = {frame: each for frame, each in together(things).items() if first <= frame <= last}
        path |= _shifts(frames, dict.fromkeys(frames.tolist()), _window_way(frames, seen, geometry, reach))
    return path


def _window_way(
    frames: NDArray[np.int_], seen: Mapping[int, Seen], geometry: Geometry, reach: int
) -> Callable[[int], NDArray[np.int_]]:
    def way(axis: int) -> NDArray[np.int_]:
        scale, side = geometry.objects[axis], geometry.size[axis]
        least = min(0.0, side - geometry.source[axis] * scale)
        limits = np.full(frames.size, least), np.zeros(frames.size)
        if not seen:
            return _laid(np.full(frames.size, least / 2), *limits, reach)
        center = _filled(frames, seen, lambda each: each.center[axis])
        low, high, _ = _inside(frames, seen, geometry, axis)
        wanted = held(side / 2 - smooth(center, reach) * scale, low, high, reach)
        return _laid(wanted, *limits, reach)

    return way


def smooth(values: Series, reach: int) -> Series:
    """Smooth a series by a straight line fitted around each of its values: a steady move stays as it is."""
    if reach <= 0 or values.size < 3:
        return values
    out = np.empty_like(values)
    for at in range(values.size):
        low, high = max(0, at - reach), min(values.size, at + reach + 1)
        x = np.arange(low, high, dtype=np.float64) - at
        weight = np.exp(-0.5 * (x / (reach / 2)) ** 2)
        mean = np.average(x, weights=weight)
        spread = float((weight * (x - mean) ** 2).sum())
        level = np.average(values[low:high], weights=weight)
        slope = float((weight * (x - mean) * values[low:high]).sum()) / spread
        out[at] = level - slope * mean
    return out


def held(wanted: Series, low: Series, high: Series, reach: int) -> Series:
    """Keep a series within limits without a kink: the limits are drawn in and smoothed before they count.

    Where they leave no room the middle of them is taken.
    """
    soft_low, soft_high = _drawn(low, reach, np.max), _drawn(high, reach, np.min)
    inside = np.clip(wanted, soft_low, np.maximum(soft_low, soft_high))
    return np.where(soft_low <= soft_high, inside, (soft_low + soft_high) / 2)


def _drawn(limit: Series, reach: int, most: Callable[[Series], float]) -> Series:
    """Return the strictest limit of the frames around each, smoothed: nowhere laxer than the limit itself."""
    if reach <= 0:
        return limit
    around = [slice(max(0, at - reach), at + reach + 1) for at in range(limit.size)]
    strict = np.array([most(limit[each]) for each in around])
    out = np.empty_like(limit)
    for at, each in enumerate(around):
        x = np.arange(each.start, min(each.stop, limit.size)) - at
        out[at] = np.average(strict[each], weights=np.exp(-0.5 * (x / (reach / 2)) ** 2))
    return out


def _inside(
    frames: NDArray[np.int_], seen: Mapping[int, Seen], geometry: Geometry, axis: int
) -> tuple[Series, Series, bool]:
    """Return between which shifts an object is inside the output, and whether it always can be.

    Of an object that is ever larger than the output as much as fits is: kite lines are cut off rather than
    half of the man who holds them. Where not even its smallest core fits, the limits are the wrong way round,
    and their middle is where it is cut alike on both sides.
    """
    scale, side = geometry.objects[axis], geometry.size[axis]
    begins, ends = _edges(frames, seen, 0, axis), _edges(frames, seen, 0, axis + 2)
    # What the plate's edge cuts must not show the cut.
    at_start, at_end = begins <= 0, ends >= geometry.source[axis]
    from_start, from_end = -begins * scale, side - ends * scale
    low, high = from_start, from_end
    fits = bool((low <= high).all())
    if not fits:
        low, high = _most_inside(frames, seen, scale, side, axis)
    high = np.where(at_start & ~at_end, np.minimum(high, from_start), high)
    low = np.where(at_end & ~at_start, np.maximum(low, from_end), low)
    return low, high, fits


def _most_inside(
    frames: NDArray[np.int_], seen: Mapping[int, Seen], scale: float, side: int, axis: int
) -> tuple[Series, Series]:
    """Return between which shifts as much as can be of an object that is too large is inside the output."""
    cores = range(len(EDGES) + 1)
    lows = [-_edges(frames, seen, cut, axis) * scale for cut in cores]
    highs = [side - _edges(frames, seen, cut, axis + 2) * scale for cut in cores]
    for _, alike in itertools.groupby(_CUTS, key=lambda cut: _share(*cut)):
        # Of two sides on which as little is let go of, the one that reaches farther.
        room, (before, after) = max((float((highs[b] - lows[a]).min()), (a, b)) for a, b in alike)
        if room >= 0:
            return lows[before], highs[after]
    return lows[-1], highs[-1]


def _edges(frames: NDArray[np.int_], seen: Mapping[int, Seen], cut: int, edge: int) -> Series:
    """Return where an object ends on an edge, of which the `cut`-th share is let go of; 0 for none."""
    return _filled(frames, seen, lambda each: float((each.body, *each.cores)[cut][edge]))


def _filled(frames: NDArray[np.int_], seen: Mapping[int, Seen], take: Callable[[Seen], float]) -> Series:
    """Return one value a frame; where the object is hidden, on the way between the frames around."""
    return _values(frames, {frame: take(each) for frame, each in seen.items()})


def _values(frames: NDArray[np.int_], known: Mapping[int, float]) -> Series:
    there, values = (np.array(list(each), np.float64) for each in (known.keys(), known.values()))
    return np.asarray(np.interp(frames, there, values), np.float64)


def _laid(way: Series, low: Series, high: Series, reach: int) -> NDArray[np.int_]:
    return whole(steadied(way, low, high, reach), low, high, reach)


def _shifts(
    frames: NDArray[np.int_], wanted: Mapping[int, object], way: Callable[[int], NDArray[np.int_]]
) -> dict[int, Shift]:
    across, down = (way(axis).tolist() for axis in (0, 1))
    return {
        frame: (x, y) for frame, x, y in zip(frames.tolist(), across, down, strict=True) if frame in wanted
    }
