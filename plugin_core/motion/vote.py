"""Real pixels first: fill a hole with what other frames show of it, at plate resolution and full range.

The sources that `trace` finds vote: a color on which several agree counts more than one that stands alone, so
that someone who walks through a single source leaves no trace. What is then sampled comes once, from the
plates themselves. Each pixel has a confidence; the network fills what has little. What is not sure is
shown softened: detail that is likely in the wrong place, and that another frame has elsewhere, is worse than
none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..channels import thrice
from ..patch import Patch
from ..regions.hole import Hole
from .places import Strongest, led_all
from .sampling import Sampler, bicubic, bilinear, in_rows
from .trace import Grid, Trace, Traces
from .view import MotionView

Floats = NDArray[np.float32]

_ALIKE = 0.12
"""Colors (display-referred) that differ by less than about this support each other."""

_UNSEEN = 0.03
"""What a source weighs beyond this is what it is sampled with: many a source adds next to nothing."""

_LEAST = 0.15
"""A source that weighs less than this part of a point's heaviest weighs nothing there."""

_MOST = 0.6
"""Where a source counts for so much of a box, it is sampled all over: that is quicker than point by point."""

_AT_ONCE = 4
"""So many sources are sampled side by side."""

_VOTERS = 12
"""No more sources than this vote on a pixel."""

_FILL_ERROR = 0.016
"""Squared error of the network's own picture, about: a pixel found with as much is trusted half."""


_SOFT_PX = 3.0
"""Sigma, in pixels of the motion view, of the softened picture: about how far unsure pixels are off."""

_PIECE_PX, _MEET_PX = 4.0, 1.0
"""Sigmas, in pixels of the motion view, of what makes sources stand in pieces and of where these meet."""

_ALL_SOFT, _SHARP = 0.8, 0.98
"""Confidence up to which a pixel is all soft, and from which it is not softened at all."""


ReadPixels = Callable[[int, Box], Floats]
"""Returns a frame's pixels in a box of the plate, (h, w, 3) in the network's range, all finite."""

Hidden = Callable[[int, Floats, Floats], NDArray[np.bool_]]
"""Returns which points (h, w) of the view, by columns and rows, touch a frame's hole."""


def propagated(
    traces: Traces,
    hole: Hole,
    view: MotionView,
    read: ReadPixels,
    hidden: Hidden,
    watch: Callable[[], None] = lambda: None,
    *,
    workers: Executor | None = None,
    tells_places: bool = False,
    sharp: bool = False,
) -> Patch | None:
    """Sample the pixels that a frame's traces lead to; None where they lead nowhere.

    Args:
        traces: of the frame, in the motion view.
        hole: the frame's hole, at plate resolution.
        view: the motion view: which part of the plate it shows, and at what size.
        read: gives pixels of other frames.
        hidden: knows the holes of other frames.
        watch: called for every few sources; may raise to stop.
        workers: sample sources side by side; what is found does not depend on them.
        tells_places: whether the patch says where each pixel is from.
        sharp: where it is not sure, show sources alone, in pieces that meet, rather than softened.
    """
    if not traces.found:
        return None
    weights, confidence = vote(traces)
    if sharp:
        weights = _pieced(traces, weights, confidence)
    columns, rows = view.points_of(hole.box)
    local = traces.votes.at(columns, rows)
    # Weights fade where the voters' hole ends, and what counts as little with them.
    inside = bilinear(_map(traces.hole, np.ones_like(confidence)), *local)
    least = np.float32(_UNSEEN) * inside
    mixture = _Mixture(hole.alpha.shape)
    strongest = Strongest(hole.alpha.shape) if tells_places else None

    def sample(one: tuple[Trace, Floats]) -> _Sample | None:
        found, weight = one
        if weight.max() <= _UNSEEN:
            return None
        laid = _map(traces.hole, weight)
        part = _reached(laid, local)
        if part is None:
            return None
        share = np.maximum(bilinear(laid, local[0][part], local[1][part]) - least[part], 0)
        count = np.count_nonzero(share)
        if count == 0:
            return None
        where: tuple[Any, Any] = part
        at = columns[part], rows[part]
        if count < _MOST * share.size:
            inner = np.flatnonzero(share > 0)  # of floats it takes five times as long
            down, across = np.divmod(inner, share.shape[1])
            where = down + part[0].start, across + part[1].start
            at = in_rows(columns[0].take(where[1])), in_rows(rows[:, 0].take(where[0]))
            share = share.take(inner)
        x, y = there = led_all(found, traces.grid, at, view)
        # A hole may end between two points that are both seen.
        share *= ~_cut(hidden(found.source, *view.points(x, y)), share.shape)
        colors = _cut(_colors(found, traces.grid, at, there, view, read), (*share.shape, 3))
        return _Sample(found.source, where, share, colors, (_cut(x, share.shape), _cut(y, share.shape)))

    # They are added in their order, whichever is sampled first.
    for shown in _side_by_side(sample, zip(traces.found, weights, strict=True), workers):
        watch()
        if shown is None:
            continue
        mixture.add(shown.where, shown.weight, shown.colors)
        if strongest is not None:
            strongest.add(shown.where, shown.weight, shown.source, shown.there)
    picture, total = mixture.picture, mixture.total
    reached = total > 1e-3
    total = np.maximum(total, np.float32(1e-3))
    picture /= thrice(total)
    sure = bilinear(_map(traces.hole, confidence), *local) / np.maximum(inside, np.float32(1e-3))
    sure = np.where(reached, np.clip(sure, 0, 1), 0)
    soft = np.zeros_like(sure) if sharp else _unsure(sure) * reached
    if not sharp:
        away = bilinear(_softened(traces, weights, confidence), *local)
        away -= picture
        away *= thrice(soft)
        picture += away
    picture *= thrice(reached)
    grain = np.where(reached, (1 - soft) * np.sqrt(mixture.squares) / total, 0)
    floats = (values.astype(np.float32) for values in (picture, sure, grain))
    place = None if strongest is None else strongest.of(np.where(reached, total / (1 - soft + 1e-6), 0))
    return Patch(hole.box, *floats, soft=soft.astype(np.float32), place=place)


@dataclass(frozen=True)
class _Sample:
    """What one source shows of a hole.

    Attributes:
        source: its frame.
        where: rows and columns of the hole.
        weight: (...) of each.
        colors: (..., 3) in the network's range.
        there: (...) column and row in the source.
    """

    source: int
    where: tuple[Any, Any]
    weight: Floats
    colors: Floats
    there: tuple[Floats, Floats]


def _side_by_side(
    sample: Callable[[tuple[Trace, Floats]], _Sample | None],
    of: Iterable[tuple[Trace, Floats]],
    workers: Executor | None,
) -> Iterator[_Sample | None]:
    """Yield what is sampled of each, a few ahead of what is taken."""
    if workers is None:
        yield from map(sample, of)
        return
    begun: deque[Future[_Sample | None]] = deque()
    for one in of:
        begun.append(workers.submit(sample, one))
        if len(begun) == _AT_ONCE:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


class _Mixture:
    """A weighted sum of what sources show of a hole.

    Attributes:
        total, squares: (h, w), the weights and their squares.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        # In planes: numbers that are picked one by one are added in a fifth of the time.
        self._planes = [np.zeros(shape, np.float32) for _ in range(3)]
        self.total = np.zeros(shape, np.float32)
        self.squares = np.zeros(shape, np.float32)

    @property
    def picture(self) -> Floats:
        """(h, w, 3), each color times its weight."""
        return np.asarray(cv2.merge(self._planes), np.float32)

    def add(self, where: tuple[Any, Any], weight: Floats, colors: Floats) -> None:
        """Add colors (..., 3) with a weight (...) at rows and columns."""
        one_by_one = not isinstance(where[0], slice)
        at = where[0] * self.total.shape[1] + where[1] if one_by_one else where
        wide = colors.reshape(1, -1, 3) if colors.ndim == 2 else colors
        channels = [np.asarray(channel, np.float32).reshape(weight.shape) for channel in cv2.split(wide)]
        for sums, values in (
            *((plane, channel * weight) for plane, channel in zip(self._planes, channels, strict=True)),
            (self.total, weight),
            (self.squares, weight * weight),
        ):
            held = sums.reshape(-1) if one_by_one else sums
            held[at] += values


def _reached(weight: Floats, local: tuple[Floats, Floats]) -> tuple[slice, slice] | None:
    """Return the rows and columns of a hole's pixels in which a weight (h, w) of its traced box counts."""
    around = bounds(weight > _UNSEEN)
    if around is None:
        return None
    x, y = local[0][0], local[1][:, 0]
    left, right = np.searchsorted(x, (around[0] - 1, around[2]))
    top, bottom = np.searchsorted(y, (around[1] - 1, around[3]))
    return (
        None
        if left == right or top == bottom
        else (slice(int(top), int(bottom)), slice(int(left), int(right)))
    )


def _softened(traces: Traces, weights: list[Floats], confidence: Floats) -> Floats:
    """Return the low frequencies of what was found, (h, w, 3) in the network's range, surer pixels first."""
    color = np.zeros((confidence.size, 3), np.float32)
    for found, weight in zip(traces.found, weights, strict=True):
        color += weight[:, None] * found.color
    share = np.sum(weights, axis=0) * (confidence + np.float32(1e-3))
    sigma = _SOFT_PX / traces.votes.apart
    blurred = cv2.GaussianBlur(_map(traces.hole, color * share[:, None]), (0, 0), sigma)
    weight = np.maximum(cv2.GaussianBlur(_map(traces.hole, share), (0, 0), sigma), np.float32(1e-6))
    # Colors are display-referred, 0..1; the network's range is twice as wide.
    return np.asarray(2 * blurred / weight[..., None] - 1, np.float32)


def _unsure(confidence: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return how unsure (...) a pixel is for its detail to be believed, 0..1."""
    return np.asarray(np.clip((_SHARP - confidence) / (_SHARP - _ALL_SOFT), 0, 1))


def _pieced(traces: Traces, weights: list[Floats], confidence: Floats) -> list[Floats]:
    """Return weights (n,) by which, where it is not sure, each source stands alone in pieces.

    A mean of sources that do not meet is a haze. Pieces are large, and dissolve where one meets another.
    """
    apart, shape = traces.votes.apart, weights[0].shape
    most, which = np.zeros(shape, np.float32), np.full(shape, -1, np.intp)
    for number, weight in enumerate(weights):
        broad = cv2.GaussianBlur(_map(traces.hole, weight), (0, 0), _PIECE_PX / apart)[traces.hole]
        better = (weight > 0) & (broad > most)
        most[better], which[better] = broad[better], number
    pieces = []
    for number, weight in enumerate(weights):
        own = _map(traces.hole, (which == number).astype(np.float32))
        pieces.append(cv2.GaussianBlur(own, (0, 0), _MEET_PX / apart)[traces.hole] * (weight > 0))
    total = np.maximum(np.sum(pieces, axis=0), np.float32(1e-6))
    unsure = _unsure(confidence)
    return [
        np.asarray(weight + unsure * (piece / total - weight), np.float32)
        for weight, piece in zip(weights, pieces, strict=True)
    ]


def vote(traces: Traces) -> tuple[list[Floats], Floats]:
    """Weigh the sources of each point against each other; of many, those expected to err least.

    Returns:
        A weight (n,) of each point of the hole for each source, and the confidence (n,) of their mixture.
    """
    prior = np.stack([np.where(found.seen, 1 / found.error, np.float32(0)) for found in traces.found])
    count = len(prior)
    voters = min(count, _VOTERS, int(np.count_nonzero(prior, axis=0).max(initial=1)))
    order = _best_first(prior)[:voters]
    pixels = prior.shape[1]
    # One take from all colors in a row is several times as quick as one along an axis.
    at = order * pixels + np.arange(pixels)
    prior = prior.ravel()[at]
    colors = np.stack([np.concatenate([found.color[:, c] for found in traces.found]) for c in range(3)])
    color = np.ascontiguousarray(np.take(colors, at, axis=1).swapaxes(0, 1))
    support = prior.copy()
    for one in range(voters):
        for other in range(one):
            alike = _alike(color[one], color[other])
            support[one] += alike * prior[other]
            support[other] += alike * prior[one]
    support /= np.maximum(prior.sum(axis=0), np.float32(1e-9))
    best = (prior * support).argmax(axis=0) * pixels + np.arange(pixels)
    share = prior / np.maximum(prior[0], np.float32(1e-9))
    weight = share * share * share
    leader = np.stack([np.ascontiguousarray(color[:, c]).ravel()[best] for c in range(3)])
    for one in range(voters):
        weight[one] *= _alike(color[one], leader)
    weight -= np.float32(_LEAST) * weight.max(axis=0)
    np.maximum(weight, 0, out=weight)
    weight /= np.maximum(weight.sum(axis=0), np.float32(1e-9))
    backed = np.maximum(support.ravel()[best], np.float32(0.05))
    doubt = 1 / np.maximum(prior.ravel()[best] * backed, np.float32(1e-9))
    doubt /= np.float32(_FILL_ERROR)
    sure = np.where(prior[0] > 0, 1 / (1 + doubt * doubt), np.float32(0))
    shares = np.zeros((count, pixels), np.float32)
    shares.ravel()[at] = weight
    return list(shares), sure.astype(np.float32)


def _best_first(prior: Floats) -> NDArray[np.intp]:
    """Return how the sources of each pixel follow on each other, (count, n): by promise, then as they come.

    Floats above 0 are in order as their bits are. With its place in the last few bits each promise is one
    number, and numbers are sorted in a third of the time that it takes to sort places.
    """
    places = np.uint32((1 << (len(prior) - 1).bit_length()) - 1)
    key = ~prior.view(np.uint32) & ~places
    key |= np.arange(len(prior), dtype=np.uint32)[:, None]
    key = np.ascontiguousarray(key.T)
    key.sort(axis=1)
    return np.ascontiguousarray((key & places).T.astype(np.intp))


def _alike(color: Floats, other: Floats) -> Floats:
    """Return how alike colors (3, n) are, (n,) of 0..1."""
    apart = color - other
    apart *= apart
    squared = apart[0] + apart[1] + apart[2]
    squared *= np.float32(-0.5 / 3 / _ALIKE**2)
    return np.asarray(np.exp(squared, out=squared), np.float32)


def _map(inside: NDArray[np.bool_], values: Floats) -> Floats:
    """Lay values (n, ...) of a hole's pixels out over its box; 0 elsewhere."""
    full = np.zeros((*inside.shape, *values.shape[1:]), np.float32)
    full[inside] = values
    return full


def sampled(
    found: Trace,
    grid: Grid,
    at: tuple[Floats, Floats],
    wanted: NDArray[np.bool_],
    view: MotionView,
    read: ReadPixels,
    by: Sampler = bicubic,
) -> Floats:
    """Sample one source at points (h, w) of the view that are wanted: (h, w, 3), 0 elsewhere."""
    if np.count_nonzero(wanted) >= _MOST * wanted.size:
        there = led_all(found, grid, at, view)
        colors = _colors(found, grid, at, there, view, read, by)
        return np.asarray(cv2.copyTo(colors, wanted.view(np.uint8)), np.float32)
    inner = np.flatnonzero(wanted)
    rows = in_rows(at[0].take(inner)), in_rows(at[1].take(inner))
    there = led_all(found, grid, rows, view)
    whole = np.zeros((*wanted.shape, 3), np.float32)
    whole.reshape(-1, 3)[inner] = _cut(_colors(found, grid, rows, there, view, read, by), (inner.size, 3))
    return whole


def _cut(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return values in a shape, the first ones where that holds less: see `in_rows`."""
    if values.shape == shape:
        return values
    each = values.shape[2:]
    return values.reshape(-1, *each)[: shape[0]].reshape(shape)


def _colors(
    found: Trace,
    grid: Grid,
    at: tuple[Floats, Floats],
    there: tuple[Floats, Floats],
    view: MotionView,
    read: ReadPixels,
    by: Sampler = bicubic,
) -> Floats:
    """Sample a source for points (h, w) of the view: (h, w, 3) in the network's range.

    Args:
        found, grid: where they lead, and by how much the source's colors are moved.
        at: the points.
        there: their columns and rows in the source, in pixels of the plate.
        view: the motion view.
        read: gives pixels of the source.
        by: samples between pixels.
    """
    x, y = there
    around = _around(x, y, view.crop)
    colors = _sharply(read(found.source, around), x - np.float32(around.x0), y - np.float32(around.y0), by)
    # Offsets are display-referred, 0..1; the network's range is twice as wide.
    colors += 2 * grid.between(found.offset, *at)
    return colors


def _sharply(pixels: Floats, x: Floats, y: Floats, by: Sampler) -> Floats:
    """Sample pixels (H, W, 3) at points (h, w) by a filter, within the range of the four around each.

    Nothing rings: not beside a light, and not at the edge of the source's own hole, whose pixels the filter
    reaches while the four around the point are all known.
    """
    border = cv2.BORDER_REPLICATE
    four = np.ones((2, 2), np.uint8)
    low = cv2.erode(pixels, four, anchor=(0, 0), borderType=border)
    high = cv2.dilate(pixels, four, anchor=(0, 0), borderType=border)
    left, top = np.floor(x), np.floor(y)
    least, most = (cv2.remap(of, left, top, cv2.INTER_NEAREST, borderMode=border) for of in (low, high))
    sampled = by(pixels, x, y)
    return np.clip(sampled, least, most, out=sampled)


def _around(x: Floats, y: Floats, crop: Box) -> Box:
    """Return the box of plate pixels that points need, within the crop."""
    box = Box(int(x.min()) - 4, int(y.min()) - 4, int(x.max()) + 5, int(y.max()) + 5)
    x0, y0 = min(max(box.x0, crop.x0), crop.x1 - 1), min(max(box.y0, crop.y0), crop.y1 - 1)
    return Box(x0, y0, max(min(box.x1, crop.x1), x0 + 1), max(min(box.y1, crop.y1), y0 + 1))
