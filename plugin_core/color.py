"""Plate values to the network's range and back.

The network was trained on display-referred pictures in -1..1. A plate in any other space is first brought to
scene-linear Rec.709, and from there by a curve that has an inverse over every finite value, so nothing clips:
the sRGB curve (IEC 61966-2-1) up to 1, a logarithm that continues it with the same slope above 1, and both
mirrored below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .ocio import Conversion, conversion_for

Encoding = Literal["linear", "display"]

_SLOPE_AT_ONE = 1.055 / 2.4
"""Slope of the sRGB curve at 1: the logarithm above takes over with the same one."""


@dataclass(frozen=True)
class ColorMap:
    """The mapping of one shot; the same for every frame of it, so that it can't flicker.

    Attributes:
        encoding: `linear` for plates that go through the curve, `display` for display-referred ones.
        conversion: from the plate's space to scene-linear Rec.709; None where it is that already.
    """

    encoding: Encoding
    conversion: Conversion | None = None

    @property
    def name(self) -> str:
        """What the plate's values were taken for."""
        if self.conversion is not None:
            return f"{self.conversion.space} ({self.conversion.config})"
        return "display-referred" if self.encoding == "display" else "scene-linear Rec.709"

    def to_network(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Plate RGB (H, W, 3), finite, to the network's -1..1 (beyond it where the plate is beyond 0..1)."""
        if self.conversion is not None:
            rgb = self.conversion.to_linear(rgb)
        display = _encode(rgb) if self.encoding == "linear" else rgb
        return np.asarray(2 * display - 1, np.float32)

    def from_network(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inverse of `to_network`."""
        display = np.asarray((picture + 1) / 2, np.float32)
        rgb = _decode(display) if self.encoding == "linear" else display
        return rgb if self.conversion is None else self.conversion.from_linear(rgb)


def choose_color(asked: str, is_float: bool) -> ColorMap:
    """Choose a shot's mapping.

    Args:
        asked: `linear` (scene-linear Rec.709), `display`, an OpenColorIO name, or `auto`, which takes
            floating-point plates for linear and integer ones for display.
        is_float: whether the plate's pixels are floating point.

    Raises:
        SettingsError: the name is not in the OpenColorIO configuration.
    """
    if asked == "auto":
        return ColorMap("linear" if is_float else "display")
    if asked == "linear":
        return ColorMap("linear")
    if asked == "display":
        return ColorMap("display")
    return ColorMap("linear", conversion_for(asked))


def _encode(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.abs(linear)
    tiny = np.float32(np.finfo(np.float32).tiny)
    low = 12.92 * size
    middle = 1.055 * np.maximum(size, tiny) ** np.float32(1 / 2.4) - 0.055
    high = 1 + _SLOPE_AT_ONE * np.log(np.maximum(size, 1))
    curve = np.where(size <= 0.0031308, low, np.where(size <= 1, middle, high))
    return np.copysign(curve, linear).astype(np.float32)


def _decode(display: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.abs(display)
    low = size / 12.92
    middle = ((size + 0.055) / 1.055) ** np.float32(2.4)
    # Beyond float range the exponential would be infinite; half-float plates end far below it anyway.
    high = np.exp(np.minimum((np.maximum(size, 1) - 1) / _SLOPE_AT_ONE, 80))
    curve = np.where(size <= 0.04045, low, np.where(size <= 1, middle, high))
    return np.copysign(curve, display).astype(np.float32)
