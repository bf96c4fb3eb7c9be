"""Running scratches: nearly vertical lines that stand in the picture for many frames, whatever it shows.

A scratch is a ridge or a groove a pixel or two wide that runs through everything: along it the picture is
brighter (or darker) than on both sides, row after row. Each frame gives for every column and slant the share
of its rows where that is so; what has a large share on this frame, and stands at the same place on the frames
around it, is a scratch. Things of the picture move with it, or end.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .look import Seen

Floats = NDArray[np.float32]

_ROWS = 8
"""Rows that are looked at as one: what is no line is averaged out of them."""

_SIDE = (3, 5)
"""Columns from a line's middle at which its sides are looked at, first and last."""

_SLANT_PX, _SLANT_STEP = 6.0, 1.0
"""From top to bottom a line leans at most so many pixels, told apart in such steps."""

_BANDS = 6
"""A line is told to run or not in so many parts of the height."""

_WANDER_PX = 1
"""How far a line wanders from one frame to the next."""

_APART_PX = 10
"""A long line this close to another has to be seen as well as a short one: it may be the other's side."""

_MOST = 32
"""No more lines than this are taken on a frame."""

REACH = 3
"""Frames on either side on which a line has to stand, too."""

_SCALE_ROWS = 540
"""Lines are looked for at about so many rows' worth of columns: at 4K they are wider, too."""

_RUNS = {6: 0.77, 5: 0.88, 4: 1.35, 3: 1.7}
"""Lines may run through so many bands; the shorter, the more of it has to be seen: things of the picture are
rarely as high as it is."""

_LONG, _LAGS, _NEVER = 5, (0.2, 0.15), 0.1
"""A line through so many bands may be seen less on this frame, or on the worse of those around, than on the
average of all, by these shares: it comes to lie on what is as dark, say. What crosses the picture is on some
not at all: on no frame may less than this be seen."""

_WHITEST, _BLACKEST, _ROOM = 240.0, 25.0, 20.0
_LEAST_ABLE = 0.4
"""A white line can't be seen on what is as white, a black one on what is as black: sides this many levels
from that are left out more and more. Where fewer than this share of the rows are left, those have to show the
more."""

_LEAST_RIDGE, _SEEN_ROWS = 4.0, 0.35
"""By so many levels this share of a long line's rows stand out at least."""

_GOES_ON = 0.3
"""A line goes on where it is seen on this share of a band's rows."""

_SPEAKS = 0.3
"""A frame on which a line could be seen on fewer of the rows says nothing about it."""

_PROFILE_ROWS, _PLACE_ROWS = 13, 24
_HOLDS = 0.05
_VISIBLE, _FAINT = 10.0, 0.17
"""A scratch's pixels are those that it changes by so many levels, and by this share of what its middle
has."""


@dataclass(frozen=True)
class Lines:
    """What one frame shows of lines.

    Attributes:
        ridge: (2, h, w): how many levels each column of each group of rows is above (first) or below
            (second) both its sides.
        share: (2, slants, runs, w): how much of the rows of a run of bands a line shows there, of those on
            which it could be seen.
        able: (2, slants, runs, w): on how many of the rows that is, 0..1.
        height, width: of the frame.
        per: columns of the frame that are one here.
    """

    ridge: NDArray[np.float16] = field(repr=False)
    share: NDArray[np.float16] = field(repr=False)
    able: NDArray[np.float16] = field(repr=False)
    height: int
    width: int
    per: int


@dataclass(frozen=True)
class Scratch:
    """A line on one frame.

    Attributes:
        x: its column in the middle of the height.
        slant: columns it leans from top to bottom.
        white: brighter than the picture, or darker.
        top, bottom: its rows, the last excluded.
        score: how much of it is seen, here and on the frames around: 1 is all.
        contrast: levels of 255 between it and its sides.
        half: columns on either side of the middle that may belong to it.
    """

    x: float
    slant: float
    white: bool
    top: int
    bottom: int
    score: float
    contrast: float
    half: int

    def columns(self, rows: NDArray[np.integer], height: int) -> Floats:
        """Return the column of its middle on some rows."""
        return np.asarray(self.x + self.slant * ((rows + 0.5) / height - 0.5), np.float32)


def look_for_lines(seen_as: Seen, threshold: float) -> Lines:
    """Look at a frame.

    Args:
        seen_as: it, from `planes_of`: white lines are looked for in its darkest channels, black in its
            brightest.
        threshold: levels of 255 from which on a column stands out from its sides.
    """
    height, width = seen_as[0].shape
    per = max(1, round(height / _SCALE_ROWS))
    groups = max(_BANDS, height // (_ROWS * per))
    size = max(16, width // per), groups
    low, high = (
        np.asarray(cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
        for plane in seen_as
    )
    (left, right), (left_high, right_high) = _sides(low), _sides(high)
    brighter, darker = np.maximum(left, right), np.minimum(left_high, right_high)
    ridge = np.stack([low - brighter, darker - high])
    seen = np.clip(ridge / np.float32(2 * threshold), -0.5, 1).astype(np.float32)
    sides = np.stack([_WHITEST - brighter, darker - _BLACKEST])
    can = np.clip(sides / np.float32(_ROOM), 0, 1).astype(np.float32)
    can = np.maximum(can, np.clip(np.abs(ridge) / np.float32(2 * threshold), 0, 1)).astype(np.float32)
    able = _shares(can)
    share = _shares(seen * can) / np.maximum(able, _LEAST_ABLE)
    kept = np.float16
    return Lines(ridge.astype(kept), share.astype(kept), able.astype(kept), height, width, per)


def _sides(thin: Floats) -> tuple[Floats, Floats]:
    """Return the mean of what lies left and right of each column (h, w)."""
    first, last = _SIDE
    padded = cv2.copyMakeBorder(thin, 0, 0, last, last, cv2.BORDER_REPLICATE)
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    count = last - first + 1
    at = np.arange(thin.shape[1]) + last
    left = ((sums[:, at - first + 1] - sums[:, at - last]) / count).astype(np.float32)
    right = ((sums[:, at + last + 1] - sums[:, at + first]) / count).astype(np.float32)
    return left, right


def _slants() -> Floats:
    return np.arange(-_SLANT_PX, _SLANT_PX + 1e-3, _SLANT_STEP, dtype=np.float32)


def _runs() -> list[tuple[int, int]]:
    """Return the runs of bands, first and one past the last, the longest first."""
    return [(begin, begin + length) for length in _RUNS for begin in range(_BANDS - length + 1)]


def _shares(seen: Floats) -> Floats:
    """Average (2, h, w) along every slant, over every run of bands."""
    groups, width = seen.shape[1:]
    edges = np.linspace(0, groups, _BANDS + 1).round().astype(int)
    columns = np.arange(width, dtype=np.float32)[None]
    middles = ((np.arange(groups, dtype=np.float32) + 0.5) / groups - 0.5)[:, None]
    rows = np.repeat(np.arange(groups, dtype=np.float32)[:, None], width, axis=1)
    runs = _runs()
    shares = np.zeros((2, len(_slants()), len(runs), width), np.float32)
    total = np.zeros((_BANDS + 1, width), np.float32)
    for number, slant in enumerate(_slants()):
        x = np.asarray(columns + slant * middles, np.float32)
        for sign in range(2):
            sheared = cv2.remap(seen[sign], x, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            total[1:] = np.cumsum(np.add.reduceat(sheared, edges[:-1], axis=0), axis=0)
            for run, (begin, end) in enumerate(runs):
                shares[sign, number, run] = (total[end] - total[begin]) / (edges[end] - edges[begin])
    return shares


def find_scratches(around: Sequence[Lines], at: int, least: float) -> list[Scratch]:
    """Find the scratches of one frame.

    Args:
        around: what frames of one take show, in their order.
        at: which of them.
        least: share of its rows that a line from top to bottom must show, 0..1.
    """
    here = around[at]
    shown = here.share.astype(np.float32)
    stays, mean, lowest = _staying(around, at)
    both = np.minimum(shown, stays)
    long = [end - begin >= _LONG for begin, end in _runs()]
    lagging = np.minimum(shown + np.float32(_LAGS[0]), stays + np.float32(_LAGS[1]))
    lasting = np.where(lowest > _NEVER, np.minimum(mean, lagging), both)
    both[:, :, long] = np.maximum(both, lasting)[:, :, long]
    both /= np.array([_RUNS[end - begin] for begin, end in _runs()], np.float32)[:, None]
    found: list[Scratch] = []
    while len(found) < _MOST:
        sign, slant, run, x = np.unravel_index(int(both.argmax()), both.shape)
        score = float(both[sign, slant, run, x])
        if score < least:
            break
        line = _measured(here, int(sign), float(_slants()[slant]), _runs()[run], int(x), score)
        near = slice(max(0, int(x) - 6), int(x) + 7)
        if long[run] and _stands_out(here, line, int(sign)) < _LEAST_RIDGE:
            both[:, :, long, near] = -1  # what is seen of it may be a shorter line
            continue
        first, last = _lengthened(here, int(sign), int(slant), _runs()[run], int(x))
        ends = [round(edge * here.height / _BANDS) for edge in (first, last)]
        found.append(replace(line, top=ends[0], bottom=ends[1]))
        # Beyond its ends it may go on, darker than what is there where it was brighter.
        meets = [begin < last and end > first for begin, end in _runs()]
        both[:, :, meets, near] = -1
        both[:, :, long, max(0, int(x) - _APART_PX) : int(x) + _APART_PX + 1] = -1
    return found


def _lengthened(lines: Lines, sign: int, slant: int, run: tuple[int, int], x: int) -> tuple[int, int]:
    """Return a run with the bands at its ends into which its line goes on, though it is seen less there."""
    runs = _runs()
    near = np.s_[sign, max(0, slant - 1) : slant + 2, :, max(0, x - 1) : x + 2]
    able = lines.able[near].astype(np.float32)
    shown = lines.share[near].astype(np.float32) * np.maximum(able, _LEAST_ABLE)

    def goes_on(longer: tuple[int, int], run: tuple[int, int]) -> bool:
        if longer not in runs:
            return False
        sums = [
            values[:, runs.index(longer)] * (longer[1] - longer[0])
            - values[:, runs.index(run)] * (run[1] - run[0])
            for values in (shown, able)
        ]
        return bool(sums[1].max() > _SPEAKS and (sums[0] / np.maximum(sums[1], _SPEAKS)).max() > _GOES_ON)

    while True:
        begin, end = run
        if goes_on((begin, end + 1), run):
            run = begin, end + 1
        elif goes_on((begin - 1, end), run):
            run = begin - 1, end
        else:
            return run


def _staying(around: Sequence[Lines], at: int) -> tuple[Floats, Floats, Floats]:
    """Return the shares of a line that wanders, over all frames but this one, -1 where too few speak of it;
    and their mean and lowest with this one."""
    shares = []
    here = around[at].share.astype(np.float32)
    spoken = np.zeros(here.shape, np.int32)
    for number, lines in enumerate(around):
        if number != at:
            reach = 1 + round(_WANDER_PX * abs(number - at) * 0.6)
            brush = np.ones((3, 2 * reach + 1), np.uint8)
            whole = lines.share.astype(np.float32)
            wide = np.stack(
                [[cv2.dilate(whole[sign, :, run], brush) for run in range(whole.shape[2])] for sign in (0, 1)]
            )
            silent = lines.able < _SPEAKS
            spoken += ~silent
            shares.append(np.where(silent, here, np.moveaxis(wide, 1, 2)))
    if not shares:
        return np.full(here.shape, -1, np.float32), here, here  # on a single frame nothing runs
    known = spoken >= min(2, len(shares))
    mean = functools.reduce(np.add, shares, here) / np.float32(len(shares) + 1)
    lowest = functools.reduce(np.minimum, shares, here)
    return np.where(known, _low_quantile(shares, 0.3), np.float32(-1)), mean, lowest


def _low_quantile(values: Sequence[Floats], share: float) -> Floats:
    """Return what `np.quantile` does over a few arrays of one shape, for a share below one half, faster."""
    place = share * (len(values) - 1)
    whole = int(place)
    lowest: list[Floats] = []
    for value in values:
        for at, other in enumerate(lowest):
            lowest[at], value = np.minimum(other, value), np.maximum(other, value)
        if len(lowest) < whole + 2:
            lowest.append(value)
    under, over = lowest[whole], lowest[min(whole + 1, len(lowest) - 1)]
    return np.asarray(under + np.float32(place - whole) * (over - under), np.float32)


def _stands_out(lines: Lines, line: Scratch, sign: int) -> float:
    """Return the levels by which the share `_SEEN_ROWS` of a line's rows stand out at least."""
    groups, width = lines.ridge.shape[1:]
    rows = np.arange(groups)
    middles = (line.columns(rows * (lines.height / groups), lines.height) + 0.5) * width / lines.width - 0.5
    columns = np.clip(np.rint(middles), 0, width - 1).astype(int)
    shown = lines.ridge[sign, rows, columns].astype(np.float32)
    return float(np.quantile(shown, 1 - _SEEN_ROWS))


def _measured(lines: Lines, sign: int, slant: float, run: tuple[int, int], x: int, score: float) -> Scratch:
    """Return a line as it lies on the frame, to the column."""
    groups, width = lines.ridge.shape[1:]
    low, high = (round(edge * groups / _BANDS) for edge in run)
    rows = np.arange(low, high)
    columns = np.clip(np.rint(x + slant * ((rows + 0.5) / groups - 0.5)), 0, width - 1).astype(int)
    contrast = float(np.median(lines.ridge[sign, rows, columns]))
    per = lines.per
    top, bottom = round(run[0] * lines.height / _BANDS), round(run[1] * lines.height / _BANDS)
    middle = (x + 0.5) * lines.width / width - 0.5
    return Scratch(middle, slant * per, sign == 0, top, bottom, score, contrast, 2 * per)


def placed(scratch: Scratch, seen_as: Seen) -> Scratch:
    """Return a scratch placed to a fraction of a column on its frame, which is from `planes_of`."""
    height = seen_as[0].shape[0]
    for _ in range(3):
        rows, columns, off = _beside(scratch, seen_as)
        away = columns - scratch.columns(rows, height)[:, None]
        parts = np.array_split(np.arange(rows.size), max(2, rows.size // _PLACE_ROWS))
        mean = np.array([off[part].mean(axis=0) for part in parts])  # what is no line is averaged out
        places = np.array([away[part].mean(axis=0) for part in parts])
        weight = np.clip(mean, 0, None) * (np.abs(places) <= scratch.half + 0.5)
        heavy = weight.sum(axis=1)
        shift = (weight * places).sum(axis=1) / np.maximum(heavy, 1e-3)
        at = np.array([(rows[part].mean() + 0.5) / height - 0.5 for part in parts])
        firm = np.minimum(heavy / max(float(np.quantile(heavy, 0.9)), 1e-3), 1) ** 2
        trust = firm
        for _ in range(3):  # a part whose picture leans on the line counts for less
            known = np.concatenate([trust, [_HOLDS, _HOLDS]])
            slope, offset = np.polyfit([*at, -0.5, 0.5], [*shift, 0, 0], 1, w=np.sqrt(known))
            trust = firm / (1 + (8 * (shift - offset - slope * at)) ** 2)
        scratch = replace(scratch, x=scratch.x + float(offset), slant=scratch.slant + float(slope))
    return scratch


def _beside(scratch: Scratch, seen_as: Seen) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return a scratch's rows (n,), the columns (n, m) around it, and by how much they are off its sides."""
    plane = seen_as[0 if scratch.white else 1]
    height, width = plane.shape
    rows = np.arange(scratch.top, scratch.bottom)
    half = scratch.half
    steps = np.arange(-3 * half, 3 * half + 1)
    middles = np.rint(scratch.columns(rows, height)).astype(int)
    columns = middles[:, None] + steps[None]
    cut = plane[rows[:, None], np.clip(columns, 0, width - 1)].astype(np.float32)
    sides = np.abs(steps) > half + 1
    left, right = cut[:, sides & (steps < 0)], cut[:, sides & (steps > 0)]
    level, slope = (left.mean(axis=1) + right.mean(axis=1)) / 2, right.mean(axis=1) - left.mean(axis=1)
    span = float(np.abs(steps[sides]).mean()) * 2
    off = cut - level[:, None] - slope[:, None] * steps[None] / span
    return rows, columns, np.asarray(off if scratch.white else -off, np.float32)


def pixels_of(scratch: Scratch, seen_as: Seen) -> NDArray[np.int64]:
    """Return the pixels of a frame, counted row by row, that a scratch covers, where it can be seen."""
    height, width = seen_as[0].shape
    rows, columns, off = _beside(scratch, seen_as)
    half = scratch.half
    inside = (columns >= 0) & (columns < width)
    away = columns - scratch.columns(rows, height)[:, None]
    shown = _shown(np.asarray(off, np.float32), np.asarray(away, np.float32), half)
    covered = (shown > _VISIBLE) & (np.abs(away) <= half + 0.5) & inside
    row, column = np.nonzero(covered)
    return np.unique(rows[row] * width + columns[row, column])


def _shown(off: Floats, away: Floats, half: int) -> Floats:
    """Return by how many levels a line changes the pixels (rows, steps) around it.

    A line looks the same all along: how its strength falls off from its middle is measured over all rows,
    how strong it is over a few.

    Args:
        off: levels that each pixel is off the line's sides.
        away: columns between each pixel's middle and the line's.
        half: columns beyond which nothing belongs to it.
    """
    fourths = np.clip(np.rint(away * 4).astype(int) + 4 * half + 4, 0, 8 * half + 8)
    strong = np.where(np.abs(away) <= half, off, 0).max(axis=1)
    rows = strong >= np.quantile(strong, 0.9) / 2
    profile = np.zeros(8 * half + 9, np.float32)
    for place in range(profile.size):
        here = off[rows][fourths[rows] == place]
        profile[place] = max(float(np.median(here)), 0.0) if here.size else np.nan
    known = ~np.isnan(profile)
    profile = np.interp(np.arange(profile.size), np.flatnonzero(known), profile[known]).astype(np.float32)
    best = int(profile.argmax())
    profile[best:] = np.minimum.accumulate(profile[best:])
    profile[: best + 1] = np.minimum.accumulate(profile[best::-1])[::-1]
    profile /= max(float(profile.max()), 1e-3)
    profile[profile < _FAINT] = 0
    shape = profile[fourths]
    fits, norms = (off * shape).sum(axis=1, keepdims=True), (shape * shape).sum(axis=1, keepdims=True)
    window = (1, _PROFILE_ROWS)
    strength = cv2.blur(fits, window) / np.maximum(cv2.blur(norms, window), 1e-3)
    return np.asarray(strength * shape, np.float32)
