"""A way without jitter: rounded off where it has kinks, and in whole pixels that stray by less than a half.

What counts as jitter is how far a place lies from a curve through the places around it: a parabola that is
fitted to `reach` frames each way.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

_ROUNDS = 15
"""How often a way is laid on its own curve: a kink is gone, and the way has moved by few pixels."""

_MOST_TRIES = 50
_LEAST = 5
"""Frames that a curve is fitted to at least."""

_HALF = 1e-6
"""What is so little below a half counts as one."""


def curve(way: Series, reach: int) -> Series:
    """Return, for each place of a way (N,), where the curve through those around it lies."""
    reach = min(reach, way.size - 1)
    if way.size < _LEAST or reach < 2:
        return way
    out = np.empty_like(way)
    for at in range(way.size):
        before, after = min(at, reach), min(way.size - 1 - at, reach)
        out[at] = _weights(before, after, reach) @ way[at - before : at + after + 1]
    return out


@functools.cache
def _weights(before: int, after: int, reach: int) -> Series:
    """Return the weights that give a place from so many before and after it, by the parabola through all."""
    x = np.arange(-before, after + 1, dtype=np.float64)
    near = np.exp(-0.5 * (x / (reach / 2)) ** 2)
    powers = np.vander(x, 3, increasing=True)
    return np.asarray(np.linalg.solve((powers.T * near) @ powers, powers.T * near)[0], np.float64)


def steadied(way: Series, low: Series, high: Series, reach: int) -> Series:
    """Return a way (N,) without its kinks, between limits that it keeps already."""
    for _ in range(_ROUNDS if reach else 0):
        way = np.clip(curve(way, reach), low, high)
    return way


def whole(way: Series, low: Series, high: Series, reach: int) -> NDArray[np.int_]:
    """Return a way in whole pixels.

    Each place is the one nearest to the curve through the others, not to the way itself: so none strays by
    more than half a pixel, also where the way has been rounded up for some time.

    Args:
        way: (N,) places.
        low, high: its limits; where no whole pixel lies between them they are passed.
        reach: frames each way that a curve is fitted to; 0 rounds each for itself.
    """
    least, most = np.ceil(low - _HALF), np.floor(high + _HALF)

    def rounded(places: Series) -> Series:
        # Halves all go up: to the nearest even they would go to and fro.
        near = np.floor(places + 0.5 + _HALF)
        return np.where(least <= most, np.clip(near, least, most), near)

    found = best = rounded(way)
    strays = np.inf
    for _ in range(_MOST_TRIES if reach else 0):
        through = curve(found, reach)
        if (worst := float(np.abs(found - through).max())) < strays:
            best, strays = found, worst
        following = rounded(through)
        if np.array_equal(following, found):
            break
        found = following
    return best.astype(np.int_)
