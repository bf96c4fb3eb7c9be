"""How alike a fill's texture is to the truth's, wherever in the hole it lies.

The sliced Wasserstein distance of patches of a Laplacian pyramid (Karras et al., "Progressive Growing of
GANs", 2018, section 5): one hole's patches against the truth's in the same hole. It holds the patches'
distributions against each other, not pixels: a fence that is another piece of the same fence costs little, a
blur and noise cost much.

Here each band is measured in units of the truth's own strength in it, which makes the distance readable: 0 is
the same texture, 1 is as far from it as a flat fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .cases import Mask
from .detail import luma

Floats = NDArray[np.float32]

_LEVELS = 3
_SIDE = 7
_PATCHES = 1024
"""Of a level; of a hole with more of them, that many evenly spread ones."""

_DIRECTIONS = 64
_FEWEST = 16
_FAINTEST = 0.5
"""Code values: where the truth has less in a band, there is no texture to compare."""


def texture_distance(
    truth: Iterable[NDArray[np.uint8]], result: Iterable[NDArray[np.uint8]], holes: Iterable[Mask]
) -> float:
    """Return a case's texture distance: the mean over the frames of the mean over the levels.

    Args:
        truth, result: 8-bit RGB pictures (H, W, 3), frame by frame; luma is compared.
        holes: (H, W) each.

    Returns:
        0 alike, 1 as a flat fill; NaN where no hole holds enough patches, or the truth is flat.
    """
    found = [
        distance
        for true, own, hole in zip(truth, result, holes, strict=True)
        if hole.any()
        for distance in [_frame(true, own, hole)]
        if np.isfinite(distance)
    ]
    return float(np.mean(found)) if found else float("nan")


def _frame(true: NDArray[np.uint8], own: NDArray[np.uint8], hole: Mask) -> float:
    distances = []
    for theirs, ours, inside in zip(_bands(true), _bands(own), _masks(hole), strict=True):
        places = _places(inside)
        if len(places) >= _FEWEST:
            distances.append(_sliced(_patches(theirs, places), _patches(ours, places)))
    known = [distance for distance in distances if np.isfinite(distance)]
    return float(np.mean(known)) if known else float("nan")


def _bands(picture: NDArray[np.uint8]) -> Iterator[Floats]:
    """The levels of the luma's Laplacian pyramid, finest first, without what is left below them."""
    at = luma(picture).astype(np.float32)
    for _ in range(_LEVELS):
        below = np.asarray(cv2.pyrDown(at), np.float32)
        yield at - np.asarray(cv2.pyrUp(below, dstsize=(at.shape[1], at.shape[0])), np.float32)
        at = below


def _masks(hole: Mask) -> Iterator[Mask]:
    """The hole on each level: pixels whose band nothing outside the hole has a part in."""
    inside = hole.astype(np.uint8)
    for _ in range(_LEVELS):
        # Down reaches two pixels, and up from there two more.
        yield np.asarray(cv2.erode(inside, np.ones((9, 9), np.uint8)), np.bool_)
        inside = np.ascontiguousarray(cv2.erode(inside, np.ones((5, 5), np.uint8))[::2, ::2])


def _places(inside: Mask) -> NDArray[np.intp]:
    """Rows and columns (N, 2) of the upper left corners of patches that lie inside."""
    half = _SIDE // 2
    whole = cv2.erode(
        inside.astype(np.uint8),
        np.ones((_SIDE, _SIDE), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    middles = np.argwhere(whole)
    if len(middles) > _PATCHES:
        middles = middles[np.linspace(0, len(middles) - 1, _PATCHES).round().astype(np.intp)]
    return middles - half


def _patches(band: Floats, places: NDArray[np.intp]) -> Floats:
    """The patches at those places, (N, side²)."""
    windows = np.lib.stride_tricks.sliding_window_view(band, (_SIDE, _SIDE))
    return np.ascontiguousarray(windows[places[:, 0], places[:, 1]].reshape(len(places), -1))


def _sliced(theirs: Floats, ours: Floats) -> float:
    """The second sliced Wasserstein distance of two sets of equally many patches, over the first's strength.

    A set of flat patches is as far from the first set as that set is strong: 1.
    """
    strength = float(np.square(theirs, dtype=np.float64).mean())
    if strength < _FAINTEST**2:
        return float("nan")
    one, other = (np.sort(patches @ _directions(), axis=0) for patches in (theirs, ours))
    total = float(np.square(one - other, dtype=np.float64).mean())
    return float(np.sqrt(total / np.square(one, dtype=np.float64).mean()))


@cache
def _directions() -> Floats:
    """Directions of length 1 (side², D), the same every time."""
    drawn = np.random.default_rng(20181026).standard_normal((_SIDE * _SIDE, _DIRECTIONS))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=0), np.float32)
