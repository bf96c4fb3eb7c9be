"""Color spaces by their OpenColorIO names, through OpenImageIO.

The configuration is `$OCIO`, or the one built into OpenColorIO where that is not set. Names are those of the
configuration: color spaces, aliases and roles.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from .errors import SettingsError

Floats = NDArray[np.float32]

_WORKING = ("lin_rec709_scene", "lin_rec709", "lin_srgb", "Utility - Linear - sRGB", "scene_linear")
"""Names of scene-linear Rec.709 in the configurations in use; the last resort is any scene-linear space."""


@dataclass(frozen=True)
class Conversion:
    """From a plate's color space to scene-linear Rec.709 and back.

    Attributes:
        space: the plate's space, as the configuration calls it.
        working: the scene-linear space, as the configuration calls it.
        config: the configuration's name or path.
    """

    space: str
    working: str
    config: str

    def to_linear(self, rgb: Floats) -> Floats:
        """Bring (H, W, 3) of the plate's space to scene-linear values."""
        return self._convert(rgb, self.space, self.working)

    def from_linear(self, rgb: Floats) -> Floats:
        """Return the inverse of `to_linear`."""
        return self._convert(rgb, self.working, self.space)

    @staticmethod
    def _convert(rgb: Floats, source: str, target: str) -> Floats:
        picture = oiio.ImageBuf(np.ascontiguousarray(rgb, np.float32))
        converted = oiio.ImageBufAlgo.colorconvert(picture, source, target, unpremult=False)
        if converted.has_error:
            raise SettingsError(f"Can't convert {source} to {target}: {converted.geterror()}.")
        return np.asarray(converted.get_pixels(oiio.FLOAT), np.float32).reshape(rgb.shape)


def conversion_for(name: str) -> Conversion:
    """Look a color space up.

    Raises:
        SettingsError: the configuration does not know the name (near ones are named), or can't be read.
    """
    config = _config()
    known = _known(config)
    space = known.get(name.lower())
    if space is None:
        close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        near = dict.fromkeys(known[match] for match in close) or config.getColorSpaceNames()
        raise SettingsError(
            f"Color space {name!r} is not in the OpenColorIO configuration {config.configname()}; did you "
            f"mean one of: {', '.join(near)}? (auto, linear and display need no configuration.)"
        )
    working = next((known[candidate.lower()] for candidate in _WORKING if candidate.lower() in known), None)
    if working is None:
        raise SettingsError(
            f"The OpenColorIO configuration {config.configname()} has no scene-linear space: it needs the "
            "role scene_linear."
        )
    return Conversion(space, working, str(config.configname()))


@lru_cache(maxsize=1)
def _config() -> Any:
    config = oiio.ColorConfig()
    error = config.geterror()
    if error:
        raise SettingsError(f"The OpenColorIO configuration can't be read: {error}")
    return config


def _known(config: Any) -> dict[str, str]:
    """Every name that may be used, in lower case, and the color space it stands for."""
    known = {}
    for space in config.getColorSpaceNames():
        known[space.lower()] = space
        known |= {alias.lower(): space for alias in config.getAliases(space)}
    for role in config.getRoles():
        known.setdefault(role.lower(), config.getColorSpaceNameByRole(role))
    return known
