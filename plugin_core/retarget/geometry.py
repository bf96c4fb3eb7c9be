"""From a plate's format to the one that is asked for: sizes, scales, and the shape of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SettingsError
from ..images import Header
from ..job.retarget_settings import LEAST_SIDE, MOST_SIDE, Keep, Target

Pair = tuple[float, float]

_NATIVE = 1e-9
"""Scales nearer to 1 than this are 1."""


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
        SettingsError: a side would be too small or too large.
    """
    width, height = header.display_window[2:]
    ours = header.pixel_aspect or 1.0
    theirs = ours if pixel_aspect is None else pixel_aspect
    size = _new_size(width, height, ours, theirs, target)
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in size):
        raise SettingsError(
            f"The plate's {width}x{height} would become {size[0]}x{size[1]} pixels; a side may have "
            f"{LEAST_SIDE} to {MOST_SIDE}."
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
