"""Motion of the background between two neighboring frames, known behind the hole too.

Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, as OpenCV has
it) measures motion where the plate shows it. Behind the hole, and a few pixels around it where the matted
object still pulls the measure its way, motion is completed in two ways, since either can be right: a robust
affine motion fitted to what surrounds the hole, plus the smoothly continued rest (a background under a moving
camera); and the motion at the hole's border, smoothly continued (an object that reaches into the hole).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .dense_search import dense_search
from .sampling import bilinear, pixel_grid

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_AFFINE_STEPS = 6
_FEWEST = 64
"""An affine motion is fitted to no fewer pixels than this."""

_MOST = 2000
"""It is fitted to about so many pixels at most."""

_LOCKED_PX = 0.03
"""A camera that moves less than this from frame to frame stands on a tripod."""

_STILL_PX = 0.15
"""Differences of motion below this are the measure's own noise."""


@dataclass(frozen=True)
class Flow:
    """Where each pixel of one frame lies in the next.

    Attributes:
        motion: (H, W, 2) float32, x and y in pixels, led by the camera behind the hole.
        bordered: (H, W, 2) float32, the same, led by the hole's border there.
        doubt: (H, W) float32, expected error in pixels, 0 where both directions agree exactly.
        camera: (2, 3) float32, the motion that most of the picture shares, affine in (x, y, 1).
    """

    motion: Floats
    bordered: Floats
    doubt: Floats
    camera: Floats


@dataclass(frozen=True)
class Precision:
    """How finely motion is measured.

    Attributes:
        to_the_pixel: the search goes down to the pictures' own size; else to half of it.
        spoiled_px: motion this close to a hole is spoiled by what stands in the hole, and completed like the
            hole itself.
        ring_px: motion this close to a hole has a say in how the hole moves.
    """

    to_the_pixel: bool
    spoiled_px: int
    ring_px: int


HALF = Precision(to_the_pixel=False, spoiled_px=8, ring_px=48)
FINE = Precision(to_the_pixel=True, spoiled_px=5, ring_px=28)


def flow_between(
    first: Floats, first_hole: Mask, second: Floats, second_hole: Mask, precision: Precision = HALF
) -> tuple[Flow, Flow]:
    """Measure the background's motion from the first frame to the second, and back.

    Args:
        first, second: display-referred RGB (H, W, 3) float32, around 0..1; a hole's pixels are not looked at.
        first_hole, second_hole: (H, W), true in the hole.
        precision: how finely.
    """
    a, b = searchable(first, first_hole), searchable(second, second_hole)
    return flow_of(a, first_hole, b, second_hole, precision)


def flow_of(
    first: NDArray[np.uint8],
    first_hole: Mask,
    second: NDArray[np.uint8],
    second_hole: Mask,
    precision: Precision = HALF,
) -> tuple[Flow, Flow]:
    """Do what `flow_between` does with pictures that `searchable` has made."""
    fine = precision.to_the_pixel
    forth = dense_search(first, second, to_the_pixel=fine)
    back = dense_search(second, first, to_the_pixel=fine)
    reach = precision.spoiled_px
    first_unknown, second_unknown = _grown(first_hole, reach), _grown(second_hole, reach)
    return (
        _completed(forth, back, first_unknown, second_unknown, precision.ring_px),
        _completed(back, forth, second_unknown, first_unknown, precision.ring_px),
    )


def spread(values: Floats, known: Mask) -> Floats:
    """Continue values (H, W, C) smoothly into where they are not known, by a pull-push pyramid.

    Known values stay as they are. Without any known value the result is 0.
    """
    weight = known.astype(np.float32)
    return _pull_push(np.asarray(values * weight[..., None], np.float32), weight)


def _pull_push(values: Floats, weight: Floats) -> Floats:
    """Fill (H, W, C) values up where their weight, 0..1, is below 1, from coarser and coarser means."""
    height, width = weight.shape
    total = float(weight.sum())
    if min(height, width) <= 2 or total == weight.size or total == 0:
        mean = (values * weight[..., None]).sum(axis=(0, 1)) / np.float32(max(total, 1e-6))
        return np.asarray(values * weight[..., None] + mean * (1 - weight[..., None]), np.float32)
    small_weight = cv2.pyrDown(weight)
    small = cv2.pyrDown(values * weight[..., None]).reshape(*small_weight.shape, -1)
    small = small / np.maximum(small_weight, np.float32(1e-6))[..., None]
    coarse = _pull_push(np.asarray(small, np.float32), np.minimum(2 * small_weight, np.float32(1)))
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    return np.asarray(values * weight[..., None] + wide * (1 - weight[..., None]), np.float32)


def searchable(picture: Floats, hole: Mask) -> NDArray[np.uint8]:
    """Bring a picture to what the search takes: 8-bit gray (H, W), with the hole smoothly covered."""
    grey = (np.clip(picture, 0, 1) @ np.array([0.299, 0.587, 0.114], np.float32)) * np.float32(255)
    if hole.any():
        grey = spread(grey[..., None], ~_grown(hole, 1))[..., 0]
    return np.asarray(np.clip(grey + 0.5, 0, 255), np.uint8)


def _completed(forth: Floats, back: Floats, unknown: Mask, arrival_unknown: Mask, ring_px: int) -> Flow:
    height, width = unknown.shape
    x, y = pixel_grid(Box(0, 0, width, height))
    target_x, target_y = x + forth[..., 0], y + forth[..., 1]
    returned = bilinear(back, target_x, target_y)
    doubt = _length(forth + returned)
    hidden = cv2.remap(
        arrival_unknown.astype(np.float32), target_x, target_y, cv2.INTER_LINEAR, borderValue=1.0
    )
    reliable = ~unknown & (doubt < 1.0 + 0.05 * _length(forth)) & (hidden < 0.01)
    camera = _affine(forth, reliable)
    if not unknown.any():
        return Flow(forth, forth, np.minimum(doubt, 20).astype(np.float32), camera)
    near = _grown(unknown, ring_px) & reliable
    affine = affine_motion(_affine(forth, near, camera), x, y)
    # What moves against the background (someone walking past the hole) is no guide to what the hole hides.
    off = _length(forth - affine)
    sigma = max(1.4826 * float(np.median(off[near])), _STILL_PX) if near.any() else _STILL_PX
    around = _around(unknown, ring_px)
    behind = affine
    behind[around] += spread((forth - affine)[around], (near & (off < 3 * sigma))[around])
    if np.abs(affine_motion(camera, x, y)).max() < _LOCKED_PX and np.abs(behind[unknown]).max() < _STILL_PX:
        behind = np.zeros_like(behind)  # a locked-off camera: pixels are taken as they are, not between two
    motion = np.where(unknown[..., None], behind, forth).astype(np.float32)
    depth = np.asarray(cv2.distanceTransform(unknown.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    spread_doubt = np.float32(0.05) + np.float32(0.01) * depth
    doubt = np.where(unknown, spread_doubt, np.minimum(doubt, 20)).astype(np.float32)
    bordered = forth.copy()
    bordered[around] = spread(forth[around], ~unknown[around])
    return Flow(motion, bordered, doubt, camera)


def _around(mask: Mask, px: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask that is not empty, and `px` more on each side."""
    found = bounds(mask)
    assert found is not None
    return Box(*found).grown(px).within(mask.shape[1], mask.shape[0]).slices


def _length(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the length of vectors (..., 2)."""
    x, y = vectors[..., 0], vectors[..., 1]
    return np.asarray(np.sqrt(x * x + y * y))


def affine_motion(model: Floats, x: Floats, y: Floats) -> Floats:
    """Return an affine model's (2, 3) motion (h, w, 2) at points (h, w)."""
    (a, b, c), (d, e, f) = model
    return np.dstack([a * x + b * y + c, d * x + e * y + f]).astype(np.float32)


def _affine(motion: Floats, where: Mask, start: Floats | None = None) -> Floats:
    """Fit an affine model (2, 3) to the motion (H, W, 2) of a mask's pixels, outliers left aside.

    The fit is a reweighted least squares that begins at `start`, or at the median motion: whichever motion is
    nearest to that and shared by many pixels wins, not the mean of two.
    """
    rows, columns = np.nonzero(where)
    model = np.zeros((2, 3), np.float32) if start is None else start
    if rows.size < _FEWEST:
        return model
    step = rows.size // _MOST + 1
    rows, columns = rows[::step], columns[::step]
    # Coordinates of about 1 keep the equations well conditioned.
    scale = np.array([1 / max(where.shape), 1 / max(where.shape), 1.0])
    points = np.stack([columns, rows, np.ones(rows.size)], axis=1) * scale
    values = motion[rows, columns].astype(np.float64)
    if start is None:
        model = np.column_stack([np.zeros((2, 2)), np.median(values, axis=0)]).astype(np.float32)
    fitted = (points / scale) @ model.T
    for _ in range(_AFFINE_STEPS):
        error = _length(fitted - values)
        sigma = max(1.4826 * float(np.median(error)), _STILL_PX)
        weights = np.clip(1 - (error / (3 * sigma)) ** 2, 0, None) ** 2
        if np.count_nonzero(weights) < _FEWEST:
            break
        weighted = points * weights[:, None]
        found = np.linalg.solve(points.T @ weighted + 1e-3 * np.eye(3), weighted.T @ values)
        fitted = points @ found
        model = (found.T * scale).astype(np.float32)
    return model


def _grown(mask: Mask, px: int) -> Mask:
    if not mask.any():
        return mask
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= px)
