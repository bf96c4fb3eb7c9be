"""Pixel formats of raw video: where the samples of a frame lie. Names are FFmpeg's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clips.movie_color import BT601, BT709, FULL, HD_LINES, LIMITED
from ..errors import SettingsError

LARGEST = 16384
"""Most pixels of a side."""


@dataclass(frozen=True)
class PixelFormat:
    """How a frame's samples lie one after the other.

    Attributes:
        name: FFmpeg's.
        planes: of each by how many bits width and height are less than the frame's, and the channels.
        bits: of a sample; above 8 two bytes each, little-endian.
        order: of the channels, where red, green and blue lie together: 0 is red, 3 alpha; empty for others.
        alpha: the last plane, or the last channel, is alpha.
    """

    name: str
    planes: tuple[tuple[int, int, int], ...]
    bits: int = 8
    order: tuple[int, ...] = ()
    alpha: bool = False

    @property
    def deep(self) -> bool:
        """Whether a sample takes two bytes."""
        return self.bits > 8

    @property
    def opaque(self) -> PixelFormat:
        """The same without alpha."""
        if not self.alpha:
            return self
        return FORMATS[_OPAQUE.get(self.name) or self.name.replace("yuva", "yuv")]


def _planar(name: str, across: int, down: int, bits: int = 8) -> PixelFormat:
    alpha = name.startswith("yuva")
    planes = ((0, 0, 1), (across, down, 1), (across, down, 1), *([(0, 0, 1)] if alpha else []))
    return PixelFormat(name, planes, bits, alpha=alpha)


def _packed(name: str, order: tuple[int, ...], bits: int = 8) -> PixelFormat:
    return PixelFormat(name, ((0, 0, len(order)),), bits, order, len(order) == 4)


_SUBSAMPLED = {"yuv420p": (1, 1), "yuv422p": (1, 0), "yuv444p": (0, 0), "yuv411p": (2, 0)}
_SUBSAMPLED |= {name.replace("yuv", "yuva"): _SUBSAMPLED[name] for name in ("yuv420p", "yuv422p", "yuv444p")}
_DEPTHS = (10, 12, 16)
_LISTED = (
    _packed("rgb24", (0, 1, 2)),
    _packed("bgr24", (2, 1, 0)),
    _packed("rgba", (0, 1, 2, 3)),
    _packed("bgra", (2, 1, 0, 3)),
    _packed("rgb48le", (0, 1, 2), 16),
    _packed("rgba64le", (0, 1, 2, 3), 16),
    *(
        _planar(f"{name}{'' if bits == 8 else f'{bits}le'}", *shifts, bits)
        for name, shifts in _SUBSAMPLED.items()
        for bits in (8, *_DEPTHS)
        if bits == 8 or "411" not in name
        if (name, bits) != ("yuva420p", 12)
    ),
    PixelFormat("gray", ((0, 0, 1),)),
    *(PixelFormat(f"gray{bits}le", ((0, 0, 1),), bits) for bits in _DEPTHS),
)
FORMATS = {one.name: one for one in _LISTED}
_OPAQUE = {"rgba": "rgb24", "bgra": "bgr24", "rgba64le": "rgb48le"}
_OTHER_NAMES = {"rgb": "rgb24", "bgr": "bgr24", "gray8": "gray"}


def format_named(name: str) -> PixelFormat:
    """Return the format of this name. Raises SettingsError for one that is not read here."""
    found = FORMATS.get(_OTHER_NAMES.get(name, name))
    if found is None:
        raise SettingsError(
            f"The pixel format {name} is not read here; have the sender give one of {', '.join(FORMATS)}."
        )
    return found


@dataclass(frozen=True)
class Layout:
    """A frame's size, format and meaning.

    Attributes:
        full: samples use their whole range; else the limited one of video.
        stated_matrix: from YUV to RGB, as swscale counts them; 0 where the video does not say.
    """

    width: int
    height: int
    pixels: PixelFormat
    full: bool = False
    stated_matrix: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.width <= LARGEST and 0 < self.height <= LARGEST):
            raise SettingsError(
                f"The size of the video is {self.width}x{self.height}; expected 1 to {LARGEST} pixels a side."
            )

    @property
    def matrix(self) -> int:
        """As stated; else BT.709 from 720 lines up and BT.601 below, as players do."""
        return self.stated_matrix or (BT709 if self.height >= HD_LINES else BT601)

    @property
    def range(self) -> int:
        """As swscale counts them."""
        return FULL if self.full or self.pixels.order else LIMITED

    @cached_property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Height, width and channels of each plane."""
        return tuple(
            (-(-self.height >> down), -(-self.width >> across), channels)
            for across, down, channels in self.pixels.planes
        )

    @cached_property
    def size(self) -> int:
        """Bytes of a frame."""
        return sum(height * width * channels for height, width, channels in self.shapes) * self._sample

    @property
    def opaque(self) -> Layout:
        """The same without alpha."""
        return Layout(self.width, self.height, self.pixels.opaque, self.full, self.stated_matrix)

    @property
    def _sample(self) -> int:
        return 2 if self.pixels.deep else 1

    def views(self, data: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Return the planes of a frame's bytes: (H, W) or (H, W, channels), uint8 or little-endian uint16."""
        views, start = [], 0
        for height, width, channels in self.shapes:
            end = start + height * width * channels * self._sample
            plane = data[start:end].view("<u2" if self.pixels.deep else np.uint8)
            views.append(plane.reshape((height, width) if channels == 1 else (height, width, channels)))
            start = end
        return views

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.pixels.name}"
