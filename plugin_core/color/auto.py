"""`--colorspace auto`: what a plate's own tags say of its color, and in words why it is taken for that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import SettingsError
from ..images.color_tags import ColorTags
from .ocio import BUILT_IN, is_known, source_of
from .primaries import NAMED, Primaries, primaries_for

LINEAR, DISPLAY, CINEON = "linear", "display", "cineon"

_LINEAR_NAMES = {"linear", "lin_srgb", "lin_rec709", "lin_rec709_scene", "linear rec.709 (srgb)"}
_LINEAR_IDS = {
    "lin_ap1_scene": "ACEScg",
    "lin_ap0_scene": "ACES2065-1",
    "lin_rec2020_scene": "Linear Rec.2020",
    "lin_p3d65_scene": "Linear P3-D65",
    "lin_adobergb_scene": "Linear AdobeRGB",
}
"""Interop names that OpenImageIO gives, which a studio's own configuration need not know."""

_DISPLAY_PREFIXES = ("srgb", "rec709", "rec.709", "gamma")
_GAMMA = re.compile(r"g(\d+)_rec709")
_MADE_UP = "oiio:ColorSpace"
"""No attribute of most files, but OpenImageIO's name for what they say (a PNG's gAMA, a TIFF's YCbCr)."""
_LOG_NAMES = {"kodaklog", "klog", "cineon"}

_TRANSFER_LINEAR, _TRANSFER_PQ, _TRANSFER_HLG = 8, 16, 18
_UNSTATED = {0, 2, 3}


@dataclass(frozen=True)
class Guess:
    """What a plate is taken for.

    Attributes:
        asked: as if it had been asked for: `linear`, `display`, `cineon` or a color space's name.
        why: half a sentence, "its chromaticities are those of ACEScg".
        primaries: the conversion, where chromaticities give it.
        config: where ``asked`` is to be looked up: None for the user's configuration.
    """

    asked: str
    why: str
    primaries: Primaries | None = None
    config: str | None = None


def guess(tags: ColorTags, format_name: str, is_float: bool, config: str | None) -> Guess:
    """Conclude a plate's color space from its tags.

    The order: a name, the ACES container flag, chromaticities, H.273 codes, a DPX header's transfer; where
    the file says nothing, floating-point pixels are scene-linear Rec.709 and integers are display-referred.

    Raises:
        SettingsError: the file names a space that no configuration knows.
        ImageError: its chromaticities are no primaries.
    """
    if format_name == "dpx":
        return _dpx(tags)
    if tags.cicp and tags.cicp[1] not in _UNSTATED:
        return _cicp(tags)
    if tags.name:
        return _named(tags, format_name, is_float, config)
    if tags.aces:
        return Guess("ACES2065-1", "it is an ACES container", _primaries("ACES2065-1"))
    if tags.chromaticities and is_float:
        found = primaries_for(tags.chromaticities)  # type: ignore[arg-type]
        return _by_primaries(found)
    kind = "floating point" if is_float else "integers"
    return Guess(LINEAR if is_float else DISPLAY, f"its pixels are {kind} and the file says nothing of color")


def _primaries(name: str) -> Primaries:
    return Primaries(name, NAMED[name])


def _by_primaries(found: Primaries) -> Guess:
    if found.space not in NAMED:
        return Guess(found.space, "its chromaticities are those of no known space", found)
    why = f"its chromaticities are those of {found.space}"
    if found.space == "Linear Rec.709 (sRGB)":
        return Guess(LINEAR, why)
    return Guess(found.space, why, found)


def _named(tags: ColorTags, format_name: str, is_float: bool, config: str | None) -> Guess:
    name, why = tags.name, f"its attribute {tags.said_by} says {tags.name!r}"
    if tags.said_by == _MADE_UP:
        why = f"it is tagged {name!r}"
    lowered = name.lower()
    if lowered in _LINEAR_NAMES:
        return Guess(LINEAR, why)
    if lowered in _LOG_NAMES:
        return Guess(CINEON, why)
    if gamma := _GAMMA.match(lowered):
        return Guess(DISPLAY, f"it has a gamma of {int(gamma[1]) / 10:g}")
    if lowered.startswith(_DISPLAY_PREFIXES):
        return Guess(DISPLAY, why)
    if lowered in _LINEAR_IDS:
        return Guess(_LINEAR_IDS[lowered], why, _primaries(_LINEAR_IDS[lowered]))
    for source in dict.fromkeys((source_of(config), BUILT_IN)):
        if is_known(name, source):
            return Guess(name, why, config=source)
    if tags.said_by == _MADE_UP and format_name != "openexr":
        kind = "floating point" if is_float else "integers"
        why = f"it is tagged {name!r}, which names no known space, and its pixels are {kind}"
        return Guess(LINEAR if is_float else DISPLAY, why)
    raise SettingsError(
        f"The plate's attribute {tags.said_by} says it is in {name!r}, which the OpenColorIO configuration "
        f"{source_of(config)} does not know; say what it is with --colorspace."
    )


def _cicp(tags: ColorTags) -> Guess:
    primaries, transfer = tags.cicp[:2]
    why = f"its H.273 codes are primaries {primaries}, transfer {transfer}"
    if transfer == _TRANSFER_LINEAR:
        wide = {9: "Linear Rec.2020", 12: "Linear P3-D65"}.get(primaries)
        return Guess(LINEAR, why) if wide is None else Guess(wide, why, _primaries(wide))
    if transfer in (_TRANSFER_PQ, _TRANSFER_HLG):
        curve = "PQ" if transfer == _TRANSFER_PQ else "HLG"
        return Guess(f"Rec.2100-{curve} - Display", why, config=BUILT_IN)
    return Guess(DISPLAY, why)


def _dpx(tags: ColorTags) -> Guess:
    """Nearly every program writes `Linear` into the header of a DPX that is ready for a display."""
    transfer = tags.transfer or "nothing"
    why = f"its DPX header says {transfer}"
    if transfer in ("Logarithmic", "Printing density"):
        return Guess(CINEON, why)
    if transfer == "Linear":
        return Guess(DISPLAY, f"{why}, which integer DPX say of display-referred pictures too")
    return Guess(DISPLAY, why)
