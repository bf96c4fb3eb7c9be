"""How much fine detail a fill has: the strength of its Laplacian over the truth's.

1 is as sharp as the truth, 0 is flat, more than 1 is grainier or harder. It tells nothing of what the detail
shows: noise of the right strength scores 1.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from .cases import Mask

Floats = NDArray[np.float32]

_EDGE_PX = 2
"""Left out along the hole's edge, where the fill meets the plate."""


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (H, W), 8 bits, of an 8-bit RGB picture (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def inner(hole: Mask, px: int = _EDGE_PX) -> Mask:
    """Return a hole without what lies within `px` pixels of its edge; the picture's own edge is none."""
    brush = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(hole.astype(np.uint8), brush, iterations=px), np.bool_)


def fine_detail(picture: NDArray[np.uint8]) -> Floats:
    """Return the absolute Laplacian (H, W) of the luma, in 8-bit code values (four neighbors)."""
    return np.abs(np.asarray(cv2.Laplacian(luma(picture), cv2.CV_32F, ksize=1), np.float32))


def detail_ratio(
    truth: Iterable[NDArray[np.uint8]], result: Iterable[NDArray[np.uint8]], holes: Iterable[Mask]
) -> float:
    """Return a case's detail: mean |Laplacian| inside the holes over the truth's there.

    All holes' pixels count together, so that a frame whose truth is flat does not outweigh the rest.

    Args:
        truth, result: 8-bit RGB pictures (H, W, 3), frame by frame.
        holes: (H, W) each.

    Returns:
        NaN where no hole is wider than its edge, or the truth is flat.
    """
    true_total, own_total = 0.0, 0.0
    for true, own, hole in zip(truth, result, holes, strict=True):
        inside = inner(hole)
        if inside.any():
            true_total += float(fine_detail(true)[inside].sum(dtype=np.float64))
            own_total += float(fine_detail(own)[inside].sum(dtype=np.float64))
    return own_total / true_total if true_total else float("nan")
