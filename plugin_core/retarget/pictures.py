"""The pictures of a shot as retargeting sees them: over the display window, in linear light."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..clips.clip import Clip
from ..color.color_map import ColorMap
from ..errors import ImageError
from ..images import Header, Plate, Window
from ..images.convert import moved
from ..images.plate import Group, Part, as_float, to_native
from ..regions.shot_mattes import ShotMattes
from .geometry import Geometry

Floats = NDArray[np.float32]


def mattes_shown(mattes: ShotMattes, header: Header, frame: int) -> tuple[Floats, Floats | None]:
    """Return a frame's matte and shadow matte over the plate's display window, (H, W) of 0..1.

    None where the shot has no shadow matte. Raises ImageError.
    """

    def shown(values: Floats) -> Floats:
        return np.asarray(moved(values, header.data_window, header.display_window))

    shadow = mattes.shadow_values(frame)
    return shown(mattes.values(frame)), None if shadow is None else shown(shadow)


def light_of(plate: Plate, color: ColorMap) -> Floats:
    """Return the display window (H, W, 3) in linear light, or (H, W, 4) with alpha."""
    box = _display(plate.header)
    light = color.to_light(plate.crop(*box))
    alpha = plate.alpha_crop(*box)
    return light if alpha is None else np.concatenate([light, alpha[..., np.newaxis]], axis=2)


def clean_of(clip: Clip, frame: int, plate: Header, color: ColorMap) -> Floats:
    """Return a frame of the clean plate as `light_of`. Raises ImageError where it does not fit the plate."""
    clean = clip.plate(frame)
    ours, theirs = plate.display_window, clean.header.display_window
    if ours[2:] != theirs[2:]:
        raise ImageError(
            f"Clean plate {clip.path(frame)} is {theirs.width}x{theirs.height} and the plate is "
            f"{ours.width}x{ours.height} (display windows), which must be the same."
        )
    return light_of(clean, color)


def stored_pixels(plate: Plate) -> NDArray[Any]:
    """Return the display window's color, and alpha where there is one, in the plate's own type: (H, W, N)."""
    part, header = plate.parts[plate.header.part], plate.header
    kind = part.channel(header.fill_channels[0]).dtype
    planes = [part.channel(channel) for channel in _channels(plate)]
    same = [one if one.dtype == kind else to_native(as_float(one), kind, header.bits) for one in planes]
    return moved(np.stack(same, axis=2), Window.of_data(part.spec), header.display_window)


def native_of(light: Floats, plate: Plate, color: ColorMap) -> NDArray[Any]:
    """Return linear light, (h, w, 3) or with alpha, in a plate's own values and type, as `stored_pixels`."""
    header = plate.header
    rgb = color.from_light(light[..., :3])
    if header.is_gray:
        rgb = rgb.mean(axis=2, keepdims=True)
    values = np.concatenate([rgb, light[..., 3:]], axis=2)
    if plate.codes:
        values = np.clip(np.nan_to_num(values, nan=0.0), 0, 1)
    kind = plate.parts[header.part].channel(header.fill_channels[0]).dtype
    return to_native(values, kind, header.bits)


def retargeted(plate: Plate, pixels: NDArray[Any], geometry: Geometry) -> Plate:
    """Return pixels (H, W, N) as a picture with the plate's metadata, and windows of its own."""
    part, header = plate.parts[plate.header.part], plate.header
    channels = _channels(plate)
    height, width = pixels.shape[:2]
    window = Window(0, 0, width, height)
    spec = part.spec.copy()
    spec.set_format(oiio.TypeDesc(header.types[header.fill_channels[0]]))
    spec.channelformats = ()
    spec.nchannels = len(channels)
    spec.channelnames = tuple(header.channels[channel] for channel in channels)
    spec.alpha_channel = len(header.fill_channels) if len(channels) > len(header.fill_channels) else -1
    spec.z_channel = -1
    spec.x, spec.y, spec.width, spec.height = window
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = window
    if geometry.pixel_aspect != (header.pixel_aspect or 1.0):
        spec.attribute("PixelAspectRatio", float(geometry.pixel_aspect))
    names = tuple(spec.channelnames)
    about = replace(
        header,
        width=width,
        height=height,
        channels=names,
        types=(header.types[header.fill_channels[0]],) * len(names),
        data_window=window,
        display_window=window,
        pixel_aspect=geometry.pixel_aspect,
        part=0,
        parts=1,
        fill_channels=tuple(range(len(header.fill_channels))),
    )
    return replace(plate, header=about, parts=(Part(spec, (Group(0, np.ascontiguousarray(pixels)),)),))


def left_out(header: Header) -> tuple[str, ...]:
    """Say what of a plate an output has not, one sentence each."""
    told = []
    kept = {header.channels[channel] for channel in header.fill_channels}
    others = [name for name in header.channels if name not in kept and name.rpartition(".")[2] != "A"]
    if others:
        told.append(f"Color and alpha are retargeted; the plate's {', '.join(others[:6])} are left out.")
    if header.parts > 1:
        told.append(f"The plate's other parts ({header.parts - 1}) are left out.")
    if header.data_window != header.display_window:
        told.append("Only what the display window shows is retargeted: overscan is left out.")
    return tuple(told)


def _channels(plate: Plate) -> list[int]:
    """Return color, and the layer's alpha where it has one."""
    header = plate.header
    layer = header.channels[header.fill_channels[0]].rpartition(".")[0]
    name = f"{layer}.A" if layer else "A"
    alpha = [header.channels.index(name)] if name in header.channels else []
    return [*header.fill_channels, *(one for one in alpha if one not in header.fill_channels)]


def _display(header: Header) -> tuple[int, int, int, int]:
    x, y = header.display_window.x - header.data_window.x, header.display_window.y - header.data_window.y
    return x, y, x + header.display_window.width, y + header.display_window.height
