"""Take a shadow off a plate and keep the plate's own texture, where a shadow is all that lies on it.

What is filled says how light a place is without the shadow: the plate's low frequencies become the fill's, in
linear light and color by color, by one smooth factor with the shadow's own edges. The plate's detail goes
along. Where the plate is not merely darker than the fill (a reflection, an object's rim, black), the fill
itself stays.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..color.color_map import ColorMap, light_of, picture_of
from ..color.network_pixels import network_pixels
from ..images import Plate
from ..regions.hole import Hole

Floats = NDArray[np.float32]

_LOW_PX, _SMOOTH_PX = 0.7, 5.0
"""Sigmas of what is compared, and of what makes the factor smooth between edges, on a plate of `_WIDE_PX`."""

_MEDIANS = 2
"""So often the median of 5x5 pixels is taken before: texture goes, and a shadow's edge stays where it is."""

_WIDE_PX = 800
"""Larger plates are looked at reduced to about this many pixels along their longer side."""

_RIM, _LEAST_RIM_PX = 1 / 250, 3
"""So much of the plate's longer side, and at least so many pixels, beside an object are its rim."""

_EDGE = 0.3
"""Logarithms of the factor that differ by this much lie on two sides of a shadow's edge."""

_DARK = 0.002
"""Light (1 is white) that is not told from none."""

_DARKENED = (0.85, 0.97)
_TOO_DARK = (6.0, 12.0)
_TINTED = (2.0, 3.0)
"""From where to where trust begins, or ends: the factor itself, and its largest color over its least."""


def relit(picture: Floats, plate: Plate, hole: Hole, color: ColorMap) -> tuple[Floats, Floats]:
    """Return a fill in which the plate's own texture leads where the hole is a shadow's.

    Args:
        picture: the fill over the hole's box, (h, w, 3) in the network's range.
        plate: the untouched plate.
        hole: with `shadow`, how much of each pixel is a shadow's.
        color: of the plate.

    Returns:
        The fill, and how much (h, w, 0..1) of each of its pixels is the plate's own.
    """
    assert hole.shadow is not None
    shown, missing = network_pixels(plate.crop(*hole.box), color)
    outside = hole.alpha <= 0
    longer = max(plate.header.width, plate.header.height)
    shadow = _off_the_rim(hole.shadow, outside, longer)
    if missing is not None:
        shadow = np.where(missing, np.float32(0), shadow)
    before, after = light_of(shown), light_of(picture)
    after[outside] = before[outside]
    gain = _gain(
        before, after, np.where(outside, np.float32(1), shadow), max(plate.header.width, plate.header.height)
    )
    kept = (shadow * _trust(gain)).astype(np.float32)
    lit = picture_of(before * gain)
    return (picture + (lit - picture) * kept[..., None]).astype(np.float32), kept


def _off_the_rim(shadow: Floats, outside: NDArray[np.bool_], longer: int) -> Floats:
    """Return a shadow's weights without what lies at an object: its rim is dark too, and no shadow."""
    rim = max(_LEAST_RIM_PX, round(longer * _RIM))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1,) * 2)
    inner = cv2.erode(np.where(outside, np.float32(1), shadow), disc)
    return np.minimum(shadow, cv2.GaussianBlur(inner, (0, 0), rim / 3)).astype(np.float32)


def _gain(before: Floats, after: Floats, weight: Floats, longer: int) -> Floats:
    """Return by what (h, w, 3) the plate's light is to be multiplied to be as light as the fill.

    Args:
        before, after: light of the plate and of the fill, (h, w, 3).
        weight: (h, w), 1 where the plate shows what the fill does, but for a shadow.
        longer: the plate's longer side in pixels.
    """
    height, width = weight.shape
    step = max(1, round(longer / _WIDE_PX))
    size = max(1, -(-width // step)), max(1, -(-height // step))
    planes = (before * weight[..., None], after * weight[..., None], weight)
    small = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes)
    one, other, there = (cv2.GaussianBlur(plane, (0, 0), _LOW_PX) for plane in small)
    there = np.maximum(there, np.float32(1e-4))[..., None]
    ratio = (np.maximum(other / there, 0) + _DARK) / (np.maximum(one / there, 0) + _DARK)
    logarithm = np.log(ratio).astype(np.float32)
    for _ in range(_MEDIANS):
        logarithm = cv2.medianBlur(logarithm, 5)
    logarithm = cv2.bilateralFilter(logarithm, -1, _EDGE, _SMOOTH_PX)
    whole = cv2.resize(logarithm, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.exp(whole), np.float32)


def _trust(gain: Floats) -> Floats:
    """Return where (h, w) a factor (h, w, 3) is a shadow's, 0..1."""
    least, most = gain.min(axis=2), gain.max(axis=2)
    trust = _step(gain.mean(axis=2), *_DARKENED) * (1 - _step(most, *_TOO_DARK))
    return np.asarray(trust * (1 - _step(most / least, *_TINTED)), np.float32)


def _step(values: Floats, low: float, high: float) -> Floats:
    """Return 0 below, 1 above, and a smooth way between."""
    share = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
