"""A frame as damage is looked for on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .across import continued_across

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

MOTION_PX = 800
"""Motion is measured on at most this many pixels squared."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SCRATCH_RING = 3


@dataclass(frozen=True)
class Look:
    """One frame.

    Attributes:
        gray: (H, W) float32, display-referred, 0..255 and a little beyond.
        chroma: (H, W) 8-bit, how far the largest and the smallest of R, G and B are apart, in the same
        levels.
        lines: (H, W), pixels of running scratches; they are filled in `gray`.
        small: (h, w) 8-bit, as motion is measured on it.
    """

    gray: Floats = field(repr=False)
    chroma: NDArray[np.uint8] = field(repr=False)
    lines: Mask = field(repr=False)
    small: NDArray[np.uint8] = field(repr=False)


def gray_of(picture: Floats) -> tuple[Floats, NDArray[np.uint8]]:
    """Return gray (H, W) in levels and chroma of a display-referred picture (H, W, 3) around 0..1.

    What is far beyond white or black is limited: lamps are no brighter than damage may be.
    """
    levels = np.clip(picture * np.float32(255), -64, 320)
    red, green, blue = cv2.split(levels)
    largest, smallest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    chroma = np.minimum(largest - smallest, 255).astype(np.uint8)
    return np.asarray(levels @ _LUMA, np.float32), chroma


def look_at(gray: Floats, chroma: NDArray[np.uint8], lines: Mask) -> Look:
    """Return a frame whose running scratches are known, filled from their sides.

    Args:
        gray, chroma: from `gray_of`.
        lines: (H, W), true on running scratches.
    """
    filled = without(gray, lines)
    return Look(filled, chroma, lines, small_of(filled))


def small_of(gray: Floats) -> NDArray[np.uint8]:
    """Return a gray picture (H, W) as motion is measured on it, (h, w) 8-bit."""
    height, width = gray.shape
    scale = min(1.0, MOTION_PX / math.sqrt(height * width))
    size = max(12, round(width * scale)), max(12, round(height * scale))
    if size != (width, height):
        gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(np.clip(gray + np.float32(0.5), 0, 255), np.uint8)


def without(gray: Floats, lines: Mask) -> Floats:
    """Return a gray picture whose running scratches are filled from their sides, row by row."""
    if not lines.any():
        return gray
    wide = cv2.dilate(lines.view(np.uint8), np.ones((1, _SCRATCH_RING), np.uint8)) > 0
    return continued_across(gray, wide)
