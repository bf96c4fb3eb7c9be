"""Follow what a hole hides through the frames before and after, to where a frame shows it.

Points of the hole (and of a margin around it, whose pixels are known and tell how far a trace can be trusted)
are carried from frame to frame along the background's motion. Only coordinates are carried, never colors, so
that a pixel is sampled once, from the frame that saw it, and stays sharp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .background import Background
from .flow import affine_motion, spread
from .sampling import pixel_grid

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MARGIN_PX = 40
"""Known pixels around the hole that are traced with it."""

_SHARE = 0.05
"""A frame is taken as a source once it shows this share of the hole that no nearer source shows."""

_LOST_PX = 64.0
"""Points whose summed doubt exceeds this are given up."""

_OFFSET_LIMIT = 0.15
_LOCAL_LIMIT = 0.04
"""How far a source's color is moved to meet the frame's, as a whole and in places: more is no exposure."""

_FEW = 50
"""Fewer known pixels than this tell nothing."""

_THIN = np.s_[::3, ::3]

_SAME_PX = 0.25
"""Points this near each other see the same."""

_SIMPLER, _SIMPLER_LEAST = 1.05, 5e-4
"""A simpler motion may explain the known pixels worse than a trace by this factor and this much."""


@dataclass(frozen=True)
class Trace:
    """What one source frame shows of a frame's hole; arrays are (h, w) or (h, w, n) over the traced box.

    Attributes:
        source: the frame.
        x, y: where each point lies in the source, in pixels of the motion view.
        seen: points that the source shows.
        color: display-referred RGB found there, moved by `offset`.
        offset: added to the source's color to meet the frame's (exposure, low frequency).
        error: expected squared error of `color`.
    """

    source: int
    x: Floats
    y: Floats
    seen: Mask
    color: Floats
    offset: Floats
    error: Floats


@dataclass(frozen=True)
class Traces:
    """All sources of one frame.

    Attributes:
        box: the traced box, in pixels of the motion view.
        hole: (h, w) of the box.
        found: nearest first in each direction; empty where nothing shows the hole.
    """

    box: Box
    hole: Mask
    found: tuple[Trace, ...]


def trace(background: Background, frame: int, hole: Mask, frames: range) -> Traces | None:
    """Find the frames that show what a frame's hole hides.

    Args:
        background: the shot's motion.
        frame: the frame to fill.
        hole: (H, W) of the motion view.
        frames: those that may be used, `frame` among them.

    Returns:
        The sources, or None for a frame without a hole.
    """
    around = bounds(hole)
    if around is None:
        return None
    box = around.grown(_MARGIN_PX).within(background.width, background.height)
    target = _Target(background, frame, box, hole[box.slices])
    found = [
        *target.sources(range(frame + 1, frames.stop)),
        *target.sources(range(frame - 1, frames.start - 1, -1)),
    ]
    return Traces(box, target.hole, tuple(found))


@dataclass
class _Points:
    """Where the points of a box have come to."""

    x: Floats
    y: Floats
    doubt: Floats
    alive: Mask

    def move(self, background: Background, frame: int, to: int, *, bordered: bool) -> None:
        """Move with what is measured at each point, and behind a hole as the camera or its border leads."""
        motion = background.motion(frame, to, self.x, self.y)
        across, down = (2, 3) if bordered else (0, 1)
        self.x, self.y = self.x + motion[..., across], self.y + motion[..., down]
        self.doubt = self.doubt + motion[..., 4]
        self._stay(background)
        self.alive &= self.doubt < _LOST_PX

    def ride(self, background: Background, frame: int, to: int) -> None:
        """Move with the camera alone."""
        motion = affine_motion(background.camera(frame, to), self.x, self.y)
        self.x, self.y = self.x + motion[..., 0], self.y + motion[..., 1]
        self._stay(background)

    def _stay(self, background: Background) -> None:
        self.alive &= (self.x >= 0) & (self.x <= background.width - 1)
        self.alive &= (self.y >= 0) & (self.y <= background.height - 1)

    def meets(self, other: _Points, hole: Mask) -> bool:
        """Whether both have come to about the same place with every point of a hole."""
        apart = np.maximum(np.abs(self.x - other.x), np.abs(self.y - other.y))
        return bool((apart[hole & self.alive & other.alive] < _SAME_PX).all())


@dataclass
class _Walk:
    """Points on their way through the frames.

    Attributes:
        bordered: whether they follow the hole's border or the camera where motion is not known.
        wanted: what of the hole no source showed yet; empty once the walk is over.
    """

    points: _Points
    bordered: bool
    wanted: Mask


class _Target:
    """The frame whose hole is traced."""

    def __init__(self, background: Background, frame: int, box: Box, hole: Mask) -> None:
        self.hole = hole
        self._background = background
        self._frame = frame
        self._x, self._y = pixel_grid(box)
        self._shown = background.seen(frame, self._x, self._y)[..., :3]
        self._known = ~hole[_THIN]
        self._enough = max(1, int(_SHARE * hole.sum()))

    def sources(self, frames: range) -> Iterator[Trace]:
        """Yield the sources among frames in one direction, nearest first.

        The camera's lead and that of the hole's border are followed side by side. Where they part, a frame
        may be two sources: the one that is right agrees with other frames.
        """
        walks = [_Walk(self._points(), bordered, self.hole.copy()) for bordered in (False, True)]
        riding, standing = self._points(), self._points()
        before = self._frame
        for frame in frames:
            for walk in walks:
                walk.points.move(self._background, before, frame, bordered=walk.bordered)
            riding.ride(self._background, before, frame)
            before = frame
            led = walks[:1] if walks[-1].points.meets(walks[0].points, self.hole) else walks
            reached: list[_Points] = []
            for walk in led:
                here, thinned = self._arrived(frame, walk.points, riding, standing)
                found = self._looked(walk, frame, here, thinned, last=frame == frames[-1])
                if found is not None and not any(here is other for other in reached):
                    yield found
                reached.append(here)
            walks[-1].wanted &= led[-1].wanted
            walks = [walk for walk in walks if walk.wanted.any()]
            if not walks:
                return

    def _looked(self, walk: _Walk, frame: int, here: _Points, thinned: Floats, *, last: bool) -> Trace | None:
        """Return what a frame shows where a walk has come to, if that is enough to take it as a source."""
        left = walk.wanted & here.alive
        if not left.any():
            walk.wanted = left
            return None
        if not last and not (left[_THIN] & (thinned[..., 3] < 0.01)).any():
            return None  # most frames show nothing new: they are not sampled at every point
        looked = self._background.seen(frame, here.x, here.y)
        seen = here.alive & (looked[..., 3] < 0.01)
        new = np.count_nonzero(seen & walk.wanted)
        if not new or not (new >= self._enough or new == np.count_nonzero(left) or last):
            return None
        walk.wanted &= ~seen
        return self._taken(frame, here, looked[..., :3], seen)

    def _points(self) -> _Points:
        return _Points(self._x, self._y, np.zeros_like(self._x), np.ones_like(self.hole))

    def _arrived(self, frame: int, points: _Points, *simpler: _Points) -> tuple[_Points, Floats]:
        """Return where the points lie in a frame, and what it shows at every third of them.

        A long trace gathers the noise of its many small steps, and behind a hole those are only completed.
        Where a simpler motion, the camera's alone or none, explains the known pixels about as well, it is the
        better guess for what is hidden; the last that does is taken.
        """
        best, seen = points, self._thinned(frame, points)
        for other in simpler:
            stands = self._thinned(frame, other)
            known = self._known & (seen[..., 3] < 0.01) & (stands[..., 3] < 0.01)
            known &= best.alive[_THIN] & other.alive[_THIN]
            if np.count_nonzero(known) < _FEW:
                continue
            limit = _SIMPLER * self._apart(seen, known) + _SIMPLER_LEAST
            if self._apart(stands, known) <= limit:
                best, seen = other, stands
        return best, seen

    def _thinned(self, frame: int, points: _Points) -> Floats:
        """Sample a frame at every third point each way: enough to compare motions by."""
        x, y = np.ascontiguousarray(points.x[_THIN]), np.ascontiguousarray(points.y[_THIN])
        return self._background.seen(frame, x, y)

    def _apart(self, looked: Floats, known: Mask) -> float:
        difference = (self._shown[_THIN] - looked[..., :3])[known]
        return float(np.abs(difference - np.median(difference, axis=0)).mean())

    def _taken(self, source: int, points: _Points, color: Floats, seen: Mask) -> Trace:
        distance = abs(source - self._frame)
        path = np.hypot(points.x - self._x, points.y - self._y)
        known = seen & ~self.hole
        offset, wrong, wrong_here = self._compared(color, known)
        error = (
            2 * wrong_here**2
            + np.float32(3 * wrong**2 + 2e-4)
            + np.float32(5e-4) * np.minimum(path, np.float32(distance))
            + np.float32(2e-4) * points.doubt
        )
        return Trace(source, points.x, points.y, seen & self.hole, color + offset, offset, error)

    def _compared(self, color: Floats, known: Mask) -> tuple[Floats, float, Floats]:
        """Compare a source with the frame where both are known.

        Returns the offset (h, w, 3) that makes them meet, and how far they still differ: everywhere, and near
        each point (h, w).
        """
        if np.count_nonzero(known) < _FEW:
            return np.zeros_like(color), 0.2, np.full(known.shape, 0.2, np.float32)
        difference = self._shown - color
        middle = np.clip(np.median(difference[known], axis=0), -_OFFSET_LIMIT, _OFFSET_LIMIT)
        middle = middle.astype(np.float32)
        local = np.clip(difference - middle, -_LOCAL_LIMIT, _LOCAL_LIMIT)
        offset = middle + _smooth(local, known, 10.0)
        wrong = np.abs(difference - offset).mean(axis=2)
        here = _smooth(wrong[..., None], known, 8.0)[..., 0]
        return offset, float(wrong[known].mean()), here


def _smooth(values: Floats, known: Mask, sigma_px: float) -> Floats:
    """Low frequencies of values (h, w, c) that are known in places, continued to where they are not."""
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma_px)
    blurred = cv2.GaussianBlur(values * known[..., None].astype(np.float32), (0, 0), sigma_px)
    mean = blurred.reshape(values.shape) / np.maximum(weight, 1e-3)[..., None]
    return spread(np.asarray(mean, np.float32), weight > 0.05)
