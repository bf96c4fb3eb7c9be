"""Sharpness and grain: how strong a fill's fine detail is beside all of its surroundings'."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .surroundings import STEP, Floats, Places

_FEWEST = 64


@dataclass(frozen=True)
class Sharpness:
    """How a fill's fine detail compares with its surroundings'; NaN for a hole too thin to tell.

    Attributes:
        sharpness: of edges and texture: root mean square of the fine detail, fill over surroundings.
        noise: of what is there everywhere, grain: its median, fill over surroundings.
    """

    sharpness: float
    noise: float


def sharpness(picture: Floats, places: Places) -> Sharpness:
    """Return how sharp and how noisy the fill is beside its surroundings."""
    fine = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.5)).max(axis=2)
    fill, ring = fine[places.fill], fine[places.ring]
    if fill.size < _FEWEST or ring.size < _FEWEST:
        return Sharpness(float("nan"), float("nan"))
    floor = STEP / 4
    sharp = [float(np.sqrt(np.square(values).mean())) for values in (fill, ring)]
    noise = [float(np.median(values)) for values in (fill, ring)]
    return Sharpness((sharp[0] + floor) / (sharp[1] + floor), (noise[0] + floor) / (noise[1] + floor))
