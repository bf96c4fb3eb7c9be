"""Scene-linear values of any primaries, by the chromaticities that a file states.

Matrices after SMPTE RP 177 (normalized primaries) with a Bradford adaptation of the white point, as
OpenColorIO and the ACES transforms have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError

Floats = NDArray[np.float32]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""CIE 1931 x, y of red, green, blue and white, as the EXR attribute of this name."""

REC709: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
NAMED: dict[str, Chromaticities] = {
    "Linear Rec.709 (sRGB)": REC709,
    "ACEScg": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767),
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "Linear Rec.2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    "Linear P3-D65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
    "Linear AdobeRGB": (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290),
    "Linear ARRI Wide Gamut 3": (0.684, 0.313, 0.221, 0.848, 0.0861, -0.102, 0.3127, 0.3290),
    "Linear ARRI Wide Gamut 4": (0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308, 0.3127, 0.3290),
    "Linear S-Gamut3": (0.730, 0.280, 0.140, 0.855, 0.100, -0.050, 0.3127, 0.3290),
    "Linear S-Gamut3.Cine": (0.766, 0.275, 0.225, 0.800, 0.089, -0.087, 0.3127, 0.3290),
    "Linear REDWideGamutRGB": (
        0.780308,
        0.304253,
        0.121595,
        1.493994,
        0.095612,
        -0.084589,
        0.3127,
        0.3290,
    ),
    "Linear V-Gamut": (0.730, 0.280, 0.165, 0.840, 0.100, -0.030, 0.3127, 0.3290),
    "Linear DaVinci WideGamut": (0.8000, 0.3130, 0.1682, 0.9877, 0.0790, -0.1155, 0.3127, 0.3290),
}
"""Scene-linear spaces by the name OpenColorIO gives them."""

_NEAR = 2e-3
"""Files round to three or four digits, and D65 is written 0.3127 as well as 0.31271."""

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Primaries:
    """From scene-linear values of some primaries to scene-linear Rec.709 and back.

    Attributes:
        space: how it is called in messages.
        chromaticities: the primaries and white.
        config: who says so, for messages.
    """

    space: str
    chromaticities: Chromaticities
    config: str = "by the file's chromaticities"

    @property
    def key(self) -> str:
        """What is computed."""
        return ",".join(f"{value:.6g}" for value in self.chromaticities)

    def to_linear(self, rgb: Floats) -> Floats:
        """Bring (..., 3) to scene-linear Rec.709."""
        return _applied(rgb, _matrix(self.chromaticities))

    def from_linear(self, rgb: Floats) -> Floats:
        """Return the inverse of `to_linear`."""
        return _applied(rgb, np.asarray(np.linalg.inv(_matrix(self.chromaticities)), np.float64))


def primaries_for(chromaticities: Chromaticities) -> Primaries:
    """Name the space if it is a known one. Raises ImageError when these are no primaries at all."""
    for name, known in NAMED.items():
        if max(abs(one - other) for one, other in zip(known, chromaticities, strict=True)) < _NEAR:
            return Primaries(name, known)
    try:
        condition = np.linalg.cond(_matrix(chromaticities))
    except (np.linalg.LinAlgError, ZeroDivisionError):
        condition = np.inf
    if not condition < 1e4:
        listed = ", ".join(f"{value:g}" for value in chromaticities)
        raise ImageError(
            f"The plate's chromaticities ({listed}) span no color space; say which it is (--colorspace)."
        )
    return Primaries("scene-linear of its own primaries", chromaticities)


def _applied(rgb: Floats, matrix: NDArray[np.float64]) -> Floats:
    return np.asarray(np.asarray(rgb, np.float64) @ matrix.T, np.float32)


@lru_cache(maxsize=16)
def _matrix(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """To Rec.709, (3, 3)."""
    matrix = np.linalg.inv(_to_xyz(REC709)) @ _adapted(chromaticities) @ _to_xyz(chromaticities)
    return np.asarray(matrix, np.float64)


def _adapted(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """Bradford adaptation from the white stated to that of Rec.709."""
    there, here = (_BRADFORD @ _xyz(*values[6:]) for values in (chromaticities, REC709))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(here / there) @ _BRADFORD, np.float64)


def _to_xyz(values: Chromaticities) -> NDArray[np.float64]:
    primaries = np.array([_xyz(values[i], values[i + 1]) for i in (0, 2, 4)]).T
    return np.asarray(primaries * np.linalg.solve(primaries, _xyz(*values[6:])), np.float64)


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    # Of luminance 1; a primary of y = 0 has none, and any scale will do.
    return np.array([x, y, 1 - x - y]) / (y if abs(y) > 1e-9 else 1.0)
