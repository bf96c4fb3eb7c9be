"""By what exposure and color of a plate have changed around a hole, so that a drift leaves no patch in it.

A frame's fill goes on from the one before. Where exposure or color of the plate drifts, that one lags behind,
and the middle of a hole, farthest from what is seen, lags most. So it is first multiplied, scene-linear and
channel by channel, by what the known pixels right around the hole have changed by, motion aside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Gain = NDArray[np.float32]
"""(3,) float32, scene-linear factors of R, G, B."""

_BLOCK = 4
"""So many cells each way are compared by their sum, which a motion that is a little off leaves as it is."""

_FEWEST, _LEAST_SHARE = 8, 0.25
"""Fewer blocks, or less of a block, tell nothing."""

_DARKEST, _CLIPPED = 0.02, (0.93, 1.0)
"""Scene-linear values that tell nothing: noise, and integers at their limit."""

_MOST = 0.25
"""A change beyond this (logarithm of the factor: a third of a stop) from frame to frame is no drift."""

_SURE = 1.0
"""A change of less than so many standard errors is none; of one that is more, more is believed."""

_STEPS = 1 << 14
"""Factors have so many steps to an e-fold: what crops round differently stays the same."""


def change_of_light(
    before: NDArray[np.float32], here: NDArray[np.float32], known: NDArray[np.bool_]
) -> Gain | None:
    """Measure by what a frame got brighter since the one before; None for nothing.

    Args:
        before, here: scene-linear (h, w, 3), the one before moved to where things are here.
        known: (h, w), what both show.
    """
    changes = [_change(before[..., c], here[..., c], known) for c in range(3)]
    logarithms = np.round(np.array(changes) * _STEPS) / _STEPS
    return np.exp(logarithms).astype(np.float32) if logarithms.any() else None


def _change(before: NDArray[np.float32], here: NDArray[np.float32], known: NDArray[np.bool_]) -> float:
    """Return the logarithm of the factor between scene-linear values (h, w) of a channel; 0 where unsure."""
    low, high = np.minimum(before, here), np.maximum(before, here)
    tells = known & (low > _DARKEST) & ((high < _CLIPPED[0]) | (low > _CLIPPED[1]))
    share = _by_block(tells.astype(np.float32))
    enough = share >= _LEAST_SHARE
    if np.count_nonzero(enough) < _FEWEST:
        return 0.0
    first, second = (_by_block(np.where(tells, values, 0))[enough] for values in (before, here))
    ratios = np.log(second / first)
    middle = float(np.median(ratios))
    error = 1.25 * 1.4826 * float(np.median(np.abs(ratios - middle))) / np.sqrt(ratios.size)
    if abs(middle) <= _SURE * error or abs(middle) > _MOST:
        return 0.0
    return float(middle * (1 - (_SURE * error / middle) ** 2))


def _by_block(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of values (h, w) over blocks; what is left at the right and below is left out."""
    rows, columns = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    whole = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)
