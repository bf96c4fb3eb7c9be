"""Layers that are added to a picture: channels beside its color, as OpenEXR holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from .convert import moved
from .plate import Header, Part, Plate, Window
from .read import header_of
from .storage import grouped

_TYPES = {"float16": "half", "float32": "float", "uint8": "uint8"}
_SHORTENS = "pxr24"
"""The compression that cuts 32-bit floats off."""

_KEPT = ("smpte:TimeCode", "FramesPerSecond", "chromaticities", "colorspace", "oiio:ColorSpace")
"""What a picture beside the output says as its plate does."""


@dataclass(frozen=True)
class Layers:
    """Channels over a part of a picture; 0 elsewhere.

    Attributes:
        window: where they lie, in pixel coordinates as files state them.
        planes: (h, w) float16 or float32 each, by the channel's whole name: ``patch.R``; uint8 only where a
            picture consists of them alone.
    """

    window: Window
    planes: Mapping[str, NDArray[Any]]


def with_layers(part: Part, layers: Layers) -> Part:
    """Return a part with more channels; those that it has of the same names are replaced.

    Args:
        part: of a format that holds any channels (OpenEXR).
        layers: what lies beyond the part's data window is left out.
    """
    spec = part.spec.copy()
    names = list(spec.channelnames)
    kept = [number for number, name in enumerate(names) if name not in layers.planes]
    planes = [part.channel(number) for number in kept]
    types = [spec.channelformat(number) for number in kept]
    own = Window.of_data(spec)
    for values in layers.planes.values():
        planes.append(moved(values, layers.window, own))
        types.append(oiio.TypeDesc(_TYPES[str(values.dtype)]))
    places = {number: place for place, number in enumerate(kept)}
    spec.alpha_channel, spec.z_channel = (places.get(of, -1) for of in (spec.alpha_channel, spec.z_channel))
    spec.nchannels = len(planes)
    spec.channelnames = (*(names[number] for number in kept), *layers.planes)
    spec.channelformats = tuple(types)
    if spec.get_string_attribute("compression").lower() == _SHORTENS:
        spec.attribute("compression", "zip")
    return Part(spec, grouped(planes))


def picture_of(path: Path, layers: Layers, plate: Plate) -> Plate:
    """Return a picture that consists of layers alone, R, G, B and A among them.

    Args:
        path: what it will be called.
        layers: their window is its data window.
        plate: whose display window, pixel aspect, time code and color it says.
    """
    header, ours = plate.header, plate.parts[plate.header.part].spec
    names = tuple(layers.planes)
    kinds = tuple(oiio.TypeDesc(_TYPES[str(values.dtype)]) for values in layers.planes.values())
    spec = oiio.ImageSpec(layers.window.width, layers.window.height, len(names), kinds[0])
    spec.channelnames, spec.channelformats = names, kinds
    spec.alpha_channel = names.index("A") if "A" in names else -1
    spec.x, spec.y = layers.window[:2]
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = header.display_window
    spec.attribute("compression", "zip")
    spec.attribute("PixelAspectRatio", header.pixel_aspect)
    for name in _KEPT:
        said = ours.getattribute(name)
        if said is not None and header.format == "openexr":
            spec.attribute(name, next(one.type for one in ours.extra_attribs if one.name == name), said)
    part = Part(spec, grouped(list(layers.planes.values())))
    return Plate(header_of(path, "openexr", [spec]), (part,))


def patch_type(header: Header) -> type[np.floating[Any]]:
    """Return the floating-point type in which a plate's fill alone is stored: halves where the plate has
    them.
    """
    halves = {header.types[channel] for channel in header.fill_channels} == {"half"}
    return np.float16 if halves else np.float32
