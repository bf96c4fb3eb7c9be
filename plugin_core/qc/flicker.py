"""Flicker: what changes from one frame to the next beyond its motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .between import Between
from .surroundings import Floats, Places
from .warp_error import places as arrival
from .warp_error import sample


@dataclass(frozen=True)
class Flicker:
    """Warping errors of a fill and of its surroundings from one frame to the next, squares of 0..1."""

    fill: float
    around: float


def flicker(between: Between, places: Places) -> Flicker:
    """Return how the fill changes to the next frame beyond its motion, and how its surroundings do.

    E_warp of `warp_error`, its flow estimated on the result itself: the truth is not known here.

    Args:
        between: two frames.
        places: this frame's.
    """
    warped = sample(between.following, arrival(between.there))
    error = np.square(between.this - warped).mean(axis=2)
    return Flicker(_mean(error[between.seen & places.hole]), _mean(error[between.seen & places.ring]))


def _mean(values: Floats) -> float:
    return float(values.mean(dtype=np.float64)) if values.size >= 16 else float("nan")
