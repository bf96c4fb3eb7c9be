"""A way without jitter: rounded off where it has kinks, and in whole pixels that stray by less than a half.

What counts as jitter is how far a place lies from a curve through the places around it: a parabola that is
fitted to `reach` frames each way.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

_FAITHFUL = 5e-4
"""What a pixel off the wanted way costs, of what a pixel off the curve through its own places does."""

_MOST_STEPS, _DONE = 400, 1e-4
"""Steps towards the steadiest way, at most, and pixels that the last one moves it by."""

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
    """Return a way (N,) without kinks, as near to another one as may be, and between limits.

    Of all ways between the limits it is the one whose places lie nearest to the curve through those around
    them, and a little to the way that is wanted: so where a limit jumps the way begins to bend long before.

    Args:
        way: that is wanted; it may pass the limits.
        low, high: the limits.
        reach: frames each way that a curve is fitted to; 0 leaves all kinks.
    """
    found = np.clip(way, low, high)
    if way.size < _LEAST or min(reach, way.size - 1) < 2:
        return found
    around, weights = _fitted(way.size, min(reach, way.size - 1))
    steep = float(np.abs(weights).sum(axis=1).max()) * float(
        np.bincount(around.ravel(), np.abs(weights).ravel()).max()
    )
    # Projected gradients with momentum: least squares, linear limits.
    ahead, pace = found, 1.0
    for _ in range(_MOST_STEPS):
        off = (weights * ahead[around]).sum(axis=1)
        back = np.bincount(around.ravel(), (weights * off[:, np.newaxis]).ravel(), way.size)
        slope = back + _FAITHFUL * (ahead - way)
        following = np.clip(ahead - slope / (steep + _FAITHFUL), low, high)
        faster = (1 + (1 + 4 * pace**2) ** 0.5) / 2
        ahead = following + (pace - 1) / faster * (following - found)
        moved = float(np.abs(following - found).max())
        found, pace = following, faster
        if moved < _DONE:
            break
    return found


def _fitted(count: int, reach: int) -> tuple[NDArray[np.int_], Series]:
    """Return which places around each of a way (N, 2 * reach + 1), and by which weights they give how far it
    is off their curve."""
    around = np.zeros((count, 2 * reach + 1), np.int_)
    weights = np.zeros(around.shape)
    for at in range(count):
        before, after = min(at, reach), min(count - 1 - at, reach)
        here = slice(0, before + after + 1)
        around[at, here] = np.arange(at - before, at + after + 1)
        weights[at, here] = -_weights(before, after, reach)
        weights[at, before] += 1
    return around, weights


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
