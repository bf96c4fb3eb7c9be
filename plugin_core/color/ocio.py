"""Color spaces by their OpenColorIO names.

The configuration is the one that was named, else `$OCIO`, else the studio configuration built into
OpenColorIO, which knows the ACES spaces and the cameras' logarithmic curves. Names are those of the
configuration: color spaces, aliases and roles, upper or lower case.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..errors import SettingsError

Floats = NDArray[np.float32]

BUILT_IN = "ocio://studio-config-latest"
"""OpenColorIO's own studio configuration, of whatever version is installed."""

_WORKING = ("lin_rec709_scene", "lin_rec709", "lin_srgb", "Utility - Linear - sRGB", "scene_linear")
"""Names of scene-linear Rec.709 in the configurations in use; the last resort is any scene-linear space."""


@dataclass(frozen=True)
class Conversion:
    """From a plate's color space to scene-linear Rec.709 and back.

    Attributes:
        space: the plate's space, as the configuration calls it.
        working: the scene-linear space, as the configuration calls it.
        source: where the configuration comes from: a path, or an ``ocio://`` name.
        config: the configuration's name, for messages.
    """

    space: str
    working: str
    source: str
    config: str

    @property
    def key(self) -> str:
        """What the conversion computes, tables in files included: another one has another key."""
        there, back = (_processor(self.source, *pair) for pair in self._pairs())
        return f"{there.getCacheID()} {back.getCacheID()}"

    def to_linear(self, rgb: Floats) -> Floats:
        """Bring (..., 3) of the plate's space to scene-linear values."""
        return _convert(rgb, self.source, *self._pairs()[0])

    def from_linear(self, rgb: Floats) -> Floats:
        """Return the inverse of `to_linear`."""
        return _convert(rgb, self.source, *self._pairs()[1])

    def _pairs(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.space, self.working), (self.working, self.space)


def conversion_for(name: str, config: str | None = None) -> Conversion:
    """Look a color space up.

    Args:
        name: a color space, alias or role.
        config: path of a configuration; None takes `$OCIO`, or the built-in one where that is not set.

    Raises:
        SettingsError: the configuration does not know the name (near ones are named), can't be read, or says
            that the space holds no color (a data space such as Raw).
    """
    source = source_of(config)
    opened = _open(source)
    title = opened.getName() or source
    known = _known(source)
    space = known.get(name.lower())
    if space is None:
        close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        near = dict.fromkeys(known[match] for match in close) or opened.getColorSpaceNames()
        raise SettingsError(
            f"Color space {name!r} is not in the OpenColorIO configuration {title}; did you "
            f"mean one of: {', '.join(near)}? (auto, linear, display and cineon need no configuration.)"
        )
    if opened.getColorSpace(space).isData():
        raise SettingsError(f"{space} of {title} is for data, not for color; name the plate's color space.")
    working = next((known[candidate.lower()] for candidate in _WORKING if candidate.lower() in known), None)
    if working is None:
        raise SettingsError(
            f"The OpenColorIO configuration {title} has no scene-linear space (role scene_linear)."
        )
    conversion = Conversion(space, working, source, title)
    _ = conversion.key  # both directions are there, or it is said now
    return conversion


def is_known(name: str, config: str | None = None) -> bool:
    """Whether the configuration has a color space, alias or role of this name. Raises SettingsError."""
    return name.lower() in _known(source_of(config))


def title_of(config: str | None) -> str:
    """The configuration's name, and where it is from. Raises SettingsError when it can't be read."""
    source = source_of(config)
    name = _open(source).getName()
    return f"{name} ({source})" if name else source


def source_of(config: str | None) -> str:
    """Where the configuration comes from: the path given, `$OCIO`, or the built-in one's name."""
    return config or os.environ.get("OCIO") or BUILT_IN


@lru_cache(maxsize=8)
def _open(source: str) -> Any:
    try:
        if source.startswith("ocio://"):
            return ocio.Config.CreateFromFile(source)
        if not Path(source).is_file():
            raise SettingsError(f"OpenColorIO configuration {source} is not there (--ocio-config, $OCIO).")
        return ocio.Config.CreateFromFile(source)
    except ocio.Exception as error:
        raise SettingsError(f"OpenColorIO configuration {source} can't be read: {_line(error)}") from error


@lru_cache(maxsize=8)
def _known(source: str) -> dict[str, str]:
    """Every name that may be used, in lower case, and the color space it stands for."""
    config = _open(source)
    known = {}
    for space in config.getColorSpaces():
        known[space.getName().lower()] = space.getName()
        known |= {alias.lower(): space.getName() for alias in space.getAliases()}
    for role, space in config.getRoles():
        known.setdefault(role.lower(), space)
    return known


@lru_cache(maxsize=32)
def _processor(source: str, one: str, other: str) -> Any:
    """Compute without the approximations that OpenColorIO takes by default: what goes in must come back."""
    try:
        found = _open(source).getProcessor(one, other)
        return found.getOptimizedCPUProcessor(ocio.OPTIMIZATION_LOSSLESS)
    except ocio.Exception as error:
        raise SettingsError(f"Can't convert {one} to {other}: {_line(error)}") from error


def _convert(rgb: Floats, source: str, one: str, other: str) -> Floats:
    converted = np.array(rgb, np.float32, order="C")
    if converted.size:
        _processor(source, one, other).applyRGB(converted)
    return converted


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or "no reason given"
