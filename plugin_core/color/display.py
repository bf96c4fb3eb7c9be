"""How plates are shown to people: plate values as display-referred pictures, by a transform that has a name.

Nothing here feeds back into a render.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .color_map import ColorMap

Picture = NDArray[np.float32]

_SHOULDER = 0.6


def display(rgb: NDArray[np.floating]) -> Picture:
    """A simple view transform: scene-linear Rec.709 of any range to display-referred sRGB, 0..1.

    Linear up to 0.6, then an exponential shoulder towards 1, so that highlights roll off instead of clipping;
    then the sRGB curve. Negative values and NaN show as black, +Inf as white.
    """
    linear = np.clip(np.nan_to_num(rgb.astype(np.float32), nan=0.0, posinf=1e6, neginf=0.0), 0.0, 1e6)
    room = np.float32(1.0 - _SHOULDER)
    rolled = _SHOULDER + room * (1.0 - np.exp(-np.maximum(linear - _SHOULDER, 0.0) / room))
    toned = np.where(linear < _SHOULDER, linear, rolled)
    curve = 1.055 * np.maximum(toned, 0.0031308) ** (1.0 / 2.4) - 0.055
    return np.where(toned <= 0.0031308, 12.92 * toned, curve).astype(np.float32)


@dataclass(frozen=True)
class Display:
    """The transform that one shot is shown with.

    Attributes:
        color: of the plate; its exposure is applied, so that a dark plate can be seen.
    """

    color: ColorMap

    @property
    def name(self) -> str:
        """What is done, in words."""
        if self.color.encoding == "display":
            return "as the file has it"
        stops = f" at {self.color.stops:+d} stops" if self.color.stops else ""
        return f"{self.color.name} to sRGB{stops}, highlights rolled off above {_SHOULDER:g}"

    def shown(self, rgb: NDArray[np.float32]) -> Picture:
        """Bring plate RGB (H, W, 3) of any range to display-referred values 0..1; NaN shows as black."""
        if self.color.encoding == "display":
            return np.clip(np.nan_to_num(rgb, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
        finite = np.nan_to_num(rgb, nan=0.0, posinf=6e4, neginf=0.0)
        return display(self.color.to_linear(finite) * np.float32(2.0**self.color.stops))
