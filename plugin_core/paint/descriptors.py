"""What a patch looks like, in a few numbers whose differences tell how patches differ."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .pyramid import RADIUS

Floats = NDArray[np.float32]

_LUMA, _COLOR = 5, 2
"""So many frequencies, across plus down, of luma and of opponent colors; the next level sees finer ones."""

SIZE = _LUMA * (_LUMA + 1) // 2 + 2 * (_COLOR * (_COLOR + 1) // 2)
"""Numbers to a patch."""

MEANS = 0, _LUMA * (_LUMA + 1) // 2, _LUMA * (_LUMA + 1) // 2 + _COLOR * (_COLOR + 1) // 2
"""Which of them are the patch's mean luma and colors."""


def described(pixels: Floats) -> Floats:
    """Return the description (h, w, SIZE) of the patch around every pixel of a picture (h, w, 3).

    The lowest cosines under a bell-shaped window. The squared difference of two descriptions is about the
    mean squared difference of the patches' pixels.
    """
    waves = _waves()
    parts: list[Floats] = []
    for channel, (count, weight) in enumerate(((_LUMA, 1.0), (_COLOR, 1.4), (_COLOR, 1.4))):
        plane = np.ascontiguousarray(pixels[..., channel])
        parts += [
            weight * cv2.sepFilter2D(plane, cv2.CV_32F, waves[across], waves[down])
            for down in range(count)
            for across in range(count - down)
        ]
    return np.asarray(cv2.merge(parts), np.float32)


def _waves() -> list[Floats]:
    at = np.arange(-RADIUS, RADIUS + 1) / (RADIUS + 0.5)
    window = np.cos(at * math.pi / 2) ** 0.5
    waves = []
    for frequency in range(_LUMA):
        wave = np.cos(math.pi / 2 * frequency * (at + 1)) * window
        if frequency:
            wave -= window * (wave @ window) / (window @ window)
        wave /= np.sqrt((wave**2).sum()) * np.sqrt(2 * RADIUS + 1)
        waves.append(wave.astype(np.float32))
    return waves
