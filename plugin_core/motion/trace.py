"""Follow what a hole hides through the frames before and after, to where a frame shows it.

Points of the hole (and of a margin around it, whose pixels are known and tell how far a trace can be trusted)
are carried from frame to frame along the background's motion. Only coordinates are carried, never colors, so
that a pixel is sampled once, from the frame that saw it, and stays sharp. The points stand a few pixels
apart: behind a hole motion is smooth, and what lies between them goes between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .background import Background, Codes, Field, awaited
from .flow import each, medians, spread
from .focus import UNCHANGED, Blur, softer_by
from .itinerary import legs, post, stops
from .sampling import bilinear, in_rows, pixel_grid

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MARGIN_PX = 40
"""Known pixels around the hole that are traced with it."""

_POINTS = 8000
"""About so many points are traced."""

_VOTES = 13000
"""On about so many points of a hole its sources are weighed against each other."""

_NEAR = 16
"""From a frame more than so many away as much more is asked as it is farther."""

_SHARE = 0.07
"""A near frame is taken as a source once it shows this share of the hole that no nearer source shows."""

_AHEAD = 8
"""Motion over so many strides is measured side by side."""

_LOST_PX = 64.0
"""Points whose summed doubt exceeds this are given up."""

_OFFSET_LIMIT = 0.15
_LOCAL_LIMIT = 0.04
"""How far a source's color is moved to meet the frame's, as a whole and in places: more is no exposure."""

_FEW = 50
"""Fewer known points than this tell nothing."""

_COMPARED = 900
"""About so many known points tell which of several motions is right."""

_SAME_PX = 0.25
"""Points this close to each other see the same in a near frame."""

_SIMPLER, _SIMPLER_LEAST = 1.05, 5e-4
"""A simpler motion may explain the known pixels worse than a trace by this factor and this much."""

_STANDS = 1.0, 1.15
"""What is carried stands where that explains them as well; where it is the other factor worse, not at all."""


@dataclass(frozen=True)
class Grid:
    """Points at equal distances over a box.

    Attributes:
        box: in pixels of the motion view.
        apart: from point to point, in pixels.
    """

    box: Box
    apart: int

    @property
    def size(self) -> tuple[int, int]:
        """How many points there are, across and down."""
        return -(-self.box.width // self.apart), -(-self.box.height // self.apart)

    def places(self) -> tuple[Floats, Floats]:
        """Return the column and row of each point, (h, w)."""
        columns, rows = pixel_grid(Box(0, 0, *self.size))
        apart, middle = np.float32(self.apart), np.float32((self.apart - 1) // 2)
        columns, rows = columns * apart + (middle + self.box.x0), rows * apart + (middle + self.box.y0)
        # The last may have its middle beyond the box, which may end where the view does.
        return np.minimum(columns, self.box.x1 - 1), np.minimum(rows, self.box.y1 - 1)

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return between which points columns x and rows y of the view lie: 0.5 is halfway to the second."""
        apart, middle = np.float32(self.apart), np.float32((self.apart - 1) // 2)
        return (x - (middle + self.box.x0)) / apart, (y - (middle + self.box.y0)) / apart

    def between(self, values: Floats, x: Floats, y: Floats) -> Floats:
        """Return values (h, w, ...) of the points at columns x and rows y of the view, (n, m)."""
        return bilinear(values, *self.at(x, y))

    def any(self, mask: Mask) -> Mask:
        """Return at which points a mask of the box has a pixel near."""
        whole = np.pad(mask, [(0, -side % self.apart) for side in mask.shape])
        rows = np.logical_or.reduce([whole[row :: self.apart] for row in range(self.apart)])
        return np.asarray(np.logical_or.reduce([rows[:, at :: self.apart] for at in range(self.apart)]))


@dataclass(frozen=True)
class Trace:
    """What one source frame shows of a frame's hole.

    Attributes:
        source: the frame.
        shift: (h, w, 2) of the grid: by how many pixels of the view each point lies elsewhere in the source.
        offset: (h, w, 3) of the grid: added to the source's color to meet the frame's (exposure, low
            frequency).
        seen: (n,) points of the hole that the source shows.
        color: (n, 3) display-referred RGB found there, moved by `offset`.
        error: (n,) expected squared error of `color`.
        blur: how much softer the frame is than the source around its hole, in pixels of the view; told by
            `follow` alone.
    """

    source: int
    shift: Floats
    offset: Floats
    seen: Mask
    color: Floats
    error: Floats
    blur: Blur = UNCHANGED


@dataclass(frozen=True)
class Traces:
    """All sources of one frame.

    Attributes:
        grid: the traced points.
        votes: the points on which sources are weighed, closer together.
        hole: (h, w) of these; its n points are those of each trace.
        found: nearest first in each direction; empty where nothing shows the hole.
    """

    grid: Grid
    votes: Grid
    hole: Mask
    found: tuple[Trace, ...]


def trace(
    background: Background,
    frame: int,
    hole: Mask,
    frames: range,
    watch: Callable[[], None] = lambda: None,
) -> Traces | None:
    """Find the frames that show what a frame's hole hides.

    Args:
        background: the shot's motion.
        frame: the frame to fill.
        hole: (H, W) of the motion view.
        frames: those that may be used, `frame` among them.
        watch: called before each frame on the way, and for each source; may raise to stop.

    Returns:
        The sources, or None for a frame without a hole.
    """
    target = _Target.of(background, frame, hole)
    if target is None:
        return None

    def reached(end: int, watch: Callable[[], None]) -> list[Future[Trace]]:
        # A source is looked at while the walk goes on.
        return [background.workers.submit(target.taken, one) for one in target.arrivals(end, watch)]

    before = background.aside(lambda go_on: reached(frames[0], go_on))
    after = reached(frames[-1], watch)
    found: list[Trace] = []
    for one in [*after, *awaited(before, watch)]:
        watch()
        found.append(one.result())
    return Traces(target.grid, target.votes, target.hole, tuple(found))


def follow(
    background: Background,
    frame: int,
    hole: Mask,
    source: int,
    watch: Callable[[], None] = lambda: None,
    where: Mask | None = None,
) -> tuple[Grid, Trace, Mask] | None:
    """Follow what a frame's hole hides to one frame, whether it is seen there or not.

    Args:
        background: the shot's motion.
        frame: the frame to fill.
        hole: (H, W) of the motion view.
        source: the other frame, however far away.
        watch: called before each frame on the way; may raise to stop.
        where: (H, W) of the other frame's view, what alone is of use there; None for all.

    Returns:
        The traced points, where they lead, and which (h, w) lie in the other frame's hole; or None for a
        frame without a hole, or one that leads to nothing of use. `seen`, `color` and `error` of the trace
        are those of the points (h, w): which have arrived inside the view, nothing, and how far in pixels of
        the view they may have strayed.
    """
    target = _Target.of(background, frame, hole)
    if target is None:
        return None
    points = target.led(source, watch)
    if where is not None and not target.share_of(where, points):
        return None
    return target.arrived(source, target.steadied(source, points))


def share_shown(
    background: Background,
    frame: int,
    hole: Mask,
    source: int,
    where: Mask,
    watch: Callable[[], None] = lambda: None,
) -> float:
    """Return which share of a frame's hole leads to a part (H, W) of another frame, 0..1; see `follow`."""
    target = _Target.of(background, frame, hole)
    if target is None:
        return 0.0
    return target.share_of(where, target.led(source, watch))


@dataclass
class _Points:
    """Where the points of a grid have come to."""

    x: Floats
    y: Floats
    doubt: Floats
    alive: Mask

    def move(self, background: Background, motion: Codes | Floats) -> None:
        """Move with what is measured at each point."""
        self.x, self.y, doubt = background.moved(motion, self.x, self.y)
        self.doubt = self.doubt + doubt
        self.alive = self.alive & (self.doubt < _LOST_PX) & ~background.outside(self.x, self.y)

    def ridden(self, background: Background, camera: NDArray[np.float64]) -> _Points:
        """Return where points that have not moved come to with the camera alone."""
        (a, b, c), (d, e, f) = camera[:2].astype(np.float32)
        x, y = a * self.x + b * self.y + c, d * self.x + e * self.y + f
        return _Points(x, y, np.zeros_like(x), ~background.outside(x, y))

    def meets(self, other: _Points, hole: Mask, close: float) -> bool:
        """Whether both have come as close as that with every point of a hole."""
        apart = np.maximum(np.abs(self.x - other.x), np.abs(self.y - other.y))
        return bool((apart[hole & self.alive & other.alive] < close).all())


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


@dataclass(frozen=True)
class _Arrival:
    """Points in a frame that is a source."""

    source: int
    points: _Points
    shown: Mask
    """At which points the frame shows what is not its own hole's."""


class _Target:
    """The frame whose hole is traced."""

    @classmethod
    def of(cls, background: Background, frame: int, hole: Mask) -> _Target | None:
        """Return a frame with a hole (H, W) of the view; None where that is empty."""
        around = bounds(hole)
        if around is None:
            return None
        box = around.grown(_MARGIN_PX).within(background.width, background.height)
        return cls(background, frame, box, hole[box.slices])

    def __init__(self, background: Background, frame: int, box: Box, hole: Mask) -> None:
        self.votes = Grid(box, max(1, round(math.sqrt(np.count_nonzero(hole) / _VOTES))))
        self.hole = self.votes.any(hole)
        self.grid = Grid(box, max(1, round(math.sqrt(box.width * box.height / _POINTS))))
        self._background = background
        self._frame = frame
        self._x, self._y = self.grid.places()
        self._holed = self.grid.any(hole)
        self._shown = background.colors(frame, self._x, self._y)
        self._points = np.count_nonzero(self._holed)
        self._count = np.count_nonzero(self.hole)
        self._known = ~background.hidden(frame, self._x, self._y)
        known = np.flatnonzero(self._known)
        self._compared = known[:: max(1, round(known.size / _COMPARED))]
        self._shown_there = self._shown.reshape(-1, 3).take(self._compared, axis=0)
        self._votes = tuple(in_rows(of[self.hole]) for of in self.votes.places())
        self._between = self.grid.at(*self._votes)

    def arrivals(self, end: int, watch: Callable[[], None]) -> Iterator[_Arrival]:
        """Yield the sources on the way to a frame, nearest first; `watch` may raise to stop.

        The camera's lead and that of the hole's border are followed side by side. Where they part, a frame
        may be two sources: the one that is right agrees with other frames.
        """
        begin = self._begin()
        walks = [_Walk(_Points(**vars(begin)), bordered, self._holed.copy()) for bordered in (False, True)]
        way, camera = legs(self._frame, end), np.eye(3)
        for number, (frame, looked_at) in enumerate(stops(self._frame, end)):
            watch()
            self._background.ahead(way[number : number + _AHEAD])
            before = way[number][0]
            field: Field = self._background.field(before, frame, watch)
            for walk in walks:
                walk.points.move(self._background, field.bordered if walk.bordered else field.led)
            camera = field.camera @ camera
            if not looked_at:
                continue
            led = (
                walks[:1]
                if walks[-1].points.meets(walks[0].points, self._holed, _SAME_PX * self._far(frame))
                else walks
            )
            reached: list[_Points] = []
            for walk in led:
                arrival = self._looked(walk, frame, begin, camera, last=frame == end)
                if arrival is not None and not any(arrival.points is other for other in reached):
                    yield replace(arrival, points=replace(arrival.points))
                    reached.append(arrival.points)
            walks[-1].wanted &= led[-1].wanted
            walks = [walk for walk in walks if walk.wanted.any()]
            if not walks:
                return

    def _begin(self) -> _Points:
        return _Points(self._x, self._y, np.zeros_like(self._x), np.ones_like(self._holed))

    def _looked(
        self, walk: _Walk, frame: int, begin: _Points, camera: NDArray[np.float64], *, last: bool
    ) -> _Arrival | None:
        """Return where a walk's points lie in a frame that shows enough of them to be a source; else None."""
        left = walk.wanted & walk.points.alive
        if not left.any():
            walk.wanted = left
            return None
        seen = self._new(walk, frame, walk.points, last=last)
        if seen is None:
            return None  # most frames show nothing new: nothing more is asked of them
        here = self._arrived(frame, walk.points, begin.ridden(self._background, camera), begin)
        if here is not walk.points:
            seen = self._new(walk, frame, here, last=last)
        if seen is None:
            return None
        walk.wanted = walk.wanted & ~seen
        return _Arrival(frame, here, seen)

    def _new(self, walk: _Walk, frame: int, points: _Points, *, last: bool) -> Mask | None:
        """Return which points a frame shows, if there are enough among them that no nearer one shows."""
        left = walk.wanted & points.alive
        seen = points.alive & ~self._background.hidden(frame, points.x, points.y)
        new = np.count_nonzero(seen & left)
        enough = _SHARE * self._far(frame) * self._points
        return seen if new and (new >= enough or new == np.count_nonzero(left) or last) else None

    def _far(self, frame: int) -> float:
        """Return how many times as far as a near one a frame is, 1 at least."""
        return max(1.0, abs(frame - self._frame) / _NEAR)

    def _arrived(self, frame: int, points: _Points, *simpler: _Points) -> _Points:
        """Return where the points lie in a frame.

        A long trace gathers the noise of its many small steps, and behind a hole those are only completed.
        Where a simpler motion, the camera's alone or none, explains the known pixels about as well, it is the
        better guess for what is hidden; the last that does is taken.
        """
        best, (seen, shows) = points, self._seen_known(frame, points)
        for other in simpler:
            stands, also = self._seen_known(frame, other)
            known = shows & also
            if np.count_nonzero(known) < _FEW:
                continue
            limit = _SIMPLER * self._apart(seen, known) + _SIMPLER_LEAST
            if self._apart(stands, known) <= limit:
                best, seen, shows = other, stands, also
        return best

    def steadied(self, frame: int, points: _Points) -> _Points:
        """Return where points lie in a frame: where they stand, as far as that explains the known pixels too.

        Under a camera on a tripod all that a trace gathers is noise. From one frame to the next that must not
        be all or nothing: what is carried would jump.
        """
        (seen, shows), begin = self._seen_known(frame, points), self._begin()
        stands, also = self._seen_known(frame, begin)
        known = shows & also
        if np.count_nonzero(known) < _FEW:
            return points
        ratio = (self._apart(stands, known) - _SIMPLER_LEAST) / max(self._apart(seen, known), 1e-6)
        still = np.float32(np.clip((_STANDS[1] - ratio) / (_STANDS[1] - _STANDS[0]), 0, 1))
        if still in (0, 1):
            return begin if still else points
        x, y = (there + (here - there) * still for there, here in ((points.x, begin.x), (points.y, begin.y)))
        return _Points(x, y, points.doubt * (1 - still), points.alive)

    def _seen_known(self, frame: int, points: _Points) -> tuple[Floats, Mask]:
        """Sample a frame where some of the known points have come to."""
        at = self._compared
        x, y = points.x.take(at)[None], points.y.take(at)[None]
        hidden = self._background.hidden(frame, x, y)[0]
        return self._background.colors(frame, x, y)[0], points.alive.take(at) & ~hidden

    def _apart(self, looked: Floats, known: Mask) -> float:
        difference = (self._shown_there - looked).compress(known, axis=0)
        difference -= medians(difference)
        return float(np.abs(difference, out=difference).mean())

    def led(self, source: int, watch: Callable[[], None]) -> _Points:
        """Follow the camera's lead all the way: what is carried along it stands still on the background.

        `watch` may raise to stop.
        """
        background = self._background
        points = self._begin()
        turn = post(self._frame, source)
        way = legs(self._frame, source if turn is None else turn)
        for number, (before, frame) in enumerate(way):
            watch()
            background.ahead(way[number : number + _AHEAD])
            points.move(background, background.field(before, frame, watch).led)
        if turn is not None:
            points.move(background, background.road(turn, source, watch))
        return points

    def share_of(self, where: Mask, points: _Points) -> float:
        """Return which share of the hole's points has come to a part (H, W) of a frame."""
        near = cv2.dilate(where.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=self.grid.apart)
        there = cv2.remap(near, points.x, points.y, cv2.INTER_NEAREST, borderValue=0) > 0
        return float((there & points.alive)[self._holed].mean()) if self._holed.any() else 0.0

    def arrived(self, source: int, points: _Points) -> tuple[Grid, Trace, Mask]:
        """Look at a frame where points have come to in it."""
        background = self._background
        hidden = background.hidden(source, points.x, points.y)
        known = self._known & points.alive & ~hidden
        offset, _, _ = self._difference(background.colors(source, points.x, points.y), known)
        shift = np.dstack([points.x - self._x, points.y - self._y])
        nothing = np.zeros_like(offset)
        frames = background.shown(self._frame), background.shown(source)
        blur = softer_by(*frames, (self._x, self._y), (points.x, points.y), known)
        return self.grid, Trace(source, shift, offset, points.alive, nothing, points.doubt, blur), hidden

    def taken(self, arrival: _Arrival) -> Trace:
        """Look closely at what a source shows."""
        source, points = arrival.source, arrival.points
        background = self._background
        color = background.colors(source, points.x, points.y)
        shift = points.x - self._x, points.y - self._y
        distance = abs(source - self._frame)
        path = np.hypot(*shift)
        known = self._known & arrival.shown
        offset, wrong, wrong_here = self._difference(color, known)
        error = (
            2 * wrong_here**2
            + np.float32(3 * wrong**2 + 2e-4)
            + np.float32(5e-4) * np.minimum(path, np.float32(distance))
            + np.float32(2e-4) * points.doubt
        )
        at, between = self._votes, self._between
        alive = points.alive.astype(np.float32)
        carried = cv2.split(bilinear(np.asarray(cv2.merge([*shift, alive, error]), np.float32), *between))
        x, y = at[0] + carried[0], at[1] + carried[1]
        seen = (carried[2] > 0.99) & ~background.hidden(source, x, y) & ~background.outside(x, y)
        found = background.colors(source, x, y) + bilinear(offset, *between)
        count = self._count
        return Trace(
            source,
            np.asarray(cv2.merge(shift), np.float32),
            offset,
            seen.reshape(-1)[:count],
            found.reshape(-1, 3)[:count],
            np.asarray(carried[3], np.float32).reshape(-1)[:count],
        )

    def _difference(self, color: Floats, known: Mask) -> tuple[Floats, float, Floats]:
        """Compare a source with the frame where both are known.

        Returns the offset (h, w, 3) that makes them meet, and how far they still differ: everywhere, and near
        each point (h, w).
        """
        at = np.flatnonzero(known)
        if at.size < _FEW:
            return np.zeros_like(color), 0.2, np.full(known.shape, 0.2, np.float32)
        difference = self._shown - color
        there = difference.reshape(-1, 3).take(at, axis=0)
        middle = np.clip(medians(there), -_OFFSET_LIMIT, _OFFSET_LIMIT).astype(np.float32)
        local = np.asarray(np.clip(difference - middle, -_LOCAL_LIMIT, _LOCAL_LIMIT), np.float32)
        offset = middle + _smooth(local, known, 10.0 / self.grid.apart)
        apart = np.abs(difference - offset)
        wrong = np.asarray((apart[..., 0] + apart[..., 1] + apart[..., 2]) / np.float32(3), np.float32)
        here = _smooth(wrong[..., None], known, 8.0 / self.grid.apart)[..., 0]
        return offset, float(wrong.take(at).mean()), here


def _smooth(values: Floats, known: Mask, sigma: float) -> Floats:
    """Low frequencies of values (h, w, c) that are known in places, continued to where they are not."""
    shown, channels = known.astype(np.float32), values.shape[2]
    weight = np.asarray(cv2.GaussianBlur(shown, (0, 0), sigma), np.float32)
    blurred = cv2.GaussianBlur(values * each(shown, channels), (0, 0), sigma)
    mean = blurred.reshape(values.shape) / each(np.maximum(weight, np.float32(1e-3)), channels)
    return spread(np.asarray(mean, np.float32), weight > 0.05)
