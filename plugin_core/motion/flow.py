"""Motion of the background between two neighboring frames, known behind the hole too.

Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, as OpenCV has
it) measures motion where the plate shows it. Behind the hole, and a few pixels around it where the matted
object still pulls the measure its way, motion is completed in two ways, since either can be right: a plane's
motion, fitted robustly to what surrounds the hole, plus the smoothly continued rest (a background under a
moving camera); and the motion at the hole's border, smoothly continued (an object that reaches into it).
"""

from __future__ import annotations

import functools
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

_STRAIGHT = 1e-4
"""So much, for each pixel that it is fitted to, speaks against a bend in a plane's motion."""

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


@dataclass(frozen=True)
class Seen:
    """A frame as motion is measured on it.

    Attributes:
        gray: (H, W), for the search, with the hole smoothly covered.
        unknown: (H, W), true in the hole and where motion is spoiled by it.
    """

    gray: NDArray[np.uint8]
    unknown: Mask

    @classmethod
    def of(cls, picture: Floats, hole: Mask, precision: Precision) -> Seen:
        """See a display-referred picture (H, W, 3) around 0..1, whose hole (H, W) is not looked at."""
        gray = (np.clip(picture, 0, 1) @ np.array([0.299, 0.587, 0.114], np.float32)) * np.float32(255)
        unknown = hole
        if hole.any():
            away = _distance(hole)
            gray = spread(gray[..., None], away > 1)[..., 0]
            unknown = away <= precision.spoiled_px
        gray += np.float32(0.5)
        return cls(np.clip(gray, 0, 255, out=gray).astype(np.uint8), unknown)


def flow_between(
    first: Floats, first_hole: Mask, second: Floats, second_hole: Mask, precision: Precision = HALF
) -> Flow:
    """Measure the background's motion from the first frame to the second.

    Args:
        first, second: display-referred RGB (H, W, 3) float32, around 0..1; a hole's pixels are not looked at.
        first_hole, second_hole: (H, W), true in the hole.
        precision: how finely.
    """
    one, other = Seen.of(first, first_hole, precision), Seen.of(second, second_hole, precision)
    return completed(*_searched(one, other, precision), one, other, precision)


def flows_of(first: Seen, second: Seen, precision: Precision) -> tuple[Flow, Flow]:
    """Measure the background's motion from the first frame to the second, and back."""
    forth, back = _searched(first, second, precision)
    return (
        completed(forth, back, first, second, precision),
        completed(back, forth, second, first, precision),
    )


def _searched(first: Seen, second: Seen, precision: Precision) -> tuple[Floats, Floats]:
    """Return the motion (H, W, 2) that is seen from the first frame to the second, and back."""
    fine = precision.to_the_pixel
    return (
        dense_search(first.gray, second.gray, to_the_pixel=fine),
        dense_search(second.gray, first.gray, to_the_pixel=fine),
    )


def spread(values: Floats, known: Mask) -> Floats:
    """Continue values (H, W, C) smoothly into where they are not known, by a pull-push pyramid.

    Known values stay as they are. Without any known value the result is 0.
    """
    weight = known.astype(np.float32)
    return _pull_push(np.asarray(values * each(weight, values.shape[2]), np.float32), weight)


def median(values: NDArray[np.floating]) -> float:
    """Return the median of values (n,), n above 0, in a fraction of the time that NumPy's own takes."""
    middle = values.size // 2
    if values.size % 2:
        return float(np.partition(values, middle)[middle])
    low, high = np.partition(values, (middle - 1, middle))[middle - 1 : middle + 1]
    return (float(low) + float(high)) / 2


def medians(colors: Floats) -> Floats:
    """Return the median (3,) of each channel of colors (n, 3), n above 0."""
    count = len(colors)
    kth = (count // 2,) if count % 2 else (count // 2 - 1, count // 2)
    parted = np.partition(np.ascontiguousarray(colors.T), kth, axis=1)[:, kth]
    return np.asarray(parted.astype(np.float64).sum(axis=1) / len(kth), np.float32)


def each(weight: Floats, channels: int) -> Floats:
    """Return a weight (H, W) for every channel, (H, W, C): products then run along whole rows."""
    return weight[..., None] if channels == 1 else np.asarray(cv2.merge([weight] * channels))


def _pull_push(values: Floats, weight: Floats) -> Floats:
    """Fill (H, W, C) values up where their weight, 0..1, is below 1, from coarser and coarser means."""
    height, width, channels = values.shape
    total = float(weight.sum())
    share = each(weight, channels)
    weighted = values * share
    if min(height, width) <= 2 or total == weight.size or total == 0:
        mean = weighted.sum(axis=(0, 1)) / np.float32(max(total, 1e-6))
        return np.asarray(weighted + mean * (1 - share), np.float32)
    small_weight = cv2.pyrDown(weight)
    reduced = np.asarray(cv2.pyrDown(weighted), np.float32).reshape(*small_weight.shape, channels)
    reduced /= each(np.maximum(small_weight, np.float32(1e-6)), channels)
    coarse = _pull_push(reduced, np.minimum(2 * small_weight, np.float32(1)))
    wide = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    wide = wide.reshape(values.shape)
    wide *= 1 - share
    wide += weighted
    return wide


def completed(forth: Floats, back: Floats, one: Seen, other: Seen, precision: Precision) -> Flow:
    """Complete the motion from one frame to the other, of which the motion back is known too.

    Args:
        forth, back: as it was `searched` from one to the other, and from the other to the one.
        one, other: the frames; behind what is unknown of the one, motion is completed.
        precision: that it was searched with.
    """
    unknown, ring_px = one.unknown, precision.ring_px
    height, width = unknown.shape
    x, y = _grid(width, height)
    fx, fy = parts(forth)
    target_x, target_y = x + fx, y + fy
    returned_x, returned_y = parts(bilinear(back, target_x, target_y))
    doubt = _length(fx + returned_x, fy + returned_y)
    hidden = cv2.remap(_white(other.unknown), target_x, target_y, cv2.INTER_LINEAR, borderValue=255)
    reliable = ~unknown & (doubt < 1.0 + 0.05 * _length(fx, fy)) & (hidden < 3)
    camera = fitted_affine(fx, fy, reliable)
    np.minimum(doubt, 20, out=doubt)
    if not unknown.any():
        return Flow(forth, forth, doubt, camera)
    # What lies farther from the hole stays as it was measured, and tells nothing of it.
    around = _around(unknown, ring_px + 2)
    known_motion, lost = forth[around], unknown[around]
    near = (_distance(lost) <= ring_px) & reliable[around]
    behind = fitted_plane(fx, fy, _laid(near, around, unknown), camera).at(x[around], y[around])
    # What moves against the background (someone walking past the hole) is no guide to what the hole hides.
    rest = known_motion - behind
    off = _length(*parts(rest))
    sigma = max(1.4826 * median(off[near]), _STILL_PX) if near.any() else _STILL_PX
    behind += spread(rest, near & (off < 3 * sigma))
    if _farthest(camera, width, height) < _LOCKED_PX and np.abs(behind[lost]).max() < _STILL_PX:
        behind = np.zeros_like(behind)  # a locked-off camera: pixels are taken as they are, not between two
    motion, bordered = forth.copy(), forth.copy()
    cv2.copyTo(behind, _white(lost), motion[around])
    bordered[around] = spread(known_motion, ~lost)
    depth = cv2.distanceTransform(_white(lost), cv2.DIST_L2, 3)
    doubt[around][lost] = np.float32(0.05) + np.float32(0.01) * depth[lost]
    return Flow(motion, bordered, doubt, camera)


@functools.lru_cache(maxsize=4)
def _grid(width: int, height: int) -> tuple[Floats, Floats]:
    x, y = pixel_grid(Box(0, 0, width, height))
    x.flags.writeable = y.flags.writeable = False
    return x, y


def parts(vectors: Floats) -> tuple[Floats, Floats]:
    """Return x and y of vectors (h, w, 2), each in an array of its own."""
    x, y = cv2.split(vectors)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _around(mask: Mask, px: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask that is not empty, and `px` more on each side."""
    found = bounds(mask)
    assert found is not None
    return Box(*found).grown(px).within(mask.shape[1], mask.shape[0]).slices


def _laid(part: Mask, place: tuple[slice, slice], like: Mask) -> Mask:
    """Return a mask that is a part at its place, and false elsewhere."""
    whole = np.zeros_like(like)
    whole[place] = part
    return whole


def _white(mask: Mask) -> NDArray[np.uint8]:
    """Return a mask as 0 and 255."""
    return mask.view(np.uint8) * np.uint8(255)


def _length(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.sqrt(x * x + y * y))


def affine_motion(model: Floats, x: Floats, y: Floats) -> Floats:
    """Return an affine model's (2, 3) motion (h, w, 2) at points (h, w)."""
    (a, b, c), (d, e, f) = np.asarray(model, np.float32)
    return np.asarray(cv2.merge([a * x + b * y + c, d * x + e * y + f]))


def _farthest(model: Floats, width: int, height: int) -> float:
    """Return the most that an affine model moves a picture by, across or down: a corner."""
    x, y = np.meshgrid(np.array([0, width - 1], np.float32), np.array([0, height - 1], np.float32))
    return float(np.abs(affine_motion(model, x, y)).max())


def fitted_affine(motion_x: Floats, motion_y: Floats, where: Mask) -> Floats:
    """Fit an affine model (2, 3) to the motion (H, W) of a mask's pixels, outliers left aside.

    The fit is a reweighted least squares that begins at the median motion: whichever motion is nearest to
    that and shared by many pixels wins, not the mean of two.
    """
    at = np.flatnonzero(where)
    if at.size < _FEWEST:
        return np.zeros((2, 3), np.float32)
    at = at[:: at.size // _MOST + 1]
    rows, columns = np.divmod(at, where.shape[1])
    # Coordinates of about 1 keep the equations well conditioned.
    scale = np.array([1 / max(where.shape), 1 / max(where.shape), 1.0])
    points = np.stack([columns * scale[0], rows * scale[1], np.ones(rows.size)])
    values = np.stack([motion_x.ravel()[at], motion_y.ravel()[at]]).astype(np.float64)
    middle = np.array([median(values[0]), median(values[1])])
    model = np.column_stack([np.zeros((2, 2)), middle]).astype(np.float32)
    fitted = (model / scale) @ points
    for _ in range(_AFFINE_STEPS):
        weights = _trusted(_length(*(fitted - values)))
        if np.count_nonzero(weights) < _FEWEST:
            break
        weighted = points * weights
        found = np.linalg.solve(weighted @ points.T + 1e-3 * np.eye(3), weighted @ values.T).T
        fitted = found @ points
        model = (found * scale).astype(np.float32)
    return model


@dataclass(frozen=True)
class Plane:
    """How a plane seems to move before a moving camera, to the second order of a small motion.

    A camera that turns bends straight paths: over a hole that an affine motion crosses, by a tenth of a pixel
    a frame in a fast pan, always the same way.

    Attributes:
        affine: (2, 3) float32, the part that is linear in (x, y, 1), in pixels.
        bend: how x and y bend, for places counted from the middle.
        middle: x and y.
    """

    affine: Floats
    bend: tuple[float, float] = (0, 0)
    middle: tuple[float, float] = (0, 0)

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the motion (h, w, 2) at points (h, w)."""
        motion = affine_motion(self.affine, x, y)
        if self.bend != (0, 0):
            u, v = x - np.float32(self.middle[0]), y - np.float32(self.middle[1])
            turned = np.float32(self.bend[0]) * u + np.float32(self.bend[1]) * v
            motion += np.asarray(cv2.merge([u * turned, v * turned]))
        return motion


def fitted_plane(motion_x: Floats, motion_y: Floats, where: Mask, start: Floats) -> Plane:
    """Fit a plane's motion to that (H, W) of a mask's pixels, as `fitted_affine` does, from `start` on."""
    at = np.flatnonzero(where)
    if at.size < _FEWEST:
        return Plane(start)
    at = at[:: at.size // _MOST + 1]
    rows, columns = np.divmod(at, where.shape[1])
    # Places of about 1 around their middle keep the equations well conditioned.
    scale, middle = 1 / max(where.shape), (float(columns.mean()), float(rows.mean()))
    u, v = (columns - middle[0]) * scale, (rows - middle[1]) * scale
    none, one = np.zeros_like(u), np.ones_like(u)
    across = np.stack([u, v, one, none, none, none, u * u, u * v])
    down = np.stack([none, none, none, u, v, one, u * v, v * v])
    there = start.astype(np.float64) @ np.stack([columns, rows, one])
    off_x, off_y = motion_x.ravel()[at] - there[0], motion_y.ravel()[at] - there[1]
    found = np.zeros(8)
    for _ in range(_AFFINE_STEPS):
        weights = _trusted(_length(found @ across - off_x, found @ down - off_y))
        if np.count_nonzero(weights) < _FEWEST:
            break
        by_x, by_y = across * weights, down * weights
        left = by_x @ across.T + by_y @ down.T + 1e-3 * np.eye(8)
        left[6:, 6:] += _STRAIGHT * weights.sum() * np.eye(2)
        found = np.linalg.solve(left, by_x @ off_x + by_y @ off_y)
    linear = found[:6].reshape(2, 3) * (scale, scale, 1)
    linear[:, 2] -= linear[:, :2] @ middle
    bend = found[6] * scale**2, found[7] * scale**2
    return Plane((start + linear).astype(np.float32), bend, middle)


def _trusted(error: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return weights (n,) for a fit's next round by how far it misses: Tukey's, 0 for outliers."""
    sigma = max(1.4826 * median(error), _STILL_PX)
    return np.asarray(np.maximum(1 - (error / (3 * sigma)) ** 2, 0) ** 2)


def _distance(mask: Mask) -> Floats:
    """Return how far each pixel lies from a mask that is not empty; 0 within."""
    away = cv2.distanceTransform(_white(~mask), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)
