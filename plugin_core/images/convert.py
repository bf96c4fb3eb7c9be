"""Turn a plate into what another file format holds: color and alpha, in a type of that format.

EXR alone has windows that others honor. Elsewhere a picture is what lies in its display window.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError
from .formats import Format, target_type
from .plate import Group, Header, Part, Plate, Storage, Window


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
    if loses_window(header, target):
        pixels = moved(pixels, Window.of_data(part.spec), header.display_window)
        spec.width, spec.height = header.display_window[2:]
        spec.x = spec.y = spec.full_x = spec.full_y = 0
        spec.full_width, spec.full_height = spec.width, spec.height
    return (replace(part, spec=spec, groups=(Group(0, pixels),)),)


def loses_window(header: Header, target: Format) -> bool:
    """Whether a plate (or the canvas of its shot) has a data window that the format can't hold."""
    differs = header.data_window != header.display_window
    return header.format == "openexr" and target.name != "openexr" and differs


def laid_back(laid: Plate, plate: Plate) -> Plate | None:
    """Return a picture that shows a plate's display window on the plate's own data window again.

    What the display window does not show is taken from the plate. None where the picture has another size
    than the display window.
    """
    part, ours = plate.parts[plate.header.part], laid.parts[laid.header.part]
    display, own = plate.header.display_window, Window.of_data(part.spec)
    if (ours.spec.width, ours.spec.height) != display[2:]:
        return None
    whole = np.concatenate([group.pixels for group in ours.groups], axis=2)
    back = moved(whole, display, own)
    beyond = ~moved(np.ones(whole.shape[:2], np.bool_), display, own)
    names = plate.header.channels
    pairs = {here: names.index(name) for here, name in enumerate(laid.header.channels) if name in names}
    pairs |= dict(zip(laid.header.fill_channels, plate.header.fill_channels, strict=False))
    for here, there in pairs.items():
        back[..., here][beyond] = part.channel(there)[beyond].astype(back.dtype)
    spec = ours.spec.copy()
    spec.x, spec.y, spec.width, spec.height = own
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display
    header = replace(
        laid.header, data_window=own, display_window=display, width=own.width, height=own.height, part=0
    )
    return replace(laid, header=header, parts=(Part(spec, (Group(0, back),)),))


def moved(pixels: NDArray[Any], lies: Window, wanted: Window) -> NDArray[Any]:
    """Pixels (H, W, ...) of one window as those of another; 0 where it does not reach."""
    whole = np.zeros((wanted.height, wanted.width, *pixels.shape[2:]), pixels.dtype)
    x0, y0 = max(lies.x, wanted.x), max(lies.y, wanted.y)
    x1 = min(lies.x + lies.width, wanted.x + wanted.width)
    y1 = min(lies.y + lies.height, wanted.y + wanted.height)
    if x0 < x1 and y0 < y1:
        whole[y0 - wanted.y : y1 - wanted.y, x0 - wanted.x : x1 - wanted.x] = pixels[
            y0 - lies.y : y1 - lies.y, x0 - lies.x : x1 - lies.x
        ]
    return whole


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
