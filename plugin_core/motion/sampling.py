"""Read pictures between their pixels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box

Floats = NDArray[np.float32]

Sampler = Callable[[Floats, Floats, Floats], Floats]
"""Samples a picture at columns and rows, such as `bilinear`."""


def bilinear(picture: Floats, x: Floats, y: Floats) -> Floats:
    """Return a picture's values (H, W) or (H, W, C) at columns x and rows y (h, w); its edge is repeated."""
    sampled = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def bicubic(picture: Floats, x: Floats, y: Floats) -> Floats:
    """Return what `bilinear` does, sharper: resampled again and again a picture keeps more of its detail."""
    sampled = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def lanczos(picture: Floats, x: Floats, y: Floats) -> Floats:
    """Return what `bicubic` does, sharper still and three times as slowly: the finest grain lives."""
    sampled = cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def pixel_grid(box: Box) -> tuple[Floats, Floats]:
    """Return the column and the row of every pixel of a box, (h, w) each."""
    columns, rows = np.meshgrid(
        np.arange(box.x0, box.x1, dtype=np.float32), np.arange(box.y0, box.y1, dtype=np.float32)
    )
    return columns, rows


_ROW = 2048


def in_rows(values: Floats) -> Floats:
    """Return values (n,) as rows (h, w), the last filled up: OpenCV takes pictures, and none of any width."""
    rows = np.empty((-(-values.size // _ROW), _ROW), np.float32)
    flat = rows.reshape(-1)
    flat[: values.size] = values
    flat[values.size :] = values[-1]
    return rows
