"""Turn a plate into what another file format holds: color and alpha, in a type of that format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError
from .formats import Format, target_type
from .plate import Group, Header, Part, Plate, Storage


def converted(plate: Plate, target: Format, extension: str) -> tuple[Part, ...]:
    """Color and alpha of the filled part, in a type that another format holds."""
    header = plate.header
    part = plate.parts[header.part]
    channels = list(header.fill_channels)
    alpha = part.spec.alpha_channel
    if alpha >= 0 and alpha not in channels and target.alpha:
        channels.append(alpha)
    kind = type_in(header, target, extension, plate.storage)
    pixels = np.stack([_cast(part.channel(c), kind) for c in channels], axis=2)
    spec = part.spec.copy()
    spec.set_format(oiio.TypeDesc(kind))
    spec.channelformats = ()
    spec.nchannels = len(channels)
    spec.channelnames = tuple(("Y", "A") if header.is_gray else ("R", "G", "B", "A"))[: len(channels)]
    spec.alpha_channel = len(header.fill_channels) if len(channels) > len(header.fill_channels) else -1
    spec.erase_attribute("compression")
    if plate.storage.bit_depth is None:
        spec.erase_attribute("oiio:BitsPerSample")
    spec.tile_width = spec.tile_height = 0
    return (replace(part, spec=spec, groups=(Group(0, pixels),)),)


def type_in(header: Header, target: Format, extension: str, storage: Storage) -> str:
    """The pixel type of color and alpha in another format; see `formats.target_type` for errors.

    Half-float TIFF is written only where it is asked for, since few programs read it.
    """
    kind = target_type(header.types[header.fill_channels[0]], target, extension)
    return "float" if kind == "half" and target.name == "tiff" and storage.bit_depth is None else kind


def _cast(channel: NDArray[Any], kind: str) -> NDArray[Any]:
    if channel.dtype == np.uint8 and kind == "uint16":
        return channel.astype(np.uint16) * np.uint16(257)
    if channel.dtype == np.uint16 and kind == "uint8":
        return ((channel.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if channel.dtype.kind == "f":
        return channel.astype({"half": np.float16, "float": np.float32}.get(kind, np.float64))
    if str(channel.dtype) not in (kind, kind + "32"):
        raise ImageError(
            f"A channel of {channel.dtype} can't be written as {kind}; write the plate's own format."
        )
    return channel
