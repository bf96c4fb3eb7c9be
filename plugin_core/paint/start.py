"""What a hole is filled with before anything is borrowed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def membrane(values: Floats, known: Floats) -> Floats:
    """Return values (h, w, C) smoothly continued to where they aren't known.

    Args:
        values: only where `known` is above 0 they mean something.
        known: (h, w) of 0..1, how surely each is.
    """
    height, width = known.shape
    if min(height, width) <= 2 or bool((known > 0).all()):
        weight = known[..., None]
        mean = (values * weight).sum(axis=(0, 1)) / max(float(known.sum()), 1e-6)
        return np.asarray(values * weight + mean * (1 - weight), np.float32)
    size = (width + 1) // 2, (height + 1) // 2
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values * known[..., None], size, interpolation=cv2.INTER_AREA).reshape(*share.shape, -1)
    means = np.asarray(sums / np.maximum(share, np.float32(1e-6))[..., None], np.float32)
    coarse = membrane(means, (share > 0).astype(np.float32))
    filled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    weight = known[..., None]
    for _ in range(4):
        smooth = cv2.GaussianBlur(filled * (1 - weight) + values * weight, (3, 3), 0).reshape(values.shape)
        filled = np.asarray(smooth, np.float32)
    return np.asarray(filled * (1 - weight) + values * weight, np.float32)
