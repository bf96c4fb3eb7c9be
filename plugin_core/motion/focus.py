"""How much softer one frame is than another around a hole: out of focus, or blurred by a fast pan.

What is carried from a sharp frame to a soft one has to lose what its surroundings have lost. How strong
detail of several sizes is around the hole, beside how strong the very same detail is on the other frame,
tells the blur between them: each blur leaves so much of each size. A place that merely shows something else
on one of the frames is outvoted. Across and down are told apart: a pan blurs across.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..channels import thrice
from .sampling import bilinear

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
ReadPixels = Callable[[int, Box], Floats]

_SIZES = (1.0, 2.0, 4.0)
"""Sizes of detail, in pixels of the view: a blur by twice as much takes it, one by so much does not."""

_CELL_PX = 4
"""How strong it is is kept for cells of so many pixels."""

_CLEAR = 2.0
"""Detail is told from this many times its size away from a hole, whose edge is detail, too."""

_FAINT = 0.0015
"""Detail weaker than about this (display-referred) is noise."""

_FEWEST = 150
"""Fewer places than this tell nothing."""

_STEPS = np.arange(0, 81, dtype=np.float32) / 10
"""Blurs that are tried, in pixels of the view."""

_SAME, _SOFTER = 0.4, 0.8
"""A blur by less than the one is the same focus, for all that is known; by the other it is believed whole."""

_TELLS = 0.9
"""So much of the finest detail may be left at most: else nothing was lost."""

_ONE_WAY, _BOTH_WAYS = 0.5, 0.8
"""A blur one way takes detail the other way, too, as much as half a blur would; from the other share of it on
there is one both ways."""


@dataclass(frozen=True)
class Blur:
    """How much softer a frame is than another: sigmas in pixels, across and down."""

    across: float = 0.0
    down: float = 0.0

    def __bool__(self) -> bool:
        return self.across > 0 or self.down > 0

    def scaled(self, across: float, down: float) -> Blur:
        """Return it where pixels are so many times as small."""
        return Blur(self.across * across, self.down * down)

    @property
    def fine_left(self) -> float:
        """How much is left of an edge's detail finer than a pixel, 0..1."""
        return math.sqrt(_fine_left(self.across) * _fine_left(self.down))

    @property
    def grain_left(self) -> float:
        """How strong grain as fine as pixels is afterwards, 0..1."""
        axes = (min(1.0, 1 / (2 * math.sqrt(math.pi) * max(axis, 1e-3))) for axis in (self.across, self.down))
        return math.sqrt(math.prod(axes))


UNCHANGED = Blur()


@dataclass(frozen=True)
class Detail:
    """How strong detail of each size is on a frame, across and down: float32 (h, w), in cells of the view."""

    across: tuple[Floats, ...]
    down: tuple[Floats, ...]

    @classmethod
    def of(cls, luma: Floats) -> Detail:
        """Measure a picture (H, W), display-referred."""
        # Detail across is told row by row: every other one will do.
        across = _strengths(luma[::2], 2)
        down = tuple(strong.T for strong in _strengths(np.ascontiguousarray(luma[:, ::2].T), 2))
        return cls(across, down)


def _strengths(rows: Floats, thinned: int) -> tuple[Floats, ...]:
    """Return how strong detail of each size is along rows (h, W) of which there were more."""
    height, width = rows.shape
    size = max(1, round(width / _CELL_PX)), max(1, round(height * thinned / _CELL_PX))
    blurred = [_along(rows, sigma) for sigma in (*_SIZES, 2 * _SIZES[-1])]
    return tuple(
        np.asarray(cv2.resize(np.abs(fine - coarse), size, interpolation=cv2.INTER_AREA), np.float32).reshape(
            size[1], size[0]
        )
        for fine, coarse in pairwise(blurred)
    )


def _along(rows: Floats, sigma: float) -> Floats:
    return _filtered(rows, _kernel(sigma), _kernel(0), cv2.BORDER_REFLECT)


def _kernel(sigma: float) -> Floats:
    if sigma == 0:
        return np.ones((1, 1), np.float32)
    return np.asarray(cv2.getGaussianKernel(2 * math.ceil(3 * sigma) + 1, sigma, cv2.CV_32F), np.float32)


def _filtered(values: Floats, across: Floats, down: Floats, border: int) -> Floats:
    return np.asarray(cv2.sepFilter2D(values, cv2.CV_32F, across, down, borderType=border), np.float32)


@dataclass(frozen=True)
class Shown:
    """A frame as its focus is compared.

    Attributes:
        detail: of the frame.
        away: (H, W) of the view, how many pixels each lies from what the frame does not show.
    """

    detail: Detail
    away: Floats

    @classmethod
    def of(cls, luma: Floats, hole: NDArray[np.uint8]) -> Shown:
        """Measure a frame of which a hole (H, W), above 0, is not known."""
        away = cv2.distanceTransform((hole == 0).astype(np.uint8), cv2.DIST_L2, 3)
        return cls(Detail.of(luma), np.asarray(away, np.float32))


def softer_by(
    here: Shown, there: Shown, at: tuple[Floats, Floats], led: tuple[Floats, Floats], known: Mask
) -> Blur:
    """Return how much softer a frame is than another one, in pixels of the view.

    Args:
        here, there: the frame, and the other one.
        at: columns and rows (h, w) of points of the frame.
        led: where these lie in the other one.
        known: (h, w), which are of any use.
    """
    away = np.minimum(bilinear(here.away, *at), bilinear(there.away, *led))
    sigmas = []
    for ours, theirs in ((here.detail.across, there.detail.across), (here.detail.down, there.detail.down)):
        left = []
        for mine, its, size in zip(ours, theirs, _SIZES, strict=True):
            values = _at(mine, at, here.away.shape), _at(its, led, there.away.shape)
            left.append(_left(*values, known & (away > _CLEAR * size)))
        sigmas.append(_sigma(left))
    across, down = (
        one * min(max((one / max(one, other, 1e-6) - _ONE_WAY) / (_BOTH_WAYS - _ONE_WAY), 0.0), 1.0)
        for one, other in (sigmas, sigmas[::-1])
    )
    return Blur(across, down)


def _at(cells: Floats, points: tuple[Floats, Floats], shape: tuple[int, ...]) -> Floats:
    half = np.float32(0.5)
    x, y = (
        (axis + half) * np.float32(count / whole) - half
        for axis, count, whole in zip(points, cells.shape[::-1], shape[::-1], strict=True)
    )
    return bilinear(cells, x, y)


def _left(here: Floats, there: Floats, known: Mask) -> float | None:
    """Return how much of detail is left on a frame, as most of it says; None where too little tells."""
    mine, its = (values[known] + np.float32(_FAINT) for values in (here, there))
    if mine.size < _FEWEST:
        return None
    # Weighed by both alike: whatever is strong on one of them alone would tell that the other is soft.
    weight = np.sqrt(mine * its) - np.float32(_FAINT)
    order = np.argsort(mine / its, kind="stable")
    summed = np.cumsum(np.maximum(weight, 0)[order], dtype=np.float64)
    if summed[-1] < _FAINT * mine.size:
        return None
    middle = order[int(np.searchsorted(summed, summed[-1] / 2))]
    return float(mine[middle] / its[middle])


def _sigma(left: list[float | None]) -> float:
    """Return the blur that leaves so much of detail of each size."""
    finest = left[0]
    if finest is None or finest > _TELLS:
        return 0.0
    error = np.zeros_like(_STEPS)
    for much, size in zip(left, _SIZES, strict=True):
        if much is not None:
            error += np.square(_KEPT[size] - np.float32(math.log(much)))
    sigma = float(_STEPS[int(error.argmin())])
    sure = min(max((sigma - _SAME) / (_SOFTER - _SAME), 0.0), 1.0)
    return sigma * sure


def _kept(size: float) -> Floats:
    """Return the logarithm of what each blur leaves of edges' detail of a size.

    The energy that a difference of two Gaussians sees of an edge, whose spectrum falls with the frequency,
    and which was blurred before.
    """
    one, both, other = (np.sqrt(of * size**2 + _STEPS.astype(np.float64) ** 2) for of in (1, 2.5, 4))
    energy = 2 * both - one - other
    return np.asarray(np.log(energy / energy[0]) / 2, np.float32)


_KEPT = {size: _kept(size) for size in _SIZES}


def _fine_left(sigma: float) -> float:
    energy = [2 * math.sqrt(s**2 + 0.5) - s - math.sqrt(s**2 + 1) for s in (sigma, 0.0)]
    return math.sqrt(energy[0] / energy[1])


def softened(read: ReadPixels, blur: Blur, crop: Box, where: ReadPixels | None = None) -> ReadPixels:
    """Return what reads a picture as it looks blurred.

    Args:
        read: gives its pixels.
        blur: in pixels of the plate.
        crop: what can be read.
        where: gives (h, w, 3), how far the picture counts: it is blurred with that weight. None for all.
    """
    reach = math.ceil(3 * max(blur.across, blur.down))

    def wider(frame: int, box: Box) -> Floats:
        whole = box.grown(reach).shared(crop)
        assert whole is not None, "only what lies in the crop is asked for"
        inner = box.moved(-whole.x0, -whole.y0).slices
        pixels = read(frame, whole)
        if where is None:
            return np.ascontiguousarray(_blurred(pixels, blur)[inner])
        weight = np.ascontiguousarray(where(frame, whole)[..., 0])
        total = np.maximum(_blurred(weight, blur), np.float32(1e-4))
        return np.ascontiguousarray((_blurred(pixels * thrice(weight), blur) / thrice(total))[inner])

    return wider


def _blurred(values: Floats, blur: Blur) -> Floats:
    across, down = map(_kernel, (blur.across, blur.down))
    return _filtered(values, across, down, cv2.BORDER_REPLICATE)
