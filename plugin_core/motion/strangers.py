"""What stands before a shot's background without being matted: people who pass by, legs, a ball.

Two measures tell them. Beside a hole, where motion is completed as the background's, a point is followed to
frames before and after: what most of those do not show there is no background (`border_of`). All over the
view, what moves steadily against the camera is a mover (`movers`): nothing is borrowed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .background import MEASURED, Background, in_pixels
from .flow import each, medians, spread
from .itinerary import legs
from .sampling import bilinear, in_rows, pixel_grid

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BAND_PX = 6.0
"""This near to a hole motion is the background's, whatever stands there."""

_WITNESSES = 4, 8, 16
"""About so many frames before and after lie those that tell what the background looks like."""

_SAME, _OTHER = 0.04, 0.1
"""Low frequencies (display-referred) that differ by less are the same thing, by more another."""

_LOW_PX = 2.0

_STRANGE = 0.5
"""What is less like the background than this is something else."""

_SURE_AT, _LEFT_AT = 0.85, 0.5
"""Share of the background in what surrounds a point of the hole from which it is all background, and none."""

_STEPS, _MOVES_PX, _AS_MUCH = 4, 1.5, 0.35
"""What has moved over the background by so many pixels in so many frames, but toward the hole or off it by
less than this share of its way, goes along with the hole."""

_STRAY = 3.0, 0.2
"""What moves against the camera by more than so many usual deviations, and so many pixels of motion's size a
frame, is a mover."""

_GROWN_PX = 5
"""A mover's edge reaches so many pixels of the view farther than its motion tells."""


@dataclass(frozen=True)
class Border:
    """What the border of a hole tells of what the hole hides.

    Attributes:
        box: around both, in pixels of the motion view.
        background: (h, w) float32, 1 where the border nearest to a pixel shows background, to 0 where it
            shows something else.
        strange: (h, w) bool, the border's pixels that show something else.
    """

    box: Box
    background: Floats
    strange: Mask


def border_of(
    background: Background, frame: int, hole: Mask, frames: range, watch: Callable[[], None] = lambda: None
) -> Border | None:
    """Look at what stands around a frame's hole; None where no other frame can tell.

    Args:
        background: the shot's motion.
        frame: the frame with the hole.
        hole: (H, W) of the motion view.
        frames: those that may be looked at.
        watch: called before each frame on the way; may raise to stop.
    """
    around = bounds(hole)
    if around is None:
        return None
    box = Box(*around).grown(int(_BAND_PX) + 2).within(background.width, background.height)
    inside = hole[box.slices]
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    band = _Points.of((away > 0) & (away <= _BAND_PX), box)
    if band is None:
        return None
    band = _Points.of(band.laid(~band.cut(background.hidden(frame, band.x, band.y))), box)
    if band is None:
        return None
    shown = background.colors(frame, band.x, band.y)
    apart = [
        one
        for last in (frames[-1], frames[0])
        for one in _compared(background, frame, last, band, shown, watch)
    ]
    if not apart:
        return None
    stack = np.sort(np.stack(apart), axis=0)
    told = np.isfinite(stack).sum(axis=0)
    # The better half has to agree: a witness may be hidden behind the stranger itself.
    middle = np.take_along_axis(stack, np.maximum(told - 1, 0)[None] // 2, axis=0)[0]
    known = told > 0
    if not known.any():
        return None
    alike = np.where(known, np.clip((_OTHER - middle) / (_OTHER - _SAME), 0, 1), 0).astype(np.float32)
    strange = band.laid(known & (alike < _STRANGE))
    # What goes along with the hole stands before what it hides: it ends the hole, and does not enter it.
    sure = band.laid(known) & ~_going_along(background, frame, box, strange, frames, watch)
    if not sure.any():
        return None
    share = spread(band.laid(alike)[..., None], sure)[..., 0]
    share = np.clip((share - _LEFT_AT) / (_SURE_AT - _LEFT_AT), 0, 1)
    share = np.asarray(share * share * (3 - 2 * share), np.float32)
    return Border(box, share, strange)


@dataclass(frozen=True)
class _Points:
    """Some pixels of a box of the view, in rows (see `in_rows`): only they are followed.

    Attributes:
        shape: (H, W) of the box.
        at: (n,) places of the pixels in it, counted row by row.
        x, y: (h, w) float32, their columns and rows in the view.
    """

    shape: tuple[int, ...]
    at: NDArray[np.intp]
    x: Floats
    y: Floats

    @classmethod
    def of(cls, mask: Mask, box: Box) -> _Points | None:
        """Take the pixels of a mask of a box; None where there are none."""
        at = np.flatnonzero(mask)
        if at.size == 0:
            return None
        rows, columns = np.divmod(at, box.width)
        x, y = (columns + box.x0).astype(np.float32), (rows + box.y0).astype(np.float32)
        return cls(mask.shape, at, in_rows(x), in_rows(y))

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values (h, w, ...) of the rows as those of the pixels, (n, ...)."""
        return values.reshape(-1, *values.shape[2:])[: self.at.size]

    def laid(self, values: NDArray[Any]) -> NDArray[Any]:
        """Lay values (n, ...) of the pixels out over the box; 0 elsewhere."""
        whole = np.zeros((*self.shape, *values.shape[1:]), values.dtype)
        whole.reshape(-1, *values.shape[1:])[self.at] = values
        return whole


def _compared(
    background: Background,
    frame: int,
    last: int,
    band: _Points,
    shown: Floats,
    watch: Callable[[], None],
) -> Iterator[Floats]:
    """Yield how far (n,) each witness on a frame's way differs from what is shown, NaN where unknown."""
    x, y = band.x, band.y
    alive = np.ones(x.shape, np.bool_)
    wanted = list(_WITNESSES)
    for before, here in legs(frame, last):
        watch()
        x, y, _ = background.moved(background.field(before, here, watch).led, x, y)
        alive &= ~background.outside(x, y)
        if abs(here - frame) < wanted[0]:
            continue
        known = band.cut(alive & ~background.hidden(here, x, y))
        if known.any():
            difference = band.cut(shown - background.colors(here, x, y))
            difference -= medians(difference.compress(known, axis=0))
            smooth = _smooth(band.laid(difference), band.laid(known))
            low = smooth.reshape(-1, 3).take(band.at, axis=0)
            yield np.where(known, np.abs(low).mean(axis=1), np.float32(np.nan)).astype(np.float32)
        wanted = [far for far in wanted if far > abs(here - frame)]
        if not wanted:
            return


def _going_along(
    background: Background,
    frame: int,
    box: Box,
    strange: Mask,
    frames: range,
    watch: Callable[[], None],
) -> Mask:
    """Return which strange pixels (h, w) beside a hole move over the background as its border there does."""
    points = _Points.of(strange, box)
    if points is None:
        return strange
    at = points.x, points.y
    before = _depth(background.hole(frame), *at)
    # Judged piece by piece: at a piece's ends what is measured is the background already.
    count, labels = cv2.connectedComponents(cv2.dilate(strange.astype(np.uint8), np.ones((5, 5), np.uint8)))
    pieces = labels[strange]
    # Before and after: what meets the edge on its way goes along with it by chance, on one side of time.
    ways: list[Mask] = []
    for way in (1, -1):
        own, behind, here = at, at, frame
        while here + way in frames and abs(here + way - frame) <= _STEPS:
            watch()
            field = background.field(here, here + way, watch)
            own = background.moved(field.bordered, *own)[:2]
            behind = background.moved(field.led, *behind)[:2]
            here += way
        if here == frame or not background.hole(here).any():
            continue
        path = points.cut(np.hypot(own[0] - behind[0], own[1] - behind[1]))
        apart = points.cut(np.abs(_depth(background.hole(here), *own) - before))
        along = np.zeros(pieces.shape, np.bool_)
        for piece in range(1, count):
            its = pieces == piece
            way_on = float(np.median(path[its]))
            if way_on > _MOVES_PX and float(np.median(apart[its])) < _AS_MUCH * way_on:
                along |= its
        ways.append(along)
    return points.laid(np.logical_and.reduce(ways)) if ways else np.zeros_like(strange)


def _depth(hole: Mask, x: Floats, y: Floats) -> Floats:
    """Return how far points (h, w) of the view lie from a hole's edge, below 0 within the hole."""
    outside, inside = (cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3) for mask in (~hole, hole))
    return bilinear(np.asarray(outside - inside, np.float32), x, y)


def _smooth(values: Floats, known: Mask) -> Floats:
    """Return low frequencies of values (h, w, 3) that are known in places."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _LOW_PX)
    blurred = cv2.GaussianBlur(values * each(known.astype(np.float32), 3), (0, 0), _LOW_PX)
    return np.asarray(blurred / each(np.maximum(weight, np.float32(1e-3)), 3), np.float32)


def movers(
    background: Background, frame: int, frames: range, watch: Callable[[], None] = lambda: None
) -> Mask:
    """Return which pixels of a frame's view (H, W) move steadily against the camera.

    Args:
        background, frame, frames, watch: as for `border_of`.
    """
    apart = MEASURED if frame % MEASURED == 0 else 1
    strays = [
        _stray(background, frame, frame + way, watch) for way in (apart, -apart) if frame + way in frames
    ]
    if not strays:
        return np.zeros((background.height, background.width), np.bool_)
    moves = np.ones(strays[0][0].shape[:2], np.bool_)
    for stray, least in strays:
        moves &= np.hypot(stray[..., 0], stray[..., 1]) > least
    if len(strays) == 2:  # waves and leaves go to and fro
        one, other = strays[0][0], strays[1][0]
        against = np.hypot(*np.moveaxis(one - other, 2, 0))
        moves &= 2 * against < np.hypot(*np.moveaxis(one + other, 2, 0))
    specks = cv2.morphologyEx(moves.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    size = background.width, background.height
    full = cv2.resize(specks, size, interpolation=cv2.INTER_NEAREST)
    side = 2 * _GROWN_PX + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(full, brush) > 0)


def _stray(background: Background, frame: int, to: int, watch: Callable[[], None]) -> tuple[Floats, float]:
    """Return the motion a frame (h, w, 2) against the camera's, forward in time, and what of it counts."""
    field = background.field(frame, to, watch)
    height, width = field.led.shape[:2]
    columns, rows = pixel_grid(Box(0, 0, width, height))
    across, down = background.width / width, background.height / height
    x = (columns + np.float32(0.5)) * np.float32(across) - np.float32(0.5)
    y = (rows + np.float32(0.5)) * np.float32(down) - np.float32(0.5)
    (a, b, c), (d, e, f) = field.camera[:2].astype(np.float32)
    ridden = np.dstack([a * x + b * y + c - x, d * x + e * y + f - y])
    per_frame = np.array([across, down], np.float32) * np.float32(to - frame)
    stray = (in_pixels(field.led)[..., :2] - ridden) / per_frame
    usual = 1.4826 * float(np.median(np.hypot(stray[..., 0], stray[..., 1])))
    return np.asarray(stray, np.float32), max(_STRAY[0] * usual, _STRAY[1])
