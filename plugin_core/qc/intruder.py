"""One-frame intruders: what one frame shows in the hole, and neither the frame before nor the one after.

Both neighbors are brought to the frame along the motion. Where they agree with one another and not with the
frame, something has come for a single frame. Where they don't agree either (surf, a crowd), nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .surroundings import Bools, Floats

_WINDOW_PX = 9


def alone(picture: Floats, before: Sequence[Floats], after: Sequence[Floats]) -> Floats:
    """Return how much less a frame agrees with its neighbors than they do with one another, (H, W), -1..1.

    Args:
        picture: the frame, (H, W, 3).
        before, after: the neighbors, each brought to the frame along as many motions. The one that suits the
            frame best counts, and of the neighbors' differences the largest.
    """
    from_neighbors = [_difference(picture, other) for other in (*before, *after)]
    beside = [_difference(*pair) for pair in zip(before, after, strict=True)]
    return np.asarray(np.minimum.reduce(from_neighbors) - np.maximum.reduce(beside), np.float32)


def _difference(one: Floats, other: Floats) -> Floats:
    """Mean difference over a small window, of the channel that differs most."""
    mean = cv2.blur(one - other, (_WINDOW_PX, _WINDOW_PX))
    return np.asarray(np.abs(mean).max(axis=2), np.float32)


def intruder(lonely: Floats, hole: Bools) -> float:
    """Return how strongly a hole's content stands alone, 0..1: the most that a small window of it does."""
    return max(0.0, float(lonely[hole].max())) if hole.any() else float("nan")
