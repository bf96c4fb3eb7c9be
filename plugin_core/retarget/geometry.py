"""From a plate's format to the one that is asked for: sizes, scales, and the shape of a pixel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..errors import SettingsError
from ..images import Header

Keep = Literal["squeeze", "crop"]
Axis = Literal["x", "y"]
Pair = tuple[float, float]

_AXES: dict[str, Axis] = {"x": "x", "horizontal": "x", "y": "y", "vertical": "y"}
_LEAST, _MOST = 8, 32768
"""Pixels of a side."""

_NATIVE = 1e-9
"""Scales nearer to 1 than this are 1."""


@dataclass(frozen=True)
class Target:
    """What is asked for; exactly one of the three.

    Attributes:
        aspect: width over height as it is seen on a screen.
        size: pixels across and down.
        squeeze: a ratio above 0, below 1, and the axis that it is for.
    """

    aspect: Fraction | None = None
    size: tuple[int, int] | None = None
    squeeze: tuple[float, Axis] | None = None


def target_of(aspect: str | None, size: str | None, squeeze: str | None) -> Target:
    """Read the target from what was typed: ``9:16`` or ``0.5625``, ``1080x1920``, ``0.5`` or ``0.5,y``.

    Raises:
        SettingsError: none or several are given, or one can't be read.
    """
    if sum(each is not None for each in (aspect, size, squeeze)) != 1:
        raise SettingsError(
            "Say what the shot is to become with one of --aspect 9:16, --size 1080x1920 or --squeeze 0.5."
        )
    if aspect is not None:
        return Target(aspect=_aspect(aspect))
    if size is not None:
        return Target(size=_size(size))
    assert squeeze is not None
    return Target(squeeze=_squeeze(squeeze))


def _aspect(text: str) -> Fraction:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(?:[:/](\d{1,6}(?:\.\d{1,6})?))?", text.strip())
    if match is not None and float(match[1]) and float(match[2] or 1):
        aspect = Fraction(match[1]) / Fraction(match[2] or 1)
        if Fraction(1, 20) <= aspect <= 20:
            return aspect
    raise SettingsError(f"--aspect should be width over height, such as 9:16 or 1.85, got {text!r}.")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})\s*[xX]\s*(\d{1,5})", text.strip())
    if match is None or not all(_LEAST <= int(side) <= _MOST for side in match.groups()):
        raise SettingsError(
            f"--size should be pixels across and down, each {_LEAST} to {_MOST}, such as 1080x1920, "
            f"got {text!r}."
        )
    return int(match[1]), int(match[2])


def _squeeze(text: str) -> tuple[float, Axis]:
    ratio, _, axis = text.partition(",")
    try:
        value = float(ratio)
    except ValueError:
        value = 0.0
    if not 0.05 <= value < 1 or (axis or "x") not in _AXES:
        raise SettingsError(
            f"--squeeze should be a ratio from 0.05 to below 1 and, for height, ',y', such as 0.5 or 0.5,y, "
            f"got {text!r}."
        )
    return value, _AXES[axis or "x"]


@dataclass(frozen=True)
class Geometry:
    """How a picture becomes another.

    Attributes:
        source: the plate's display window, width and height in pixels.
        size: the output's.
        pixel_aspect: width over height of the output's pixels.
        background: output pixels across and down for one of the plate's, of the squeezed background.
        objects: the same of what keeps its shape. On one axis the two are alike.
        keep: ``squeeze``, or ``crop``: the background keeps its shape, too, and a part of it is shown.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    pixel_aspect: float
    background: Pair
    objects: Pair
    keep: Keep

    @property
    def is_native(self) -> bool:
        """Whether objects keep their very pixels."""
        return self.objects == (1.0, 1.0)

    @property
    def ratio(self) -> float:
        """How much narrower the background is than what keeps its shape; 1 for not at all."""
        return min(own / other for own, other in zip(self.background, self.objects, strict=True))

    @property
    def axis(self) -> int:
        """The axis that is squeezed or cropped: 0 across, 1 down."""
        across, down = (own / other for own, other in zip(self.background, self.objects, strict=True))
        return 0 if across <= down else 1

    def words(self) -> str:
        """Say it in a line."""
        (width, height), (new_width, new_height) = self.source, self.size
        told = f"{width}x{height} becomes {new_width}x{new_height}"
        side = ("width", "height")[self.axis]
        if self.ratio > 1 - _NATIVE:
            what = "nothing is squeezed"
        elif self.keep == "crop":
            what = f"{self.ratio * 100:.0f} % of the {side} is shown, where the objects are"
        else:
            what = f"the background is squeezed to {self.ratio * 100:.0f} % of its {side}"
        if not self.is_native:
            what += f", objects are scaled by {max(self.objects):.3f}"
        return f"{told}: {what}"


def geometry_of(header: Header, target: Target, keep: Keep, pixel_aspect: float | None = None) -> Geometry:
    """Work out sizes and scales.

    An aspect takes away from one side of the plate, and leaves the other as it is; the side is rounded to
    an even number of pixels. A size is that aspect, scaled as a whole.

    Args:
        header: of the plate; its display window counts.
        target: what is asked for.
        keep: squeeze the background, or show a part of the picture.
        pixel_aspect: of the output; None for the plate's.

    Raises:
        SettingsError: a side would be too small or too large, or a pixel aspect is no such thing.
    """
    width, height = header.display_window[2:]
    ours = header.pixel_aspect or 1.0
    theirs = ours if pixel_aspect is None else pixel_aspect
    if not 0.1 <= theirs <= 10:
        raise SettingsError(f"--pixel-aspect should be from 0.1 to 10, got {theirs:g}.")
    size = _new_size(width, height, ours, theirs, target)
    if not all(_LEAST <= side <= _MOST for side in size):
        raise SettingsError(
            f"The plate's {width}x{height} would become {size[0]}x{size[1]} pixels; a side may have "
            f"{_LEAST} to {_MOST}."
        )
    background = size[0] / width, size[1] / height
    whole = max(background[0] * theirs / ours, background[1])
    objects = whole * ours / theirs, whole
    near = all(abs(scale - 1) < _NATIVE for scale in objects)
    return Geometry((width, height), size, theirs, background, (1.0, 1.0) if near else objects, keep)


def _new_size(width: int, height: int, ours: float, theirs: float, target: Target) -> tuple[int, int]:
    if target.size is not None:
        return target.size
    across = width * ours / theirs
    if target.squeeze is not None:
        ratio, axis = target.squeeze
        if axis == "x":
            return round(across * ratio), height
        return round(across), round(height * ratio)
    assert target.aspect is not None
    wanted = float(target.aspect) / theirs
    if height * wanted <= across:
        return _even(height * wanted), height
    return round(across), _even(across / wanted)


def _even(side: float) -> int:
    return 2 * round(side / 2)
