"""Plate pixels in the network's range, and which of them have no finite value."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images import Plate
from ..images.plate import as_float
from .color_map import ColorMap

_BLACK = -1.0
"""The network's value of a plate's 0."""


def native_pixels(plate: Plate, box: Box) -> NDArray[Any]:
    """Return a box of the plate (H, W, 3) in the file's own type where its channels lie side by side.

    A view where that is so, else float32.
    """
    native = plate.native_crop(*box)
    return plate.crop(*box) if native is None else native


def network_pixels(
    native: NDArray[Any], color: ColorMap
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Return pixels (H, W, 3) in the network's range, and which had no finite value (None for none).

    Args:
        native: from `native_pixels`; not changed.
        color: the shot's.
    """
    # Looking up each of 65536 values is several times faster than computing it again.
    if color.conversion is None and native.dtype == np.float16:
        cut = _table(color, native.dtype)[native.view(np.uint16)]
        return cut, _cleared(cut, _BLACK)
    if color.conversion is None and native.dtype == np.uint8:
        return np.asarray(cv2.LUT(native, _table(color, native.dtype)), np.float32), None
    if color.conversion is None and native.dtype == np.uint16:
        return _table(color, native.dtype)[native], None
    cut = as_float(native)
    missing = _cleared(cut, 0)
    return color.to_network(cut), missing


def _cleared(cut: NDArray[np.float32], value: float) -> NDArray[np.bool_] | None:
    """Set the pixels of a crop that are not finite to a value, in place; return them, None for none."""
    if np.isfinite(cut).all():  # asked of the whole first: asking each pixel takes thirty times as long
        return None
    missing = np.asarray(~np.isfinite(cut).all(axis=2))
    cut[missing] = value
    return missing


@functools.cache
def _table(color: ColorMap, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    """Return the network's value of every number of an 8 or 16-bit type, by its bits."""
    bits = np.arange(1 << 8 * dtype.itemsize, dtype=np.dtype(f"u{dtype.itemsize}"))
    with np.errstate(invalid="ignore"):
        return color.to_network(as_float(bits.view(dtype)).reshape(-1, 1, 1)).reshape(-1)
