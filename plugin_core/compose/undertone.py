"""Paint led by the network: where the two disagree at large, the low frequencies are the network's.

Paint is sharp and has one meaning where there could be several: a tree ends here or there. The network, asked
the same, gives the mean of what may be, and follows what moves. Where both say about the same at large, paint
stays as it is; where they do not, it keeps its fine texture and takes the network's colors.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..channels import brightest, mean_square, thrice, weighed
from ..patch import Patch

Floats = NDArray[np.float32]

_FINE, _LARGE = 1 / 180, 1 / 30
"""Sigmas, in heights of the plate: finer than the one is texture; by the other disagreement is judged."""

_STEEP = 3
"""So often is what texture is told from looked for: once leaves half of what is coarser in the texture, too,
where it is as wrong as the colors are, and shows less."""

_AGREE = 0.09
"""At large, colors (network's range) that differ by much more than this do not agree."""

_BRIGHTEST = 1.0, 1.25
"""Lights beyond the network's range (to the right: all of them) are no business of the network's."""


def led(paint: Patch, network: Floats, rows: int) -> Patch:
    """Return a patch whose painted guesses have the network's low frequencies where these disagree.

    Args:
        paint: pixels for a hole; those that are no guess stay as they are.
        network: (h, w, 3) what the network gave for them, in its range -1..1.
        rows: the plate's height.
    """
    if paint.guess is None or not paint.guess.any():
        return paint
    guess = np.asarray(paint.guess * (1 - lights(paint.picture)), np.float32)
    fine, large = max(1.0, _FINE * rows), max(4.0, _LARGE * rows)
    height, width = guess.shape
    step, size = _smaller(width, height, fine)
    apart = _reduced(network - paint.picture, guess, size)
    low = _low_of(np.ascontiguousarray(apart[..., :3]), fine / step, _STEEP)
    change = weighed(low, _disagreement(apart, large / step))
    picture = _resized(change, (width, height), cv2.INTER_LINEAR)
    picture *= thrice(guess)
    picture += paint.picture
    return replace(paint, picture=picture)


def _disagreement(apart: Floats, sigma: float) -> Floats:
    """Return how far (h, w) colors that lie apart (h, w, 4, weighed) disagree at large, 0..1."""
    height, width = apart.shape[:2]
    step, size = _smaller(width, height, sigma)
    low = _blurred(_resized(apart, size, cv2.INTER_AREA), sigma / step)
    differ = mean_square(low[..., :3]) / np.maximum(low[..., 3], np.float32(0.05)) ** 2
    disagree = 1 - np.exp(-differ / np.float32(_AGREE**2))
    return _resized(disagree[..., None], (width, height), cv2.INTER_LINEAR)[..., 0]


def lights(picture: Floats) -> Floats:
    """Return which pixels (h, w) of a picture (h, w, 3) are lights beyond the network's range, 0..1."""
    dark, bright = _BRIGHTEST
    return np.asarray(np.clip((brightest(picture) - dark) / (bright - dark), 0, 1), np.float32)


def low_passed(values: Floats, sigma: float) -> Floats:
    """Return the low frequencies of values (h, w, C), black around; sigma in pixels."""
    height, width = values.shape[:2]
    step, size = _smaller(width, height, sigma)
    low = _blurred(_resized(values, size, cv2.INTER_AREA), sigma / step)
    return _resized(low, (width, height), cv2.INTER_LINEAR)


def surroundings(picture: Floats, weight: Floats, sigma: float, steep: int = 1) -> Floats:
    """Return the mean (h, w, 3) of a picture around each pixel.

    Args:
        picture: (h, w, 3).
        weight: (h, w), of its pixels.
        sigma: of a Gaussian, in pixels.
        steep: so often is it looked for, each time in what was left: the more, the more of what is coarser
            than sigma is in it.
    """
    height, width = weight.shape
    step, size = _smaller(width, height, sigma)
    low = _low_of(_reduced(picture, weight, size), sigma / step, steep)
    mean = low[..., :3] / thrice(np.maximum(low[..., 3], np.float32(1e-3)))
    return _resized(mean, (width, height), cv2.INTER_LINEAR)


def _low_of(values: Floats, sigma: float, steep: int) -> Floats:
    """Return the low frequencies of values (h, w, C), black around; `steep` as `surroundings` has it."""
    low = _blurred(values, sigma)
    for _ in range(steep - 1):
        low += _blurred(values - low, sigma)
    return low


def _reduced(picture: Floats, weight: Floats, size: tuple[int, int]) -> Floats:
    """Return a picture times a weight (h, w) in a smaller size, and the weight as a fourth channel."""
    parts = weighed(picture, weight), weight[..., None]
    return np.concatenate([_resized(part, size, cv2.INTER_AREA) for part in parts], axis=2)


def _smaller(width: int, height: int, sigma: float) -> tuple[int, tuple[int, int]]:
    """Return by how much less, and in what size, low frequencies can be worked on: they need few pixels."""
    step = max(1, int(sigma / 2))
    return step, (max(1, round(width / step)), max(1, round(height / step)))


def _resized(values: Floats, size: tuple[int, int], method: int) -> Floats:
    """Resize values (h, w, C) to a width and height."""
    resized = cv2.resize(values, size, interpolation=method)
    return np.asarray(resized, np.float32).reshape(size[1], size[0], values.shape[2])


def _blurred(values: Floats, sigma: float) -> Floats:
    blurred = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)
