"""Copy plate values to where a completion wants them, and hide the seams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .complete import Completion, Tick
from .poisson import smoothest

Floats = NDArray[np.float32]

_EDGE = 0.4
"""A step at a seam by more than this share of the values beside it is an edge, not light: it stays."""


def copied(completion: Completion, plate: Floats, others: Sequence[Floats] = ()) -> Floats:
    """Return the plate in the completion's box with the hole's values copied, bit for bit.

    Args:
        completion: of `complete`.
        plate: (H, W, C) float32 of any range, the picture's own values; those of pixels that were known stay.
        others: those of the other pictures, in the same order.

    Returns:
        (h, w, C) float32.
    """
    rows, columns = completion.box.slices
    values = plate[rows, columns].copy()
    for number, picture in enumerate((plate, *others)):
        here = completion.source == number
        values[here] = picture[completion.y[here], completion.x[here]]
    return values


def painted(
    completion: Completion, plate: Floats, others: Sequence[Floats] = (), *, tick: Tick | None = None
) -> Floats:
    """Return what `copied` does, without visible seams.

    Where two pieces meet, and where they meet the plate, the difference between them is spread out as
    smoothly as can be and added: the grain, edges and lights of what was copied stay. Give scene-linear
    values where you have them. Arguments and result are those of `copied`; `tick` is that of `complete`.
    """
    values = copied(completion, plate, others)
    pictures = (plate, *others)
    free = completion.source >= 0
    across, down = (_steps(completion, pictures, values, axis) for axis in (1, 0))
    correction = smoothest(free, across, down, tick or (lambda share: None))
    # Nothing turns negative that was not.
    result = np.maximum(values + correction, np.minimum(values, 0))
    return np.asarray(np.where(free[..., None], result, values), np.float32)


def _steps(completion: Completion, pictures: Sequence[Floats], values: Floats, axis: int) -> Floats:
    """Return how much the correction should rise from each pixel to the next along an axis."""
    height, width = completion.source.shape
    down, across = (1, 0) if axis == 0 else (0, 1)
    first = slice(0, height - down), slice(0, width - across)
    second = slice(down, height), slice(across, width)
    source, y, x = completion.source, completion.y, completion.x
    seam = (
        (source[first] != source[second]) | (y[first] + down != y[second]) | (x[first] + across != x[second])
    )
    seam &= (source[first] >= 0) | (source[second] >= 0)
    steps = np.zeros((height - down, width - across, values.shape[2]), np.float32)
    row, column = np.nonzero(seam)
    here, there = values[row, column], values[row + down, column + across]
    # What either piece shows beyond the seam, in the other's place.
    beyond_first = _shown(completion, pictures, (row, column), (down, across), there)
    beyond_second = _shown(completion, pictures, (row + down, column + across), (-down, -across), here)
    rise = (there - beyond_first) + (beyond_second - here)
    shares = (source[row, column] >= 0).astype(np.float32) + (source[row + down, column + across] >= 0)
    rise /= shares[:, None]
    steps[row, column] = -_lights_only(rise, here, there, values)
    return steps


def _shown(
    completion: Completion,
    pictures: Sequence[Floats],
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    by: tuple[int, int],
    instead: Floats,
) -> Floats:
    """Return the values (n, C) beside those that are copied; `instead` where nothing is copied."""
    shown = instead.copy()
    source, y, x = completion.source[at], completion.y[at] + by[0], completion.x[at] + by[1]
    for number, picture in enumerate(pictures):
        inside = (source == number) & (y >= 0) & (y < picture.shape[0]) & (x >= 0) & (x < picture.shape[1])
        shown[inside] = picture[y[inside], x[inside]]
    return shown


def _lights_only(rise: Floats, here: Floats, there: Floats, values: Floats) -> Floats:
    """Return steps (n, C) less those that are edges: spread out, they would stain what lies around."""
    usual = np.median(np.abs(values), axis=(0, 1))
    level = np.minimum((np.abs(here) + np.abs(there)) / 2, 2 * usual) + np.float32(1e-3)
    return np.asarray(rise * np.exp(-((rise / (_EDGE * level)) ** 2)), np.float32)
