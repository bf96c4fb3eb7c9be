"""Complete one picture by examples: where every pixel of its hole is best copied from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..errors import InputError
from .greedy import greedy
from .poisson import membrane
from .pyramid import MARGIN, RADIUS, Level, Picture, opponent, pyramid
from .search import Places, Search, Work, allowed_centers, work_on
from .vote import voted

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]

Tick = Callable[[float], None]
"""Called often, with the share that is done, 0..1; may raise to stop."""

_SMALLEST = 48
"""The pyramid's smallest level has a shorter side of this many pixels or up to twice as many: enough for a
shore or a roof to be seen, and to be led across the hole before anything else is searched."""

_COHERENCE = 6.0, 3.0, 1.0
"""How much pieces should hang together, at full size, half and a quarter; before, they find their form."""

_MOST = 3_500_000
"""Where all pictures of a level have more pixels together, what the smaller one found is only enlarged."""


@dataclass(frozen=True)
class Source:
    """A picture that may be borrowed from: another frame of the take.

    Attributes:
        picture: (H, W, 3) float32, display-referred, 0..1 nominally; H and W as those of the picture to be
            completed.
        may_borrow: (H, W) bool, True where its pixels may be copied.
    """

    picture: Floats
    may_borrow: Bools


@dataclass(frozen=True)
class Completion:
    """Where each pixel of a hole is copied from.

    Attributes:
        box: around the hole and the pixels next to it, as far as the picture goes; in pixels of the picture.
        hole: (h, w) bool, within the box.
        source: (h, w) int32, 0 for the picture itself, 1 for the first of the other ones ...; -1 outside the
            hole and where the pixel was known already: it stays.
        y, x: (h, w) int32, row and column in that source; the pixel's own where source is -1.
    """

    box: Box
    hole: Bools
    source: Ints
    y: Ints
    x: Ints


def complete(
    picture: Floats,
    hole: Bools,
    may_borrow: Bools,
    *,
    others: Sequence[Source] = (),
    known: Floats | None = None,
    seed: int = 0,
    tick: Tick | None = None,
    workers: Executor | None = None,
) -> Completion:
    """Find what to copy into a hole.

    A function of its arguments alone: the same on every run, for any number of threads.

    Args:
        picture: (H, W, 3) float32, display-referred, 0..1 nominally, all finite; what lies in the hole is not
            looked at, except where it is known.
        hole: (H, W) bool, to be filled.
        may_borrow: (H, W) bool, True where pixels may be copied; what lies in the hole never is.
        others: other frames to borrow from; the fewer and the smaller, the faster.
        known: (H, W) float32, 0..1: how surely the picture's pixels in the hole are what belongs there.
            Surely known ones (1) stay, less known ones lead what is chosen. None for none.
        seed: another one gives another fill.
        tick: called often, with the share done; may raise to stop.
        workers: take a part of the work; None for nobody. Not to be those whose thread calls.

    Raises:
        InputError: nothing may be borrowed, or the arguments' shapes differ.
    """
    _check(picture, hole, may_borrow, others, known)
    around = bounds(hole)
    if around is None:
        raise InputError("There is nothing to paint: the hole is empty.")
    given = np.zeros(hole.shape, np.float32) if known is None else np.asarray(known, np.float32)
    pictures = [Picture(opponent(picture), may_borrow & ~hole)]
    pictures += [Picture(opponent(one.picture), one.may_borrow) for one in others]
    levels = [one for one in pyramid(pictures, hole, given, smallest=_SMALLEST) if allowed_centers(one).any()]
    if not levels:
        side = 2 * RADIUS + 1
        raise InputError(
            f"There is nothing to paint with: no {side}x{side} pixels may be borrowed in "
            f"{len(pictures)} picture(s) of {hole.shape[1]}x{hole.shape[0]} pixels; "
            "let the sample matte or the hole's margin exclude less."
        )
    level, work, places = _down(levels, seed, tick or (lambda share: None), workers)
    box = Box(*around).grown(1).within(hole.shape[1], hole.shape[0])
    return _completion(box, hole, given, level, work, places)


def _down(
    levels: Sequence[Level], seed: int, tick: Tick, workers: Executor | None
) -> tuple[Level, Work, Places]:
    """Search the smallest level first, and each finer one from where it led.

    The hole's surroundings, continued smoothly, lead what is chosen on all levels but the finest: there what
    has been chosen leads.
    """
    coarse: tuple[Level, Work, Places] | None = None
    efforts = [(_turns(level, number) + 0.1) / 4**number for number, level in enumerate(levels)]
    for number in reversed(range(len(levels))):
        level = levels[number]
        work, allowed = work_on(level), allowed_centers(level)
        random = np.random.default_rng((seed, number))
        coherence = _COHERENCE[number] if number < len(_COHERENCE) else 0.0
        turns = _turns(level, number)
        done = sum(efforts[number + 1 :]) / sum(efforts)
        if coarse is not None and turns == 0:
            coarse = level, work, _finer(*coarse, level, work)
            continue
        guide = _guide(level, work, partial(tick, done)) if number else None
        if coarse is None:
            place, pixels = greedy(level, work, allowed, guide)
        else:
            place, pixels = _finer(*coarse, level, work), None
        search = Search(level, work, allowed, place, random, coherence, guide, workers)
        if pixels is None:
            pixels = voted(level, work, search, workers)
        for turn in range(turns):
            share = done + efforts[number] * turn / turns / sum(efforts)
            search.want(pixels)
            widely = coarse is None or (number > 0 and turn < 2)
            for step in _steps(search, first=turn == 0, widely=widely):
                tick(share)
                step()
            pixels = voted(level, work, search, workers)
        coarse = level, work, search.place
    assert coarse is not None  # there is a level
    return coarse


def _guide(level: Level, work: Work, tick: Callable[[], None]) -> Floats | None:
    """Return the window's pixels (h, w, 3), as smooth as can be where they are not known; None for none."""
    known = np.pad(np.where(level.hole, level.known, 1), MARGIN)[work.window]
    if not (known >= 0.5).any():
        return None
    return membrane(level.pixels[work.window], known < 0.5, lambda share: tick())


def _steps(search: Search, *, first: bool, widely: bool) -> Iterator[Callable[[], None]]:
    """Give what a turn does, each to be called: so it can be stopped in between."""
    for apart in (8, 4, 2, 1) if first else (2, 1):
        yield partial(search.sweep, apart)
    for reach in (0, 64, 16, 4, 1) if widely else (16, 4, 1):
        yield partial(search.scatter, reach)
    yield partial(search.sweep, 1)


def _turns(level: Level, number: int) -> int:
    """Return how often a level is searched and put together anew."""
    if level.borrow.size > _MOST:
        return 0
    return 8 if number >= 2 else 4 if number or level.borrow.size < _MOST // 4 else 2


def _finer(coarse: Level, of: Work, place: Places, level: Level, work: Work) -> Places:
    """Return a coarser level's places for the patches of the next finer one."""
    row, column = work.row + work.top, work.column + work.left
    y, x = np.clip((row - MARGIN) // 2 + MARGIN - of.top, 0, None), (column - MARGIN) // 2 + MARGIN - of.left
    numbers = of.number
    y = np.clip(y, 0, numbers.shape[0] - 1)
    x = np.clip(x, 0, numbers.shape[1] - 1)
    number = numbers[y, x]
    picture, source_y, source_x = coarse.pixel(place[np.maximum(number, 0)])
    fine = level.place(picture, 2 * source_y + (row - MARGIN) % 2, 2 * source_x + (column - MARGIN) % 2)
    return np.asarray(np.where(number >= 0, fine, 0), np.int64)


def _completion(box: Box, hole: Bools, known: Floats, level: Level, work: Work, place: Places) -> Completion:
    rows, columns = box.slices
    within = hole[rows, columns]
    y, x = (axis.astype(np.int32) for axis in np.mgrid[rows, columns])
    source = np.full(within.shape, -1, np.int32)
    paint = within & (known[rows, columns] < 1)
    number = work.number[y[paint] + MARGIN - work.top, x[paint] + MARGIN - work.left]
    source[paint], y[paint], x[paint] = level.pixel(place[number])
    return Completion(box, within, source, y, x)


def _check(
    picture: Floats, hole: Bools, may_borrow: Bools, others: Sequence[Source], known: Floats | None
) -> None:
    size = hole.shape
    parts = [("picture", picture.shape[:2]), ("may_borrow", may_borrow.shape)]
    parts += [("known", known.shape)] if known is not None else []
    for number, one in enumerate(others, 1):
        parts += [(f"picture {number} to borrow from", one.picture.shape[:2])]
        parts += [(f"what may be borrowed of picture {number}", one.may_borrow.shape)]
    for name, shape in parts:
        if tuple(shape) != size:
            raise InputError(
                f"The hole has {size[1]}x{size[0]} pixels, but {name} has {shape[1]}x{shape[0]}."
            )
