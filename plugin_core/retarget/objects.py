"""The objects of a shot: what its mattes separate, followed from frame to frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..progress.watch import Phase, Watch
from ..regions.islands import Islands, Track, islands_of, tracks_of
from ..schedule import takes

Floats = NDArray[np.float32]

FAINT = np.float32(1 / 256)
"""What a matte says below this is nothing."""

_SOLID = 0.5
"""An island that is this nowhere is dirt of the matte."""

EDGES = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4)
"""Shares of an object's weight that lie beyond each of its cores on each side."""

_GAP = 12
"""Frames for which an object may be hidden and still be the same."""

_MOST = 32
"""More objects than this (dust, rain) move as one."""


@dataclass(frozen=True)
class Seen:
    """An object on one frame, in pixels of the plate's display window.

    Attributes:
        islands: boxes that hold all of it and nothing of another object.
        box: the smallest around it, its shadow included.
        body: the smallest around it without its shadow: what is to be inside the frame.
        cores: the same around ever less of it, for where it is larger than the frame: first a racket or a
            tail lie outside, then a long shadow that is in the matte.
        center: of its matte's weight, x and y, counted from the window's corner.
        weight: sum of its matte.
    """

    islands: Islands
    box: Box
    body: Box
    cores: tuple[Box, ...]
    center: tuple[float, float]
    weight: float


@dataclass(frozen=True)
class Thing:
    """An object over time.

    Attributes:
        seen: where it is, by frame, ascending.
    """

    seen: Mapping[int, Seen]

    @property
    def first(self) -> int:
        """The first frame that it is on."""
        return min(self.seen)

    @property
    def last(self) -> int:
        """The last one."""
        return max(self.seen)


Read = Callable[[int], tuple[Floats, Floats | None]]
"""Gives a frame's matte and shadow matte (H, W) of 0..1; None where it has none."""


def find_objects(read: Read, lower: int, upper: int, cuts: Sequence[int], watch: Watch) -> tuple[Thing, ...]:
    """Find and follow them; never across a cut. Objects that come near each other anywhere are one.

    Args:
        read: gives the mattes.
        lower, upper: the frames to look at.
        cuts: first frames of new takes.
        watch: told how it gets on.
    """
    found: list[Thing] = []
    for first, last in takes(lower, upper, cuts):
        parts: dict[int, dict[Box, Seen]] = {}
        for frame in range(first, last + 1):
            watch(Phase.MATTES, frame - lower, upper - lower + 1)
            parts[frame] = _parts(*read(frame))
        tracks = tracks_of(((frame, tuple(here)) for frame, here in parts.items()), gap=_GAP)
        if len(tracks) > _MOST:
            tracks = [functools.reduce(Track.joined, tracks)]
        for track in tracks:
            seen = {
                frame: _joined(parts[frame][box] for box in boxes) for frame, boxes in track.boxes.items()
            }
            found.append(Thing(seen))
    return tuple(found)


def matte_of(seen: Seen, box: Box, matte: Floats) -> Floats:
    """Return what of a matte (H, W) is this object's, (h, w) over a box; what is faint is 0."""
    own = np.zeros((box.height, box.width), np.float32)
    for island in seen.islands:
        if (shared := island.shared(box)) is not None:
            own[shared.moved(-box.x0, -box.y0).slices] = matte[shared.slices]
    own[own < FAINT] = 0
    return own


def _parts(matte: Floats, shadow: Floats | None) -> dict[Box, Seen]:
    height, width = matte.shape
    every = matte if shadow is None else np.maximum(matte, shadow)
    mask = every >= FAINT
    box = bounds(mask)
    if box is None:
        return {}
    found: dict[Box, Seen] = {}
    for island in islands_of(mask[box.slices], box, Box(0, 0, width, height)):
        there = every[island.slices]
        tight = bounds(there >= FAINT)
        if tight is None or float(there.max()) < _SOLID:
            continue
        own = matte[island.slices]
        body = bounds(own >= FAINT) if float(own.max()) >= _SOLID else None
        found[island] = _seen(island, tight, *((tight, there) if body is None else (body, own)))
    return found


def _seen(island: Box, box: Box, body: Box, values: Floats) -> Seen:
    weights = np.where(values >= FAINT, values, np.float32(0)).astype(np.float64)
    (x, across), (y, down) = (_spread(weights.sum(axis=axis)) for axis in (0, 1))
    corner = island.x0, island.y0
    cores = tuple(
        Box(left, top, right, bottom).moved(*corner)
        for (left, right), (top, bottom) in zip(across, down, strict=True)
    )
    center = x + corner[0], y + corner[1]
    return Seen((island,), box.moved(*corner), body.moved(*corner), cores, center, float(weights.sum()))


def _spread(weights: NDArray[np.float64]) -> tuple[float, list[tuple[int, int]]]:
    """Return the center of a run of weights, and between which of them its cores lie."""
    summed = np.cumsum(weights)
    inner = [np.searchsorted(summed, (edge * summed[-1], (1 - edge) * summed[-1])) for edge in EDGES]
    center = float((weights * (np.arange(weights.size) + 0.5)).sum() / summed[-1])
    return center, [(int(low), int(high) + 1) for low, high in inner]


def _joined(parts: Iterable[Seen]) -> Seen:
    every = list(parts)
    weight = sum(part.weight for part in every)
    x, y = (sum(part.center[axis] * part.weight for part in every) / weight for axis in (0, 1))
    islands = tuple(sorted(box for part in every for box in part.islands))
    first, *others = every
    box = first.box.union(*(part.box for part in others))
    body = first.body.union(*(part.body for part in others))
    cores = tuple(core.union(*also) for core, *also in zip(*(part.cores for part in every), strict=True))
    return Seen(islands, box, body, cores, (x, y), weight)


def together(things: Sequence[Thing]) -> dict[int, Seen]:
    """Return all objects of each frame as one."""
    frames = sorted({frame for thing in things for frame in thing.seen})
    return {frame: _joined(thing.seen[frame] for thing in things if frame in thing.seen) for frame in frames}
