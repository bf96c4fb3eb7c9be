"""Seams: a step in color or brightness across the hole's edge."""

from __future__ import annotations

import cv2
import numpy as np

from .surroundings import BAND_PX, STEP, Bools, Floats, Places

_REFERENCE_PX = (8, 14)
_SEAM_WINDOW = 9


def seam(picture: Floats, places: Places) -> float:
    """Return how much the step across the hole's edge exceeds the steps found a little outside it.

    The step is the difference of the means of two bands of three pixels on either side of a line, over a
    window of nine pixels, so that grain averages out and an offset in color does not. Held against it is the
    same across lines 8 and 14 pixels outside the hole. NaN where either line has no pixels.
    """
    outside, inside = places.outside, places.inside
    edge = _band_step(picture, (inside > 0) & (inside <= BAND_PX), (outside > 0) & (outside <= BAND_PX))
    around = [
        _band_step(
            picture,
            (outside > at - BAND_PX) & (outside <= at),
            (outside > at) & (outside <= at + BAND_PX),
        )
        for at in _REFERENCE_PX
    ]
    known = [step for step in around if np.isfinite(step)]
    if not known or not np.isfinite(edge):
        return float("nan")
    return float((edge + STEP) / (np.mean(known) + STEP))


def _band_step(picture: Floats, one: Bools, other: Bools) -> float:
    """Root mean square of the local difference of two bands' means; NaN where they never meet."""
    first, first_share = _local_mean(picture, one)
    second, second_share = _local_mean(picture, other)
    # A third of a window holds a whole band of a straight line.
    both = (first_share > 0.15) & (second_share > 0.15) & (one | other)
    if not both.any():
        return float("nan")
    return float(np.sqrt(np.square(first[both] - second[both]).mean()))


def _local_mean(picture: Floats, where: Bools) -> tuple[Floats, Floats]:
    weight = where.astype(np.float32)
    side = (_SEAM_WINDOW, _SEAM_WINDOW)
    share = np.asarray(cv2.blur(weight, side, borderType=cv2.BORDER_CONSTANT), np.float32)
    total = np.asarray(cv2.blur(picture * weight[..., None], side, borderType=cv2.BORDER_CONSTANT))
    return np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32), share
