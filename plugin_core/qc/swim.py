"""Texture that swims or boils: fine detail of the fill that goes along with no motion.

Fine detail of the next frame is brought here along the picture's own motion and along that of the hole's
surroundings. What differs either way, over the detail itself, is the share that follows neither: near 0 on a
wall that pans and on a passer-by, near 1 for texture that is new on every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .between import Between
from .surroundings import STEP, Bools, Floats, Places
from .warp_error import Flow, sample
from .warp_error import places as arrival

_FINE, _COARSE = 0.7, 2.0
_EDGE_PX = 5
_FEWEST = 256
_FAINT = STEP**2
"""Detail weaker than this, mean square, can't be seen to swim: it counts as if there were that much."""


@dataclass(frozen=True)
class Swim:
    """Shares of fine detail that follow no motion, 0..1 and a little more.

    Attributes:
        fill, around: in the hole and in its surroundings; NaN where there are too few pixels.
    """

    fill: float
    around: float


def swim(between: Between, places: Places) -> Swim:
    """Return how much of the detail swims.

    Args:
        between: two frames.
        places: this frame's.
    """
    this, following = _detail(between.this), _detail(between.following)
    inner, next_inner = _inner(between.hole), _inner(between.next_hole).astype(np.float32)
    ways = [
        _shares(this, following, flow, inner, next_inner, places.ring)
        for flow in (between.there, between.background)
    ]
    # The fill is given the motion that suits it best, its surroundings the one that suits them least.
    return Swim(min(way.fill for way in ways), max(way.around for way in ways))


def _shares(
    this: Floats, following: Floats, flow: Flow, inner: Bools, next_inner: Floats, ring: Bools
) -> Swim:
    at = arrival(flow)
    following = sample(following, at)
    changed, strength = np.square(this - following), np.square(this) + np.square(following)
    return Swim(
        _share(changed, strength, inner & (sample(next_inner, at) > 0.999)), _share(changed, strength, ring)
    )


def _share(changed: Floats, strength: Floats, where: Bools) -> float:
    count = int(where.sum())
    if count < _FEWEST:
        return float("nan")
    total = float(strength[where].sum(dtype=np.float64)) + _FAINT * count
    return float(changed[where].sum(dtype=np.float64)) / total


def _inner(hole: Bools) -> Bools:
    brush = np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)
    return np.asarray(cv2.erode(hole.astype(np.uint8), brush), np.bool_)


def _detail(picture: Floats) -> Floats:
    """What lies between a slight and a wide blur of the luma, (H, W)."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    fine, coarse = (cv2.GaussianBlur(gray, (0, 0), sigma) for sigma in (_FINE, _COARSE))
    return np.asarray(fine - coarse, np.float32)
