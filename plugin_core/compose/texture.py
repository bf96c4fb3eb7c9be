"""Paint's texture where paint itself does not stand: the network's picture, and what is softened, are flat.

Where somebody enters a hole the network goes on with him, as a smear; where real pixels are not sure, they
are softened. A smear beside a sharp plate is what is seen first. The texture of what was painted there is
laid over both: only what is finer than the network draws, so that no color and no shape comes with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..channels import brightest, weighed
from ..patch import Patch
from .undertone import lights, low_passed, surroundings

Floats = NDArray[np.float32]

_FINE, _STEEP = 1 / 150, 2
"""What is finer than this sigma, in heights of the plate, is texture; told from the rest so steeply."""

_ABOUT = 1 / 8
"""Sigma, in heights of the plate, of what surrounds a pixel."""

_MUCH, _MOST = 0.6, 0.8
"""Where so much of that is found, texture is left out, unless it is of what was found: real pixels beside it
would show that it does not move with them."""

_SHARP = 0.99
"""Where what was found stands sharp for more than this share, no texture is seen."""


def fine_texture(
    paint: Patch, found: Patch | None, same: Floats | None, alpha: Floats, rows: int
) -> Floats | None:
    """Return the texture (h, w, 3) of paint, in the network's range, about 0; None where it is not wanted.

    Lights have none.

    Args:
        paint: all that key frames give for a hole.
        found: real pixels of it; None for none.
        same: (h, w), how well paint agrees with them at large, 0..1; None as `found`.
        alpha: (h, w), the hole's.
        rows: the plate's height.
    """
    weight = paint.confidence
    if found is not None:
        if not ((1 - _flat(found) < _SHARP) & (alpha > 0)).any():
            return None
        lacking = _lacking(found, alpha, rows)
        wanted = lacking if same is None else lacking + (1 - lacking) * same
        weight = np.asarray(weight * wanted, np.float32)
        if not weight.any():
            return None
    # Lights have no part in what surrounds them: one of 40 would leave a black ring.
    dim = 1 - lights(paint.picture)
    known = paint.confidence * dim
    fine = paint.picture - surroundings(paint.picture, known, max(1.0, _FINE * rows), _STEEP)
    return weighed(fine, weight * dim)


def _lacking(found: Patch, alpha: Floats, rows: int) -> Floats:
    """Return where (h, w) much of a hole is not found, 0..1."""
    hole = (alpha > 0).astype(np.float32)
    both = np.asarray(cv2.merge([found.confidence * hole, hole]), np.float32)
    low = low_passed(both, _ABOUT * rows)
    share = low[..., 0] / np.maximum(low[..., 1], np.float32(1e-3))
    return np.asarray(np.clip((_MOST - share) / (_MOST - _MUCH), 0, 1), np.float32)


def textured(picture: Floats, patch: Patch) -> Floats:
    """Return a filled hole with the texture of paint where that does not stand.

    Args:
        picture: (h, w, 3) what the network gave, with the patch laid over by its confidence; in its range.
        patch: of the same hole.
    """
    if patch.texture is None:
        return picture
    return np.asarray(picture + weighed(patch.texture, _flat(patch)), np.float32)


def grain_of(patch: Patch) -> Floats:
    """Return how much (h, w) of the plate's grain a hole has from a patch, 0..1: texture has it, too."""
    grain = patch.confidence * patch.grain
    if patch.texture is not None:
        grain = grain + _flat(patch) * (brightest(np.abs(patch.texture)) > 0)
    return np.asarray(np.minimum(grain, 1), np.float32)


def _flat(patch: Patch) -> Floats:
    """Return how far (h, w) nothing sharp stands, 0..1."""
    return 1 - (patch.confidence if patch.soft is None else patch.confidence * (1 - patch.soft))
