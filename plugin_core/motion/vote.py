"""Real pixels first: fill a hole with what other frames show of it, at plate resolution and full range.

The sources that `trace` finds vote: a color on which several agree counts more than one that stands alone, so
that someone who walks through a single source leaves no trace. What is then sampled comes once, from the
plates themselves. Each pixel has a confidence; the network fills what has little. What is not sure is
shown softened: detail that is likely in the wrong place, and that another frame has elsewhere, is worse than
none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..regions.hole import Hole
from .sampling import bicubic, bilinear, pixel_grid
from .trace import Trace, Traces
from .view import MotionView

Floats = NDArray[np.float32]

_ALIKE = 0.12
"""Colors (display-referred) that differ by less than about this support each other."""

_NEGLIGIBLE = 0.02
"""A source with less weight than this at every pixel is not read."""

_FILL_ERROR = 0.02
"""Squared error of the network's own picture, about: a pixel found with as much is trusted half."""


_SOFT_PX = 4.0
"""Sigma, in pixels of the motion view, of the softened picture: about how far unsure pixels are off."""

_ALL_SOFT, _SHARP = 0.75, 0.98
"""Confidence up to which a pixel is all soft, and from which it is not softened at all."""


@dataclass(frozen=True)
class Propagated:
    """Real pixels found for a hole.

    Attributes:
        box: the hole's box, in pixels of the plate's data window.
        picture: (h, w, 3) float32 in the network's range -1..1 (beyond it where the plate is).
        confidence: (h, w) float32, 0 where nothing was found .. 1 where it surely is what the hole hides.
        grain: (h, w) float32, what the picture has of the plate's grain: all, 1, where it shows one source,
            less where it is a mean of several or softened; 0 where nothing was found.
    """

    box: Box
    picture: Floats
    confidence: Floats
    grain: Floats

    def within(self, box: Box) -> Propagated:
        """Return what was found for a box inside this one."""
        inside = box.moved(-self.box.x0, -self.box.y0).slices
        return Propagated(box, self.picture[inside], self.confidence[inside], self.grain[inside])


ReadPixels = Callable[[int, Box], Floats]
"""Returns a frame's pixels in a box of the plate, (h, w, 3) in the network's range, all finite."""


def propagated(traces: Traces, hole: Hole, view: MotionView, read: ReadPixels) -> Propagated | None:
    """Sample the pixels that a frame's traces lead to; None where they lead nowhere.

    Args:
        traces: of the frame, in the motion view.
        hole: the frame's hole, at plate resolution.
        view: the motion view: which part of the plate it shows, and at what size.
        read: gives pixels of other frames.
    """
    if not traces.found:
        return None
    weights, confidence = vote(traces)
    x, y = view.points(*pixel_grid(hole.box))
    local = (x - np.float32(traces.box.x0), y - np.float32(traces.box.y0))
    total = np.zeros(hole.alpha.shape, np.float32)
    squares = np.zeros_like(total)
    picture = np.zeros((*hole.alpha.shape, 3), np.float32)
    for found, weight in zip(traces.found, weights, strict=True):
        if weight.max() <= _NEGLIGIBLE:
            continue
        share = bilinear(weight, *local)
        picture += share[..., None] * _sampled(found, traces.box, local, (x, y), share > 0, view, read)
        total += share
        squares += share * share
    reached = total > 1e-3
    picture = np.where(reached[..., None], picture / np.maximum(total, np.float32(1e-3))[..., None], 0)
    sure = np.where(reached, np.clip(bilinear(confidence, *local), 0, 1), 0)
    soft = np.clip((_SHARP - sure) / (_SHARP - _ALL_SOFT), 0, 1) * reached
    picture += soft[..., None] * (bilinear(_softened(traces, weights, confidence), *local) - picture)
    grain = np.where(reached, (1 - soft) * np.sqrt(squares) / np.maximum(total, np.float32(1e-3)), 0)
    return Propagated(hole.box, *(part.astype(np.float32) for part in (picture, sure, grain)))


def _softened(traces: Traces, weights: list[Floats], confidence: Floats) -> Floats:
    """Return the low frequencies of what was found, (h, w, 3) in the network's range, surer pixels first."""
    color = sum(weight[..., None] * found.color for found, weight in zip(traces.found, weights, strict=True))
    share = np.sum(weights, axis=0) * (confidence + np.float32(1e-3))
    blurred = cv2.GaussianBlur(color * share[..., None], (0, 0), _SOFT_PX)
    weight = np.maximum(cv2.GaussianBlur(share, (0, 0), _SOFT_PX), np.float32(1e-6))
    # Colors are display-referred, 0..1; the network's range is twice as wide.
    return np.asarray(2 * blurred / weight[..., None] - 1, np.float32)


def vote(traces: Traces) -> tuple[list[Floats], Floats]:
    """Weigh the sources of each pixel against each other.

    Returns:
        A weight map (h, w) for each source, 0 outside the hole, and the confidence (h, w) of their mixture.
    """
    inside = traces.hole
    color = np.stack([found.color[inside] for found in traces.found])
    seen = np.stack([found.seen[inside] for found in traces.found])
    error = np.stack([found.error[inside] for found in traces.found])
    prior = np.where(seen, 1 / error, 0).astype(np.float32)
    total = np.maximum(prior.sum(axis=0), np.float32(1e-9))
    support = np.stack([(_alike(color, one) * prior).sum(axis=0) / total for one in color])
    best = (prior * support).argmax(axis=0)
    points = np.arange(best.size)
    nearest = prior.max(axis=0)
    weight = (prior / np.maximum(nearest, np.float32(1e-9))) ** 4 * _alike(color, color[best, points])
    weight /= np.maximum(weight.sum(axis=0), np.float32(1e-9))
    doubt = error[best, points] / np.maximum(support[best, points], np.float32(0.05))
    sure = np.where(nearest > 0, 1 / (1 + (doubt / _FILL_ERROR) ** 2), 0)
    maps = [_map(inside, one) for one in np.where(seen, weight, 0)]
    return maps, _map(inside, sure)


def _alike(color: Floats, one: Floats) -> Floats:
    apart = ((color - one) ** 2).mean(axis=-1)
    return np.asarray(np.exp(apart * np.float32(-0.5 / _ALIKE**2)), np.float32)


def _map(inside: NDArray[np.bool_], values: NDArray[np.floating]) -> Floats:
    full = np.zeros(inside.shape, np.float32)
    full[inside] = values
    return full


def _sampled(
    found: Trace,
    box: Box,
    local: tuple[Floats, Floats],
    at: tuple[Floats, Floats],
    wanted: NDArray[np.bool_],
    view: MotionView,
    read: ReadPixels,
) -> Floats:
    """Sample one source where it is wanted: (h, w, 3) in the network's range."""
    # Displacements are smooth where coordinates are not yet at plate resolution: those are interpolated.
    columns, rows = pixel_grid(box)
    shift = bilinear(np.dstack([found.x - columns, found.y - rows]), *local)
    across, down = view.pixels_per
    x = (at[0] + shift[..., 0] + 0.5) * np.float32(across) - 0.5 + view.crop.x0
    y = (at[1] + shift[..., 1] + 0.5) * np.float32(down) - 0.5 + view.crop.y0
    around = _around(x[wanted], y[wanted], view.crop)
    pixels = read(found.source, around)
    sampled = _sharply(pixels, (x - around.x0).astype(np.float32), (y - around.y0).astype(np.float32))
    # Offsets are display-referred, 0..1; the network's range is twice as wide.
    return np.asarray(sampled + 2 * bilinear(found.offset, *local), np.float32)


def _sharply(pixels: Floats, x: Floats, y: Floats) -> Floats:
    """Sample pixels (H, W, 3) at points (h, w) by a bicubic filter, within the range of the four around each.

    Nothing rings: not beside a light, and not at the edge of the source's own hole, whose pixels the filter
    reaches while the four around the point are all known.
    """
    border = cv2.BORDER_REPLICATE
    left, top = np.floor(x), np.floor(y)
    corners = [
        cv2.remap(pixels, left + dx, top + dy, cv2.INTER_NEAREST, borderMode=border)
        for dy in (0, 1)
        for dx in (0, 1)
    ]
    low = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    high = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    return np.clip(bicubic(pixels, x, y), low, high)


def _around(x: Floats, y: Floats, crop: Box) -> Box:
    """Return the box of plate pixels that points need, within the crop."""
    box = Box(int(x.min()) - 3, int(y.min()) - 3, int(x.max()) + 4, int(y.max()) + 4)
    x0, y0 = min(max(box.x0, crop.x0), crop.x1 - 1), min(max(box.y0, crop.y0), crop.y1 - 1)
    return Box(x0, y0, max(min(box.x1, crop.x1), x0 + 1), max(min(box.y1, crop.y1), y0 + 1))
