"""Film scans: the Cineon curve, which no configuration of the ACES family has any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_WHITE, _BLACK, _TOP = 685.0, 95.0, 1023.0
_STEP = 0.002 / 0.6
_OFFSET = 10 ** ((_BLACK - _WHITE) * _STEP)


@dataclass(frozen=True)
class Cineon:
    """Kodak's 10-bit printing density (Cineon, DPX "Logarithmic"), code values 0..1 of 0..1023.

    Density of 0.002 a code, negative gamma 0.6, reference white 685 and black 95 (Kodak, "Conversion of
    10-bit log film data to 8-bit linear or video data", 1995).
    """

    space: str = "Cineon"
    config: str = "built in"
    key: str = "cineon 685 95 0.6"

    def to_linear(self, rgb: Floats) -> Floats:
        """Bring code values (..., 3) to scene-linear; 685 becomes 1, 95 becomes 0."""
        exponent = np.minimum((np.asarray(rgb, np.float64) * _TOP - _WHITE) * _STEP, 30)
        return np.asarray((10**exponent - _OFFSET) / (1 - _OFFSET), np.float32)

    def from_linear(self, rgb: Floats) -> Floats:
        """Return the inverse of `to_linear`; what no code could say becomes the darkest it can."""
        value = np.asarray(rgb, np.float64) * (1 - _OFFSET) + _OFFSET
        return np.asarray((np.log10(np.maximum(value, 1e-12)) / _STEP + _WHITE) / _TOP, np.float32)
