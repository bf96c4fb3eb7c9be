"""Plate values to the network's range and back.

The network was trained on display-referred pictures in -1..1. A plate in any other space is first brought to
scene-linear Rec.709, then to a normal exposure by whole stops (the same for every frame of a shot), and from
there by a curve that has an inverse over every finite value, so nothing clips: the sRGB curve (IEC 61966-2-1)
up to 1, a logarithm that continues it with the same slope above 1, and both mirrored below 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..images import Header
from .auto import guess
from .cineon import Cineon
from .ocio import conversion_for, is_known

Encoding = Literal["linear", "display"]

_SLOPE_AT_ONE = 1.055 / 2.4
"""Slope of the sRGB curve at 1: the logarithm above takes over with the same one."""


class ToLinear(Protocol):
    """From a plate's space to scene-linear Rec.709 and back; hashable."""

    @property
    def space(self) -> str:
        """The plate's space."""
        ...

    @property
    def config(self) -> str:
        """Where the space is defined."""
        ...

    @property
    def key(self) -> str:
        """What is computed; equal keys give equal values."""
        ...

    def to_linear(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring (..., 3) to scene-linear Rec.709."""
        ...

    def from_linear(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inverse of `to_linear`."""
        ...


@dataclass(frozen=True)
class ColorMap:
    """The mapping of one shot; the same for every frame of it, so that it can't flicker.

    Attributes:
        encoding: `linear` for plates that go through the curve, `display` for display-referred ones.
        conversion: from the plate's space to scene-linear Rec.709; None where it is that already.
        stops: the network sees a scene-referred plate this much brighter; whole stops, so that scaling by
            them rounds nothing.
    """

    encoding: Encoding
    conversion: ToLinear | None = None
    stops: int = 0

    @property
    def name(self) -> str:
        """What the plate's values were taken for."""
        if self.conversion is not None:
            return f"{self.conversion.space} ({self.conversion.config})"
        return "display-referred" if self.encoding == "display" else "scene-linear Rec.709"

    @property
    def tag(self) -> str:
        """A color space's name that `--colorspace auto` takes for this mapping in a file's attributes."""
        if self.conversion is not None:
            return self.conversion.space
        return "srgb_rec709_display" if self.encoding == "display" else "lin_rec709_scene"

    @property
    def key(self) -> str:
        """What a saved state depends on: the name, the exact conversion and the exposure."""
        computed = "" if self.conversion is None else f" [{self.conversion.key}]"
        return f"{self.name}{computed}{f' {self.stops:+d} stops' if self.stops else ''}"

    def exposed(self, stops: int) -> ColorMap:
        """The same mapping for a plate that the network should see so many stops brighter."""
        return replace(self, stops=stops if self.encoding == "linear" else 0)

    def to_linear(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Plate RGB (..., 3) to scene-linear Rec.709, before any change of exposure."""
        return rgb if self.conversion is None else self.conversion.to_linear(rgb)

    def to_light(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Plate RGB (..., 3) to linear light, for filters: a display-referred plate's by the sRGB curve."""
        return _decode(rgb) if self.encoding == "display" else self.to_linear(rgb)

    def from_light(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inverse of `to_light`."""
        if self.encoding == "display":
            return _encode(light)
        return light if self.conversion is None else self.conversion.from_linear(light)

    def to_network(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Plate RGB (H, W, 3), finite, to the network's -1..1 (beyond it where the plate is beyond 0..1)."""
        if self.encoding == "display":
            return np.asarray(2 * rgb - 1, np.float32)
        return np.asarray(2 * _encode(self.to_linear(rgb) * np.float32(2.0**self.stops)) - 1, np.float32)

    def from_network(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the inverse of `to_network`."""
        display = np.asarray((picture + 1) / 2, np.float32)
        if self.encoding == "display":
            return display
        rgb = _decode(display) * np.float32(2.0**-self.stops)
        return rgb if self.conversion is None else self.conversion.from_linear(rgb)


@dataclass(frozen=True)
class ColorChoice:
    """The mapping of a shot, and a sentence for the user where it was concluded from the file."""

    color: ColorMap
    notes: tuple[str, ...] = ()


def choose_color(asked: str, header: Header, config: str | None = None) -> ColorChoice:
    """Choose a shot's mapping.

    Args:
        asked: `linear` (scene-linear Rec.709), `display`, `cineon`, an OpenColorIO name, or `auto`, which
            goes by what the plate's file says (see `color_auto`).
        header: of the plate.
        config: path of an OpenColorIO configuration; None takes `$OCIO` or the built-in one.

    Raises:
        SettingsError: the name is not in the configuration, or the configuration can't be read.
        ImageError: the plate's tags make no sense.
    """
    if asked != "auto":
        return ColorChoice(_color(asked, config))
    found = guess(header.color, header.format, header.is_float, config)
    if found.primaries is not None:
        color = ColorMap("linear", found.primaries)
    else:
        color = _color(found.asked, found.config or config)
    return ColorChoice(color, (f"The plate is taken for {color.name}: {found.why} (--colorspace).",))


def _color(asked: str, config: str | None) -> ColorMap:
    lowered = asked.lower()
    if lowered == "display":
        return ColorMap("display")
    if lowered == "linear":
        return ColorMap("linear")
    if lowered == "cineon" and not is_known(asked, config):
        return ColorMap("linear", Cineon())
    return ColorMap("linear", conversion_for(asked, config))


def _encode(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.abs(linear)
    tiny = np.float32(np.finfo(np.float32).tiny)
    curve = np.asarray(1.055 * np.maximum(size, tiny) ** np.float32(1 / 2.4) - 0.055)
    low, high = size <= 0.0031308, ~(size <= 1)  # what is no number is high, and stays none
    np.multiply(12.92, size, out=curve, where=low)
    if high.any():
        curve[high] = 1 + _SLOPE_AT_ONE * np.log(size[high])
    return np.copysign(curve, linear).astype(np.float32, copy=False)


def light_of(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a picture in the network's range as linear light: 1 is its white, negative values stay so."""
    return _decode(np.asarray((picture + 1) / 2, np.float32))


def picture_of(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inverse of `light_of`."""
    return np.asarray(2 * _encode(light) - 1, np.float32)


def _decode(display: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.abs(display)
    curve = np.asarray(((size + 0.055) / 1.055) ** np.float32(2.4))
    low, high = size <= 0.04045, ~(size <= 1)  # what is no number is high, and stays none
    np.divide(size, 12.92, out=curve, where=low)
    if high.any():
        # Beyond float range the exponential would be infinite; half-float plates end far below it anyway.
        curve[high] = np.exp(np.minimum((size[high] - 1) / _SLOPE_AT_ONE, 80))
    return np.copysign(curve, display).astype(np.float32, copy=False)
