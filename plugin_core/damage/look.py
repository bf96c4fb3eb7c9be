"""A frame as damage is looked for on it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from .across import continued_across

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Seen = tuple[Bytes, Bytes]
"""A frame's darkest and brightest channel, see `planes_of`."""

MOTION_PX = 800
"""Motion is measured on at most this many pixels squared."""

_BAND_PX = 1 << 19
"""What works pixel by pixel works on so many pixels at once, in whole rows."""

_SCRATCH_RING = 3


@dataclass(frozen=True)
class Look:
    """One frame.

    What is white raises the darkest of a pixel's channels the most, what is black lowers the brightest: white
    damage is looked for in the one, black in the other.

    Attributes:
        low, high: (H, W) 8-bit, the darkest and the brightest of R, G and B, display-referred; running
            scratches are filled in them.
        small: (h, w) 8-bit, as motion is measured on it.
    """

    low: Bytes = field(repr=False)
    high: Bytes = field(repr=False)
    small: Bytes = field(repr=False)


def planes_of(picture: Floats) -> Seen:
    """Return the darkest and the brightest channel (H, W) of a display-referred picture (H, W, 3) of 0..1.

    What is beyond white or black is limited: lamps are no brighter than damage may be.
    """
    levels = np.clip(picture * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    red, green, blue = cv2.split(levels)
    low, high = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    return np.asarray(low, np.uint8), np.asarray(high, np.uint8)


def look_at(seen: Seen, lines: Mask) -> Look:
    """Return a frame whose running scratches are known, filled from their sides.

    Args:
        seen: from `planes_of`.
        lines: (H, W), true on running scratches.
    """
    low, high = (without(plane, lines) for plane in seen)
    small = [_shrunk(plane) for plane in (low, high)]
    gray = (small[0] + small[1]) / np.float32(2)
    return Look(low, high, np.asarray(np.clip(gray + np.float32(0.5), 0, 255), np.uint8))


def bands(height: int, width: int) -> Iterator[Box]:
    """Yield boxes of whole rows that make up a frame, each of about as many pixels as fit in memory well."""
    count = max(1, math.ceil(height * width / _BAND_PX))
    edges = np.linspace(0, height, count + 1).round().astype(int).tolist()
    for top, bottom in itertools.pairwise(edges):
        yield Box(0, top, width, bottom)


def _shrunk(plane: Bytes) -> Floats:
    height, width = plane.shape
    scale = min(1.0, MOTION_PX / math.sqrt(height * width))
    size = max(12, round(width * scale)), max(12, round(height * scale))
    levels = plane.astype(np.float32)
    if size != (width, height):
        levels = np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32)
    return levels


def without(plane: Bytes, lines: Mask) -> Bytes:
    """Return a plane (H, W) whose running scratches are filled from their sides, row by row."""
    if not lines.any():
        return plane
    filled = plane.copy()
    for box in bands(*plane.shape):
        here = lines[box.slices]
        wide = cv2.dilate(here.view(np.uint8), np.ones((1, _SCRATCH_RING), np.uint8)) > 0
        part = continued_across(plane[box.slices].astype(np.float32), wide)
        filled[box.slices] = np.where(wide, part + np.float32(0.5), filled[box.slices]).astype(np.uint8)
    return filled
