"""How a frame's neighbors come to lie on it, measured so that damage does not lead the motion astray.

Dense inverse search follows a piece of dirt to whatever resembles it. So motion is measured twice: roughly,
smoothed until no piece can bend it, which is enough to tell most damage and to take it out; and finely,
between frames that damage was taken out of.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.dense_search import dense_search
from ..motion.sampling import bicubic, bilinear, pixel_grid
from .look import Look

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_CELL, _CELLS = 8, 28
"""Rough motion is one a cell of at least so many pixels, with so many cells in the root of the area. It is
the median of five cells squared, three times over, which the largest piece of dirt can't bend."""

_ROUGH_PX, _ROUGH_LEVELS = 5, 8
"""Damage is told roughly by what no neighbor shows within this reach, by so many levels."""

_AROUND_PX = 7

_FITS_OVER, _MOST_OFF = (25, 25), np.float32(60)
_WORSE, _WORSE_BY = 2.0, 2.0
"""How well a neighbor fits is measured over so many pixels; it fits clearly worse than another from so many
times that one's misfit on, and so many levels."""

_LIGHT_CELL = 24
"""Light is compared in cells of so many pixels, the median of five squared."""


def rough_clean(look: Look, before: Look | None, after: Look | None) -> NDArray[np.uint8]:
    """Return a frame as motion is measured on it, with what its neighbors do not show taken out.

    Args:
        look: the frame.
        before, after: its neighbors; None where it has none in its take.

    Returns:
        (h, w) 8-bit.
    """
    neighbors = [other for other in (before, after) if other is not None]
    if not neighbors:
        return look.small
    gray = look.small.astype(np.float32)
    brush = np.ones((_ROUGH_PX, _ROUGH_PX), np.uint8)
    moved = []
    for other in neighbors:
        motion = _smoothed(dense_search(look.small, other.small, "fast"))
        picture = bilinear(other.small.astype(np.float32), *targets(motion))
        moved.append(picture + _light(gray, picture))
    high = np.max([cv2.dilate(picture, brush) for picture in moved], axis=0)
    low = np.min([cv2.erode(picture, brush) for picture in moved], axis=0)
    lost = ((gray > high + _ROUGH_LEVELS) | (gray < low - _ROUGH_LEVELS)).view(np.uint8)
    lost = cv2.dilate(lost, np.ones((_AROUND_PX, _AROUND_PX), np.uint8))
    return np.where(lost > 0, np.clip(np.mean(moved, axis=0), 0, 255).astype(np.uint8), look.small)


def motion_between(clean: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    """Return the motion (h, w, 2) from one frame to another, both from `rough_clean`."""
    return dense_search(clean, other, "medium")


def full_size(motion: Floats, height: int, width: int) -> Floats:
    """Return a motion (h, w, 2) at a frame's own size, (height, width, 2) in its pixels."""
    rows, columns = motion.shape[:2]
    if (rows, columns) == (height, width):
        return motion
    large = cv2.resize(motion, (width, height), interpolation=cv2.INTER_LINEAR)
    large *= np.array([width / columns, height / rows], np.float32)
    return np.asarray(large, np.float32)


def part_of(motion: Floats, box: Box, height: int, width: int) -> Floats:
    """Return a part of `full_size`, (h, w, 2) over a box of the frame."""
    rows, columns = motion.shape[:2]
    across, down = width / columns, height / rows
    x, y = pixel_grid(box)
    half = np.float32(0.5)
    part = bilinear(motion, (x + half) / np.float32(across) - half, (y + half) / np.float32(down) - half)
    part *= np.array([across, down], np.float32)
    return part


def brought(picture: Floats, motion: Floats, gray: Floats) -> Floats:
    """Return a neighbor's gray picture (H, W) as it lies on a frame, in the frame's light.

    Args:
        picture: the neighbor's.
        motion: (H, W, 2) from the frame to the neighbor.
        gray: the frame's, (H, W).
    """
    # Sharp: what bilinear filtering takes from fine texture would look like damage, ten times as often.
    moved = bicubic(picture, *targets(motion))
    return moved + _light(gray, moved)


def only_seen(
    pictures: list[Floats], motions: list[Floats], gray: Floats, hidden: Sequence[Mask | None]
) -> tuple[list[Floats], Floats | None]:
    """Return neighbors brought to a frame (H, W), put right beyond their edges and in their own damage; and
    the share of them that end before a pixel, (H, W) or None for none.

    `hidden` is that damage, as it lies on the frame, None for none. There a neighbor says what the others do;
    where fewer than two show anything, all say what the frame does.
    """
    height, width = gray.shape
    shown, ends = [], []
    for motion, damage in zip(motions, hidden, strict=True):
        x, y = targets(motion)
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        ends.append(~inside)
        shown.append(inside if damage is None else inside & ~damage)
    if all(bool(inside.all()) for inside in shown):
        return pictures, None
    unseen = np.asarray(np.mean(ends, axis=0), np.float32)
    count = np.sum(shown, axis=0)
    total = np.sum([picture * inside for picture, inside in zip(pictures, shown, strict=True)], axis=0)
    known = count >= min(2, len(pictures))
    others = np.where(known, total / np.maximum(count, 1), gray).astype(np.float32)
    right = [
        np.where(inside & known, picture, others) for picture, inside in zip(pictures, shown, strict=True)
    ]
    return right, unseen


def best_of_sides(pictures: Mapping[int, Floats], gray: Floats) -> list[Floats]:
    """Return neighbors brought to a frame (H, W), by how far away they are; on each side in time the one that
    fits worse speaks as the other does, wherever the other fits clearly better around a pixel."""
    ordered = [pictures[away] for away in sorted(pictures)]
    lowest, highest = np.min(ordered, axis=0), np.max(ordered, axis=0)
    known = ((gray < highest + _ROUGH_LEVELS) & (gray > lowest - _ROUGH_LEVELS)).astype(np.float32)
    weight = np.maximum(cv2.blur(known, _FITS_OVER), 1e-3)
    misfit = {
        away: cv2.blur(np.minimum(np.abs(gray - picture), _MOST_OFF) * known, _FITS_OVER) / weight
        for away, picture in pictures.items()
    }
    best = dict(pictures)
    for away in pictures:
        others = [other for other in pictures if other != away and other * away > 0]
        for other in others:
            worse = misfit[away] > _WORSE * misfit[other] + _WORSE_BY
            best[away] = np.where(worse, pictures[other], best[away])
    return [best[away] for away in sorted(best)]


def brought_mask(mask: Mask, motion: Floats, px: int) -> Mask:
    """Return a neighbor's mask (H, W), grown by some pixels, as it lies on a frame."""
    size = 2 * px + 1
    wide = cv2.dilate(mask.view(np.uint8), np.ones((size, size), np.uint8))
    return np.asarray(cv2.remap(wide, *targets(motion), cv2.INTER_NEAREST) > 0)


def targets(motion: Floats) -> tuple[Floats, Floats]:
    """Return the column and the row that each pixel comes to by a motion (H, W, 2)."""
    x, y = _grid(motion.shape[1], motion.shape[0])
    across, down = cv2.split(motion)
    return x + across, y + down


@functools.lru_cache(maxsize=4)
def _grid(width: int, height: int) -> tuple[Floats, Floats]:
    x, y = pixel_grid(Box(0, 0, width, height))
    x.flags.writeable = y.flags.writeable = False
    return x, y


def _smoothed(motion: Floats) -> Floats:
    height, width = motion.shape[:2]
    cell = max(_CELL, round((height * width) ** 0.5 / _CELLS))
    cells = max(2, width // cell), max(2, height // cell)
    small = cv2.resize(motion, cells, interpolation=cv2.INTER_AREA)
    parts = [cv2.medianBlur(cv2.medianBlur(cv2.medianBlur(part, 5), 5), 5) for part in cv2.split(small)]
    return np.asarray(cv2.resize(cv2.merge(parts), (width, height)), np.float32)


def _light(gray: Floats, moved: Floats) -> Floats:
    """Return by how much a frame is lighter than a neighbor brought to it, (H, W), slowly varying."""
    height, width = gray.shape
    cells = max(2, width // _LIGHT_CELL), max(2, height // _LIGHT_CELL)
    off = cv2.resize(np.clip(gray - moved, -40, 40), cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.medianBlur(off, 5), (width, height)), np.float32)
