"""What can be measured of a fill without knowing the truth: its seam, its detail, its steadiness.

Everything is a ratio: the fill held against the plate right around it, so that one limit serves a grainy
night shot and a smooth wall. 1 means "as the surroundings". Pictures are display-referred float32 (H, W, 3),
0..1; holes are boolean (H, W), True where the picture was changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .warp_error import WarpPair

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

RING_PX = 48
"""How far around the hole its surroundings reach."""

_STEP = 1 / 255
"""What an eye can tell at best: differences below it count as it."""

_BAND_PX = 3
_REFERENCE_PX = (8, 14)
_SEAM_WINDOW = 9


@dataclass(frozen=True)
class Detail:
    """How a fill's fine detail compares with its surroundings'.

    Attributes:
        sharpness: of edges and texture: root mean square of the fine detail, fill over surroundings.
        noise: of what is there everywhere, grain: its median, fill over surroundings.
    """

    sharpness: float
    noise: float


def seam(picture: Floats, hole: Bools) -> float:
    """Return how much the step across the hole's edge exceeds the steps found a little outside it.

    The step is the difference of the means of two bands of three pixels on either side of a line, over a
    window of nine pixels, so that grain averages out and an offset in color does not. Held against it is the
    same across lines 8 and 14 pixels outside the hole. NaN where either line has no pixels.
    """
    outside, inside = _distances(hole)
    edge = _band_step(picture, (inside > 0) & (inside <= _BAND_PX), (outside > 0) & (outside <= _BAND_PX))
    around = [
        _band_step(
            picture,
            (outside > at - _BAND_PX) & (outside <= at),
            (outside > at) & (outside <= at + _BAND_PX),
        )
        for at in _REFERENCE_PX
    ]
    known = [step for step in around if np.isfinite(step)]
    if not known or not np.isfinite(edge):
        return float("nan")
    return float((edge + _STEP) / (np.mean(known) + _STEP))


def _distances(hole: Bools) -> tuple[Floats, Floats]:
    """Pixels to the hole from outside it, and to its outside from within; 0 on the other side."""
    outside = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(outside, np.float32), np.asarray(inside, np.float32)


def _band_step(picture: Floats, one: Bools, other: Bools) -> float:
    """Root mean square of the local difference of two bands' means; NaN where they never meet."""
    first, first_share = _local_mean(picture, one)
    second, second_share = _local_mean(picture, other)
    # A third of a window holds a whole band of a straight line.
    both = (first_share > 0.15) & (second_share > 0.15) & (one | other)
    if not both.any():
        return float("nan")
    return float(np.sqrt(np.square(first[both] - second[both]).mean()))


def _local_mean(picture: Floats, where: Bools) -> tuple[Floats, Floats]:
    weight = where.astype(np.float32)
    side = (_SEAM_WINDOW, _SEAM_WINDOW)
    share = np.asarray(cv2.blur(weight, side, borderType=cv2.BORDER_CONSTANT), np.float32)
    total = np.asarray(cv2.blur(picture * weight[..., None], side, borderType=cv2.BORDER_CONSTANT))
    return np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32), share


def detail(picture: Floats, hole: Bools) -> Detail:
    """Return how sharp and how noisy the fill is beside its surroundings; NaN for a hole too thin to tell."""
    outside, inside = _distances(hole)
    fine = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.5)).max(axis=2)
    fill = fine[inside > _BAND_PX]
    ring = fine[(outside > _BAND_PX) & (outside <= RING_PX)]
    if fill.size < 64 or ring.size < 64:
        return Detail(float("nan"), float("nan"))
    floor = _STEP / 4
    sharp = [float(np.sqrt(np.square(values).mean())) for values in (fill, ring)]
    noise = [float(np.median(values)) for values in (fill, ring)]
    return Detail((sharp[0] + floor) / (sharp[1] + floor), (noise[0] + floor) / (noise[1] + floor))


@dataclass(frozen=True)
class Flicker:
    """Warping errors of a fill and of its surroundings from one frame to the next, squares of 0..1."""

    fill: float
    around: float


def flicker(this: Floats, following: Floats, hole: Bools) -> Flicker:
    """Return how the fill changes to the next frame beyond its motion, and how its surroundings do.

    E_warp of `warp_error`, its flow estimated on the result itself: the truth is not known here.

    Args:
        this, following: the same part of two neighboring results.
        hole: this frame's.
    """
    codes = [np.round(picture * 255).astype(np.uint8) for picture in (this, following)]
    pair = WarpPair.of(codes[0], codes[1])
    error = pair.error(this, following, Box(0, 0, hole.shape[1], hole.shape[0]))
    outside, _ = _distances(hole)
    return Flicker(
        _mean(error[pair.seen & hole]),
        _mean(error[pair.seen & (outside > _BAND_PX) & (outside <= RING_PX)]),
    )


def _mean(values: Floats) -> float:
    return float(values.mean(dtype=np.float64)) if values.size >= 16 else float("nan")


def surroundings(holes: list[Bools], width: int, height: int) -> Box | None:
    """Return the box around holes (H, W) and their surroundings; None when all are empty."""
    found = [box for box in map(bounds, holes) if box is not None]
    if not found:
        return None
    around = found[0]
    for box in found[1:]:
        around = around.union(box)
    return around.grown(RING_PX).within(width, height)
