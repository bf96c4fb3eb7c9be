"""A frame beside its neighbors brought to it along the motion: how far each pixel stands out from them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from .look import Look, bands
from .motion import part_of, stretched, targets_in

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Mask = NDArray[np.bool_]

_HALO_PX = 14
_FITS_OVER, _MOST_OFF = (25, 25), np.float32(60)
_KNOWN_LEVELS = 8
_WORSE, _WORSE_BY = 2.0, 2.0
"""How well a neighbor fits is measured over so many pixels, without those that no neighbor shows; it fits
clearly worse than another from so many times that one's misfit on, and so many levels."""

_HIDDEN_PX = 2


@dataclass(frozen=True)
class Near:
    """One neighbor of a frame.

    Attributes:
        away: frames from the frame to it, negative before it.
        look: what it shows.
        motion: to it, see `motion_between`.
        light: see `light_between`.
        hidden: (H, W), its own damage; None for none.
    """

    away: int
    look: Look = field(repr=False)
    motion: Floats = field(repr=False)
    light: Floats = field(repr=False)
    hidden: Mask | None = field(repr=False)


@dataclass(frozen=True)
class Compared:
    """What a comparison gives for each pixel, (H, W) each, in levels of 255.

    White is looked for in a frame's darkest channels, black in its brightest; each pixel has the values of
    that by which it stands out more.

    Attributes:
        white: whether that is white.
        out: by how much it is beyond all neighbors.
        peak: by how much it is beyond all that they show within a pixel.
        off: by how much it is above what they show, negative below.
        spread, inner: by how much they differ, all of them and the middle ones.
        gained: by how much its channels are farther apart than its neighbors' are.
        unseen: how many neighbors end before they show it.
        count: of the neighbors.
        noise: the plate's, a standard deviation.
    """

    white: Mask = field(repr=False)
    out: Halves = field(repr=False)
    peak: Halves = field(repr=False)
    off: Halves = field(repr=False)
    spread: Halves = field(repr=False)
    inner: Halves = field(repr=False)
    gained: Halves = field(repr=False)
    unseen: Bytes = field(repr=False)
    count: int
    noise: float


def compared(look: Look, neighbors: Sequence[Near], within: Box | None = None) -> Compared:
    """Compare a frame with its neighbors, at least one, in their order: all of it, or a box of it."""
    rows, columns = look.low.shape
    whole = Box(0, 0, columns, rows) if within is None else within
    height, width = whole.height, whole.width
    halves = {
        name: np.empty((height, width), np.float16)
        for name in ("out", "peak", "off", "spread", "inner", "gained")
    }
    white, unseen = np.empty((height, width), np.bool_), np.empty((height, width), np.uint8)
    off: list[list[Floats]] = []
    for box in bands(height, width):
        there = box.moved(whole.x0, whole.y0)
        around = there.grown(_HALO_PX).within(columns, rows)
        inner = there.moved(-around.x0, -around.y0).slices
        part = _Band(look, neighbors, around)
        for name, values in part.values.items():
            halves[name][box.slices] = values[inner]
        white[box.slices] = part.white[inner]
        unseen[box.slices] = part.unseen[inner]
        off.append([values[inner][::4, ::4].ravel() for values in part.off_each])
    each = [float(np.median(np.abs(np.concatenate(parts)))) for parts in zip(*off, strict=True)]
    noise = 1.4826 * min(each) / 2**0.5
    return Compared(white, unseen=unseen, count=len(neighbors), noise=noise, **halves)


class _Band:
    """The comparison on a part of a frame."""

    def __init__(self, look: Look, neighbors: Sequence[Near], box: Box) -> None:
        height, width = look.low.shape
        low, high = look.low[box.slices].astype(np.float32), look.high[box.slices].astype(np.float32)
        lows: list[Floats] = []
        highs: list[Floats] = []
        hidden: list[Mask | None] = []
        ends: list[Mask] = []
        for near in neighbors:
            x, y = targets_in(part_of(near.motion, box, height, width), box)
            light = stretched(near.light, box, height, width)
            # Sharp: what bilinear filtering takes from fine texture would look like damage
            for plane, into in ((near.look.low, lows), (near.look.high, highs)):
                into.append(_moved(plane, x, y) + light)
            inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
            ends.append(~inside)
            hidden.append(None if near.hidden is None else _brought_mask(near.hidden, x, y))
        shown = _shown(ends, hidden)
        self.unseen = functools.reduce(np.add, (end.view(np.uint8) for end in ends))
        behind = [
            top - bottom
            for near, top, bottom in zip(neighbors, highs, lows, strict=True)
            if abs(near.away) == 1
        ]
        if not all(bool(each.all()) for each in shown):
            lows, highs = _only_shown(lows, shown, low), _only_shown(highs, shown, high)
        if len(neighbors) > 2:
            lows, highs = _best_of_sides([near.away for near in neighbors], lows, highs, low, high)
        self.off_each = [low - plane for plane in lows]
        own = [_plane(low, lows, 1), _plane(high, highs, -1)]
        self.white = np.asarray(own[0]["out"] >= own[1]["out"], np.bool_)
        self.values = {name: np.where(self.white, own[0][name], own[1][name]) for name in own[0]}
        chroma = high - low
        self.values["gained"] = chroma - (functools.reduce(np.maximum, behind) if behind else chroma)


def _plane(here: Floats, pictures: Sequence[Floats], sign: int) -> dict[str, Floats]:
    """Compare one plane with its neighbors' brought to it: what is above them (sign 1) or below (-1)."""
    stack = _sorted(pictures)
    lowest, highest, count = stack[0], stack[-1], len(stack)
    middle = (stack[(count - 1) // 2] + stack[count // 2]) / np.float32(2)
    brush = np.ones((3, 3), np.uint8)
    spread = highest - lowest
    return {
        "out": here - highest if sign > 0 else lowest - here,
        "peak": here - cv2.dilate(highest, brush) if sign > 0 else cv2.erode(lowest, brush) - here,
        "off": here - middle,
        "spread": spread,
        "inner": stack[count // 2] - stack[(count - 1) // 2] if count > 2 else spread,
    }


def _moved(plane: Bytes, x: Floats, y: Floats) -> Floats:
    top, bottom = int(max(0, np.floor(y.min()) - 2)), int(min(plane.shape[0], np.ceil(y.max()) + 3))
    top = min(top, plane.shape[0] - 1)
    rows = plane[top : max(bottom, top + 1)]
    return cv2.remap(
        rows.astype(np.float32), x, y - np.float32(top), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32, copy=False)


def _brought_mask(mask: Mask, x: Floats, y: Floats) -> Mask:
    """Return a neighbor's mask (H, W), grown by some pixels, as it lies on the frame's pixels."""
    size = 2 * _HIDDEN_PX + 1
    wide = cv2.dilate(mask.view(np.uint8), np.ones((size, size), np.uint8))
    return np.asarray(cv2.remap(wide, x, y, cv2.INTER_NEAREST) > 0)


def _shown(ends: Sequence[Mask], hidden: Sequence[Mask | None]) -> list[Mask]:
    """Return which pixels (h, w) each neighbor shows, within its edges and free of its own damage; where that
    leaves fewer than two, damaged ones speak, too: a frame that is compared with nothing has no damage."""
    clean = [~end if dirt is None else ~(end | dirt) for end, dirt in zip(ends, hidden, strict=True)]
    few = functools.reduce(np.add, (each.view(np.uint8) for each in clean)) < min(2, len(clean))
    return [each | (few & ~end) for each, end in zip(clean, ends, strict=True)] if few.any() else clean


def _only_shown(pictures: Sequence[Floats], shown: Sequence[Mask], here: Floats) -> list[Floats]:
    """Return neighbors brought to a frame (h, w), put right where they show nothing: beyond their edges and
    in their own damage. There one says what the others do; where none shows anything, all say what the frame
    does."""
    at = np.flatnonzero(~functools.reduce(np.logical_and, shown))
    values = np.stack([picture.ravel()[at] for picture in pictures])
    seen = np.stack([inside.ravel()[at] for inside in shown])
    count = seen.sum(axis=0, dtype=np.float32)
    others = np.where(count >= 1, (values * seen).sum(axis=0) / np.maximum(count, 1), here.ravel()[at])
    right = []
    for picture, value, inside in zip(pictures, values, seen, strict=True):
        right.append(picture.copy())
        right[-1].ravel()[at] = np.where(inside, value, others)
    return right


def _best_of_sides(
    aways: Sequence[int], lows: Sequence[Floats], highs: Sequence[Floats], low: Floats, high: Floats
) -> tuple[list[Floats], list[Floats]]:
    """Let the neighbor that fits better speak for its side in time, wherever it fits clearly better around a
    pixel."""
    gray = cv2.addWeighted(low, 0.5, high, 0.5, 0)
    grays = [cv2.addWeighted(one, 0.5, other, 0.5, 0) for one, other in zip(lows, highs, strict=True)]
    lowest, highest = functools.reduce(np.minimum, grays), functools.reduce(np.maximum, grays)
    known = ((gray < highest + _KNOWN_LEVELS) & (gray > lowest - _KNOWN_LEVELS)).astype(np.float32)
    weight = np.maximum(cv2.blur(known, _FITS_OVER), 1e-3)
    misfit = [
        cv2.blur(np.minimum(cv2.absdiff(gray, each), _MOST_OFF) * known, _FITS_OVER) / weight
        for each in grays
    ]
    best_lows, best_highs = list(lows), list(highs)
    for one, away in enumerate(aways):
        for other, far in enumerate(aways):
            if other == one or far * away < 0:
                continue
            worse = misfit[one] > np.float32(_WORSE) * misfit[other] + np.float32(_WORSE_BY)
            if worse.any():
                best_lows[one] = np.where(worse, lows[other], best_lows[one])
                best_highs[one] = np.where(worse, highs[other], best_highs[one])
    return best_lows, best_highs


def _sorted(pictures: Sequence[Floats]) -> list[Floats]:
    """Sort pictures (h, w) pixel by pixel, the lowest values first."""
    done: list[Floats] = []
    for picture in pictures:
        for at, other in enumerate(done):
            done[at] = np.asarray(cv2.min(other, picture), np.float32)
            picture = np.asarray(cv2.max(other, picture), np.float32)
        done.append(picture)
    return done
