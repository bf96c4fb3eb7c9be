"""Lay a matte of another size than its plate on it: scaled, padded or cropped, where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .matte import Matte, does_not_fit
from .plate import Header, Window

Floats = NDArray[np.float32]
Fit = Literal["refuse", "scale", "pad", "crop"]


def fitted(matte: Matte, plate: Header, fit: Fit) -> Matte:
    """Return a matte whose display window has the size of the plate's.

    ``scale`` stretches it over the plate's display window; ``pad`` lays it in the middle, with nothing to
    fill around it; ``crop`` takes the middle of it. One of the right size is returned as it is.

    Raises ImageError where the sizes differ and ``fit`` is ``refuse``, where a larger one is to be padded, or
    a smaller one cropped.
    """
    ours, theirs = plate.display_window, matte.display_window
    if ours[2:] == theirs[2:]:
        return matte
    wider, higher = theirs.width - ours.width, theirs.height - ours.height
    if fit == "refuse":
        raise does_not_fit(plate, matte.path, theirs)
    if (fit == "pad" and max(wider, higher) > 0) or (fit == "crop" and min(wider, higher) < 0):
        raise does_not_fit(plate, matte.path, theirs, fit)
    shown = _over_display(matte)
    values = _scaled(shown, ours) if fit == "scale" else _centered(shown, ours)
    window = Window(0, 0, ours.width, ours.height)
    return replace(matte, values=values, data_window=window, display_window=window, outside=0.0, unknown=None)


def _over_display(matte: Matte) -> Floats:
    """The matte's values (H, W) over its display window."""
    data, shown = matte.data_window, matte.display_window
    if data == shown:
        return matte.values
    whole = np.full((shown.height, shown.width), np.float32(matte.outside), np.float32)
    return _laid(whole, matte.values, data.x - shown.x, data.y - shown.y)


def _scaled(values: Floats, window: Window) -> Floats:
    smaller = window.width < values.shape[1] or window.height < values.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (window.width, window.height), interpolation=how), np.float32)


def _centered(values: Floats, window: Window) -> Floats:
    height, width = values.shape
    whole = np.zeros((window.height, window.width), np.float32)
    return _laid(whole, values, (window.width - width) // 2, (window.height - height) // 2)


def _laid(whole: Floats, values: Floats, left: int, top: int) -> Floats:
    """Lay values into a picture, their upper left corner at left, top; what lies beyond is left out."""
    height, width = whole.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + values.shape[1], width), min(top + values.shape[0], height)
    if x0 < x1 and y0 < y1:
        whole[y0:y1, x0:x1] = values[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole
