"""A first fill of the smallest picture, patch by patch, where lines run into the hole first.

After Criminisi, Perez and Toyama, "Object Removal by Exemplar-Based Inpainting" (2003).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .pyramid import MARGIN, RADIUS, Level
from .search import LED, Places, Work

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SIDE = 2 * RADIUS + 1

_PLAIN = 0.002
"""What counts where no line runs into the hole, in steps of luma from pixel to pixel."""


def greedy(level: Level, work: Work, allowed: Bools, guide: Floats | None) -> tuple[Places, Floats]:
    """Fill a level's hole patch by patch.

    Args:
        level: the smallest: the time goes with the square of its pixels.
        work: its window.
        allowed: canvas pixels around which a patch may be borrowed; some are.
        guide: (h, w, 3) the window's pixels as smooth as can be: they lead the patches' mean colors. None for
            none.

    Returns:
        A place to borrow from for each patch (n,), and the window's pixels (h, w, 3).
    """
    choices = np.flatnonzero(allowed)
    examples = _patches(level, choices)
    means = examples.reshape(choices.size, -1, 3).mean(axis=1)
    offsets = _offsets(level)
    pixels = level.pixels[work.window].copy()
    known = np.pad(np.where(level.hole, level.known, 1), MARGIN)[work.window]
    missing = work.fill & (known < 0.5)
    # What lies beyond the picture and can't be a patch's middle stays as it is.
    missing[:RADIUS] = missing[-RADIUS:] = False
    missing[:, :RADIUS] = missing[:, -RADIUS:] = False
    sure = np.where(missing, 0, known).astype(np.float32)
    place = np.full(missing.shape, -1, np.int64)
    while missing.any():
        y, x = _next(pixels, missing, sure)
        part = slice(y - RADIUS, y + RADIUS + 1), slice(x - RADIUS, x + RADIUS + 1)
        weight = np.repeat(~missing[part].reshape(-1), 3).astype(np.float32)
        apart = examples - pixels[part].reshape(-1)
        cost = np.einsum("ij,ij,j->i", apart, apart, weight)
        if guide is not None:
            led = means - guide[part].reshape(-1, 3).mean(axis=0)
            cost += np.float32(LED * _SIDE**2) * np.einsum("ij,ij->i", led, led)
        best = int(np.argmin(cost))
        fill = missing[part].copy()
        pixels[part][fill] = examples[best].reshape(_SIDE, _SIDE, 3)[fill]
        place[part][fill] = (choices[best] + offsets)[fill]
        sure[part][fill] = sure[part].mean()
        missing[part] = False
    own = (work.row + work.top) * level.stride + work.column + work.left
    found = place[work.row, work.column]
    return np.where(found >= 0, found, own), pixels


def _next(pixels: Floats, missing: Bools, sure: Floats) -> tuple[int, int]:
    """Return the pixel at the border of what is missing from whose surroundings to go on."""
    around = np.ones((3, 3), np.uint8)
    border = missing & (cv2.erode(missing.astype(np.uint8), around, borderValue=1) == 0)
    confidence = cv2.boxFilter(sure, -1, (_SIDE, _SIDE), borderType=cv2.BORDER_CONSTANT)
    across = cv2.Sobel(pixels[..., 0], cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(pixels[..., 0], cv2.CV_32F, 0, 1, scale=1 / 8)
    solid = cv2.erode((~missing).astype(np.uint8), around) > 0
    strength = np.where(solid, np.hypot(across, down), 0)
    inward = [cv2.Sobel(missing.astype(np.float32), cv2.CV_32F, *axis, ksize=5) for axis in ((1, 0), (0, 1))]
    length = np.maximum(np.hypot(*inward), 1e-6)
    best, chosen = -1.0, (0, 0)
    for y, x in np.argwhere(border):
        part = slice(y - RADIUS, y + RADIUS + 1), slice(x - RADIUS, x + RADIUS + 1)
        # The strongest line of the patch counts, by how straight it runs into the hole.
        at = np.unravel_index(int(np.argmax(strength[part])), (_SIDE, _SIDE))
        line = 0.0
        if strength[part][at] > 0:
            line = abs(across[part][at] * inward[1][y, x] - down[part][at] * inward[0][y, x]) / length[y, x]
        value = float(confidence[y, x] * (line + _PLAIN))
        if value > best:
            best, chosen = value, (int(y), int(x))
    return chosen


def _patches(level: Level, places: Places) -> Floats:
    """Return the patches (n, pixels * 3) around places."""
    flat = level.pixels.reshape(-1, 3)
    around = places[:, None] + _offsets(level).reshape(-1)
    return np.take(flat, around, axis=0).reshape(places.size, -1)


def _offsets(level: Level) -> Places:
    """Return from a patch's middle to each of its pixels, on the flattened canvas."""
    down, across = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    return np.asarray(down * level.stride + across, np.int64)
