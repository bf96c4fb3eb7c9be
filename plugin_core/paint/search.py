"""For every patch that touches the hole, the place to borrow a patch from: PatchMatch over whole arrays.

A place is tried because a neighbor borrows from beside it (so copies grow into large pieces), or at random,
around the one so far or anywhere. All patches try the same kind of place at once; the outcome depends on the
seed alone, not on threads. What is near is preferred, and where pieces should hang together, what the
neighbors borrow.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .descriptors import MEANS, described
from .pyramid import MARGIN, RADIUS, Level

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Places = NDArray[np.int64]

_NEAR = 4.0
"""A place as far away as the hole is large costs this many times more than a patch usually differs: what is
near is more often of the same kind, in the same light and as far from the camera."""

LED = 0.5
"""A patch whose mean color is not the guide's costs so many times what one costs whose mean color is not what
is wanted: what touches little of the hole does not fill half of it. Much more, and nothing but haze is smooth
enough."""

_AT_ONCE = 8192
"""So many places are judged by one thread at a time: fewer are not worth handing over."""

_FARTHEST = 8
"""What neighbors so many pixels away borrow is tried at most."""

_CROWD = 1.0
"""Each time that a place is borrowed more than twice costs as many times more than a patch usually differs:
copies beside copies tell the trick."""


@dataclass(frozen=True)
class Work:
    """The part of a level's canvas that is filled, and the patches that touch it.

    Attributes:
        top, left: of the window, on the canvas.
        fill: (h, w) bool, pixels of the window to be filled: the hole, and what lies beyond the picture's
            edge near it.
        centers: (h, w) bool, patches around these touch a pixel to be filled.
        row, column: (n,) of the centers in the window.
        number: (h, w) of the patch around a pixel; -1 where there is none.
    """

    top: int
    left: int
    fill: Bools
    centers: Bools
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    number: NDArray[np.int64]

    @property
    def window(self) -> tuple[slice, slice]:
        """The window's rows and columns on the canvas."""
        height, width = self.fill.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def laid(self, values: NDArray[Any]) -> NDArray[Any]:
        """Lay values (n, ...) of the patches out over the window; 0 elsewhere."""
        full = np.zeros((*self.fill.shape, *values.shape[1:]), values.dtype)
        full[self.row, self.column] = values
        return full


def work_on(level: Level) -> Work:
    """Return the window around a level's hole; the hole must not be empty."""
    padded = np.pad(level.hole, MARGIN)
    near = _grown(padded, 2 * RADIUS)
    outside = np.pad(np.zeros_like(level.hole), MARGIN, constant_values=True)
    fill = padded | (near & outside)
    # No patch may stand out of the canvas.
    fill[:RADIUS] = fill[-RADIUS:] = False
    fill[:, :RADIUS] = fill[:, -RADIUS:] = False
    centers = _grown(padded, RADIUS)
    rows, columns = np.flatnonzero(centers.any(axis=1)), np.flatnonzero(centers.any(axis=0))
    top, bottom = max(rows[0] - RADIUS, 0), rows[-1] + RADIUS + 1
    left, right = max(columns[0] - RADIUS, 0), columns[-1] + RADIUS + 1
    fill, centers = fill[top:bottom, left:right], centers[top:bottom, left:right]
    row, column = np.nonzero(centers)
    number = np.full(centers.shape, -1, np.int64)
    number[row, column] = np.arange(row.size)
    return Work(int(top), int(left), fill, centers, row, column, number)


def allowed_centers(level: Level) -> Bools:
    """Return the canvas' pixels around which a whole patch may be borrowed."""
    side = 2 * RADIUS + 1
    return cv2.erode(level.borrow.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0) > 0


class Search:
    """Where the patches of one level are borrowed from.

    Args:
        level: of the pyramid.
        work: its window.
        allowed: canvas pixels around which a patch may be borrowed; some are.
        place: (n,) where each patch is borrowed from so far.
        random: numbers to try places with.
        coherence: a patch that borrows from elsewhere than all its neighbors costs so many times more than a
            patch usually differs.
        guide: (h, w, 3) the window's pixels as smooth as can be: they lead the patches' mean colors. None for
            none.
        workers: judge places side by side; None for nobody. What is found does not depend on it.

    Attributes:
        place: (n,) the best place so far of each patch, on the flattened canvas.
        cost: (n,) how much the patch there differs.
    """

    def __init__(
        self,
        level: Level,
        work: Work,
        allowed: Bools,
        place: Places,
        random: np.random.Generator,
        coherence: float,
        guide: Floats | None,
        workers: Executor | None = None,
    ) -> None:
        self._workers = workers
        self._stride = level.stride
        self._work = work
        self._allowed = allowed.ravel()
        self._choices = np.flatnonzero(self._allowed)
        self._examples = described(level.pixels).reshape(self._allowed.size, -1)
        self._means = np.ascontiguousarray(self._examples[:, MEANS])
        self._led = None if guide is None else described(guide)[work.row, work.column][:, MEANS]
        self._random = random
        self._wanted = np.zeros((0, 0), np.float32)
        wrong = ~self._allowed[place]
        place = place.copy()
        place[wrong] = self._anywhere(int(wrong.sum()))
        self.place = place
        self.cost = np.zeros(place.size, np.float32)
        # With nobody all around, a step from a patch needs no look at where the window ends.
        self._around = np.pad(work.number, _FARTHEST, constant_values=-1)
        self._middle = (work.row + _FARTHEST) * self._around.shape[1] + work.column + _FARTHEST
        sides = ((-1, 0), (0, -1), (0, 1), (1, 0))
        self._beside = [work.number[work.row + y, work.column + x] for y, x in sides]
        self._by = [y * level.stride + x for y, x in sides]
        self._at = _positions(level)
        self._own = self._at[(work.row + work.top) * level.stride + work.column + work.left]
        self._coherence = coherence
        self._usual = np.float32(0)
        self._crowd = np.zeros(0, np.float32)

    def want(self, pixels: Floats) -> None:
        """Look for patches like those of the window's pixels (h, w, 3) from now on."""
        self._wanted = described(pixels)[self._work.row, self._work.column]
        everyone = np.arange(self.place.size)
        differ = self._differences(everyone, self.place)
        self._usual = np.float32(np.median(differ))
        self._crowd = self._crowded()
        self.cost = differ + self._usual * self._unlikely(everyone, self.place)
        self.cost += self._astray(everyone, self.place)

    def sweep(self, step: int) -> None:
        """Try what neighbors `step` pixels away borrow, at most `_FARTHEST`."""
        for down, across in ((0, step), (step, 0), (0, -step), (-step, 0)):
            self._try_neighbors(down, across)

    def scatter(self, reach: int) -> None:
        """Try a place at random, at most `reach` pixels from the one so far; anywhere where that is 0."""
        count = self.place.size
        if reach:
            down, across = self._random.integers(-reach, reach + 1, (2, count))
            self._try(np.arange(count), self.place + down * self._stride + across)
        else:
            self._try(np.arange(count), self._anywhere(count))

    def _anywhere(self, count: int) -> Places:
        return self._choices[self._random.integers(0, self._choices.size, count)]

    def _try_neighbors(self, down: int, across: int) -> None:
        by = down * self._around.shape[1] + across
        neighbor = np.take(self._around, self._middle + by)
        which = np.flatnonzero(neighbor >= 0)
        neighbor = np.take(neighbor, which)
        self._try(which, np.take(self.place, neighbor) - (down * self._stride + across))

    def _try(self, which: Places, place: Places) -> None:
        """Take a place for each of some patches where it is allowed and better."""
        fine = (place >= 0) & (place < self._allowed.size) & (place != np.take(self.place, which))
        fine &= np.take(self._allowed, place, mode="clip")
        chosen = np.flatnonzero(fine)
        which, place = np.take(which, chosen), np.take(place, chosen)
        parts = [slice(begin, begin + _AT_ONCE) for begin in range(0, which.size, _AT_ONCE)]
        whiches, places = [which[part] for part in parts], [place[part] for part in parts]
        run = map if self._workers is None or len(parts) < 2 else self._workers.map
        # All are judged before the first is taken: neighbors have a say.
        for better, taken, cost in list(run(self._better, whiches, places)):
            self.place[better] = taken
            self.cost[better] = cost

    def _better(self, which: Places, place: Places) -> tuple[Places, Places, Floats]:
        """Return which of some patches a place suits better than theirs, with that place and its cost."""
        cost = self._differences(which, place) + self._usual * self._unlikely(which, place)
        cost += self._astray(which, place)
        if self._coherence:
            fewer = self._fewer_strangers(which, place)
            better = cost < np.take(self.cost, which) + np.float32(self._coherence) * self._usual * fewer
        else:
            better = cost < np.take(self.cost, which)
        chosen = np.flatnonzero(better)
        return np.take(which, chosen), np.take(place, chosen), np.take(cost, chosen)

    def _fewer_strangers(self, which: Places, place: Places) -> Floats:
        """Return by which share fewer of the four neighbors borrow from elsewhere than beside a place.

        Fewer than borrow from elsewhere than beside the places so far.
        """
        fewer = np.zeros(which.size, np.int8)
        so_far = np.take(self.place, which)
        for beside, by in zip(self._beside, self._by, strict=True):
            number = np.take(beside, which)
            there = np.take(self.place, number, mode="wrap") - by
            apart = (there != so_far).view(np.int8) - (there != place).view(np.int8)
            apart *= number >= 0
            fewer += apart
        return fewer.astype(np.float32) / np.float32(4)

    def _unlikely(self, which: Places, place: Places) -> Floats:
        """Return how unlikely places are to be right, in what patches usually differ."""
        apart = np.take(self._at, place, axis=0)
        apart -= np.take(self._own, which, axis=0)
        far = np.sqrt(np.einsum("ij,ij->i", apart, apart))
        return np.asarray(np.float32(_NEAR) * far + np.take(self._crowd, place), np.float32)

    def _astray(self, which: Places, place: Places) -> Floats | np.float32:
        """Return how much the mean colors of places differ from those that the guide shows."""
        if self._led is None:
            return np.float32(0)
        apart = np.take(self._means, place, axis=0)
        apart -= np.take(self._led, which, axis=0)
        return np.asarray(np.float32(LED) * np.einsum("ij,ij->i", apart, apart), np.float32)

    def _crowded(self) -> Floats:
        """Return for each place how much too often its surroundings are borrowed already."""
        uses = np.bincount(self.place, minlength=self._allowed.size).astype(np.float32)
        side = 2 * RADIUS + 1
        uses = uses.reshape(-1, self._stride)
        usual = cv2.boxFilter(uses, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
        return np.asarray(np.float32(_CROWD) * np.clip(usual.reshape(-1) - 2, 0, 4), np.float32)

    def _differences(self, which: Places, place: Places) -> Floats:
        apart = np.take(self._examples, place, axis=0)
        apart -= np.take(self._wanted, which, axis=0)
        return np.asarray(np.einsum("ij,ij->i", apart, apart), np.float32)


def _positions(level: Level) -> Floats:
    """Return the row and column in its picture of each place of the canvas (n, 2), in sizes of the hole."""
    rows = np.arange(level.borrow.shape[0]) % (level.height + 2 * MARGIN)
    at = np.stack(np.meshgrid(rows, np.arange(level.stride), indexing="ij"), axis=-1)
    return np.asarray(at.reshape(-1, 2) / max(float(np.sqrt(level.hole.sum())), 1), np.float32)


def _grown(mask: Bools, radius: int) -> Bools:
    side = 2 * radius + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
