"""What a file says about its color, gathered in one place before anybody concludes anything from it."""

from __future__ import annotations

from dataclasses import dataclass

import OpenImageIO as oiio

COLOR_NAMES = ("colorspace", "ColorSpace", "oiio:ColorSpace", "colorInteropID")
"""Attributes that hold a color space's name; what a person wrote comes before what a library concluded."""


@dataclass(frozen=True)
class ColorTags:
    """A picture's statements about its color; empty ones were not made.

    Attributes:
        name: a color space's name, and ``said_by`` the attribute that has it.
        chromaticities: x, y of red, green, blue, white (EXR).
        aces: ``acesImageContainerFlag`` is set (SMPTE ST 2065-4).
        transfer: the transfer characteristic in a DPX header, in words.
        cicp: primaries, transfer, matrix, range by ITU-T H.273 (PNG, JPEG XL, movies).
    """

    name: str = ""
    said_by: str = ""
    chromaticities: tuple[float, ...] = ()
    aces: bool = False
    transfer: str = ""
    cicp: tuple[int, ...] = ()


def color_tags_of(spec: oiio.ImageSpec, ignored: str = "") -> ColorTags:
    """Gather the tags of one part. ``ignored`` is a name that means nothing is said."""
    said_by = next((key for key in COLOR_NAMES if spec.get_string_attribute(key) not in ("", ignored)), "")
    return ColorTags(
        name=str(spec.get_string_attribute(said_by)) if said_by else "",
        said_by=said_by,
        chromaticities=_numbers(spec, "chromaticities", 8),
        aces=spec.get_int_attribute("acesImageContainerFlag", 0) == 1,
        transfer=str(spec.get_string_attribute("dpx:Transfer")),
        cicp=tuple(int(value) for value in _numbers(spec, "CICP", 4)),
    )


def _numbers(spec: oiio.ImageSpec, name: str, count: int) -> tuple[float, ...]:
    value = spec.getattribute(name)
    if not isinstance(value, tuple) or len(value) != count:
        return ()
    return tuple(float(number) for number in value)
