"""An object as a layer: its own light without the background's, and what it leaves of what lies behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_UNDER = 8
"""Pixels by which a shadow is continued under its object's soft edge."""

_DARK = np.float32(1e-4)
"""Linear light; of less no shadow can be measured."""


@dataclass(frozen=True)
class Layer:
    """What is laid over a background: ``light + keeps * background``.

    Attributes:
        light: (h, w, C) linear light, premultiplied.
        keeps: (h, w, C) in 0..1.
    """

    light: Floats
    keeps: Floats


def layer_of(plate: Floats, clean: Floats, matte: Floats, shadow: Floats | None) -> Layer:
    """Take an object out of its plate.

    Where the matte is soft the plate shows object and background mixed. The clean plate tells the background,
    so its share is taken out, and no fringe of it goes along. A shadow is how much darker the plate is than
    the clean plate, and darkens the new background by as much.

    Args:
        plate, clean: (h, w, C) linear light; a fourth channel is alpha.
        matte: (h, w) of the object.
        shadow: (h, w) of its shadow; None for none.
    """
    free = (np.float32(1) - matte)[..., np.newaxis]
    gain = np.ones_like(plate)
    if shadow is not None and shadow.any():
        gain[..., :3] = _gain(plate[..., :3], clean[..., :3], matte, shadow)
    keeps = free * gain
    with np.errstate(invalid="ignore"):
        light = plate - keeps * clean
        # A clean plate that is too bright would make an edge darker than black.
        light = np.maximum(light, np.minimum(plate, 0))
    light[matte <= 0] = 0
    return Layer(np.nan_to_num(light).astype(np.float32), keeps.astype(np.float32))


def _gain(plate: Floats, clean: Floats, matte: Floats, shadow: Floats) -> Floats:
    """Return by how much the shadow darkens, (h, w, 3); continued under the object's edge."""
    measured = np.clip(np.maximum(plate, 0) / np.maximum(clean, _DARK), 0, 1)
    gain = np.nan_to_num(1 - shadow[..., np.newaxis] * (1 - measured), nan=1.0).astype(np.float32)
    seen = (matte <= 0).astype(np.float32)
    size = (2 * _UNDER + 1, 2 * _UNDER + 1)
    share = cv2.blur(seen, size)[..., np.newaxis]
    around = np.asarray(cv2.blur(gain * seen[..., np.newaxis], size), np.float32)
    near = np.where(share > 1e-3, around / np.maximum(share, np.float32(1e-3)), np.float32(1))
    return np.where(seen[..., np.newaxis] > 0, gain, near).astype(np.float32)
