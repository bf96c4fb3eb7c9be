"""Make the sample shot again: `python -m plugin_core.sample.compose --out FOLDER`.

A drone looks over a lavender field at sunset while a balloon drifts by. Everything is computed here with
numpy from fixed seeds: no photograph, no scan and no other material goes in. Scene-linear, Rec.709 primaries,
half-float EXR. Where the matte is zero the plate equals the clean plate bit for bit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.disk.atomic import replacing
from plugin_core.errors import WriteError
from plugin_core.progress.terminal import say
from plugin_core.sample import COLORSPACE, FIRST, FPS, LAST, sample_folder
from plugin_core.sample._balloon import render_balloon, shadow
from plugin_core.sample._landscape import render_background
from plugin_core.sample._layers import color
from plugin_core.sample._noise import Plane, as_plane

Half = NDArray[np.float16]

_SHUTTER, _INSTANTS = 0.5, 5  # a 180 degree shutter and how many instants it averages
_SHADE = color(1.0, 0.95, 0.84)  # the shadow keeps some of the sky's blue
_CHROMATICITIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)  # Rec.709


@dataclass(frozen=True)
class Picture:
    """One frame of the sample: plate and clean plate (H, W, 3), matte (H, W), all half."""

    plate: Half
    matte: Half
    clean: Half


def _pixels(samples: Plane) -> Plane:
    """Average each 2x2 block of samples into a pixel."""
    height, width = samples.shape[0] // 2, samples.shape[1] // 2
    return np.asarray(samples.reshape(height, 2, width, 2, -1).mean((1, 3)), np.float32)


def _blur(plane: Plane, passes: int) -> Plane:
    """Binomial blur (1, 2, 1) / 4 along both axes, `passes` times; reaches one pixel a pass."""
    for _ in range(passes):
        for axis in (0, 1):
            pad = np.pad(plane, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            low, middle, high = (np.take(pad, np.arange(plane.shape[axis]) + k, axis) for k in range(3))
            plane = 0.25 * low + 0.5 * middle + 0.25 * high
    return plane


def _grow(support: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Grow a support by a round brush."""
    height, width = support.shape
    pad = np.pad(support, radius)
    grown = np.zeros_like(support)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy <= radius * radius + 1:
                grown |= pad[radius + dy :, radius + dx :][:height, :width]
    return grown


def _store(rgb: Plane) -> Half:
    """Round to half with as many bits as the eye needs: lossless compression then makes small files.

    Smooth parts keep 5 bits of the mantissa, textured parts 3 to 4 (red and blue one less): below what shows.
    """
    code = np.clip(rgb, 0.0, 60000.0).astype(np.float16).view(np.uint16).astype(np.int32)
    green = code[..., 1].astype(np.float32)
    busy = _blur(np.abs(green - _blur(green, 6)), 10)
    step = np.where(busy > 30.0, np.where(busy > 60.0, 128, 64), 32).astype(np.int32)
    step = step[..., None] * np.array([2, 1, 2], np.int32)
    return ((code + step // 2) // step * step).astype(np.uint16).view(np.float16)


def _soft_matte(support: NDArray[np.bool_]) -> Half:
    """1 wherever the balloon or its shadow shows, falling to 0 over three pixels outside."""
    soft = _blur(_grow(support, 3).astype(np.float32), 2)
    return (np.round(soft * 255.0) / 255.0).astype(np.float16)


def render_frame(frame: int) -> Picture:
    """Compute one frame of the sample. The same frame gives the same pixels, whatever was computed before."""
    instants: list[Plane] = []
    for index in range(_INSTANTS):
        time = frame - FIRST + _SHUTTER * (index + 0.5) / _INSTANTS
        clean = render_background(time)
        shade = shadow(time)
        full = clean * (1.0 - shade[..., None] * _SHADE)
        balloon, (rows, columns) = render_balloon(time)
        full[rows, columns] = full[rows, columns] * (1.0 - balloon[..., 3:]) + balloon[..., :3]
        touched = shade.copy()
        touched[rows, columns] = np.maximum(touched[rows, columns], balloon[..., 3])
        instants.append(_pixels(np.concatenate([clean, full, touched[..., None]], -1)))
    picture = as_plane(sum(instants[1:], start=instants[0]) / np.float32(_INSTANTS))
    shows = picture[..., 6] > 0.004
    clean_plate = _store(picture[..., :3])
    plate = np.where(shows[..., None], _store(picture[..., 3:6]), clean_plate)
    return Picture(plate=plate, matte=_soft_matte(shows), clean=clean_plate)


def _timecode(frame: int) -> NDArray[np.uint32]:
    """SMPTE time code of a frame at FPS as OpenEXR packs it: BCD frames, seconds, minutes, hours."""
    seconds, frames = divmod(frame, FPS)
    parts = (frames, seconds % 60, seconds // 60 % 60, seconds // 3600)
    packed = sum(((part // 10) << 4 | part % 10) << (8 * place) for place, part in enumerate(parts))
    return np.array([packed, 0], np.uint32)


def _spec(pixels: Half, frame: int) -> oiio.ImageSpec:
    """The header of a frame: half, ZIP, color space, time code and frame rate."""
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF)
    spec.attribute("compression", "zip:9")
    spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, _timecode(frame))
    spec.attribute("FramesPerSecond", oiio.TypeRational, np.array([FPS, 1], np.int32))
    spec.attribute("DateTime", "2026:01:01 00:00:00")  # the same file whenever it is made
    spec.attribute("Copyright", "Made by the Cleanplate project, CC0-1.0")
    if channels == 1:
        spec.channelnames = ("Y",)
        return spec
    spec.attribute("colorspace", COLORSPACE)
    spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), np.array(_CHROMATICITIES, np.float32))
    return spec


def write_exr(path: Path, pixels: Half, frame: int) -> None:
    """Write one frame whole or not at all. Raises WriteError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None])
    with replacing(path) as temporary:
        output = oiio.ImageOutput.create(str(temporary))
        if output is None:
            raise WriteError(f"Can't write the sample: this OpenImageIO writes no EXR ({oiio.geterror()})")
        opened = output.open(str(temporary), _spec(pixels, frame))
        if not (opened and output.write_image(pixels) and output.close()):
            raise WriteError(f"Can't write frame {frame} of the sample to {path}: {output.geterror()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the frames asked for into plate/, matte/ and clean/ of a folder."""
    parser = argparse.ArgumentParser(prog="python -m plugin_core.sample.compose", description=__doc__)
    parser.add_argument("--out", type=Path, default=sample_folder(), help="folder to write to")
    parser.add_argument("--frames", type=int, nargs=2, default=(FIRST, LAST), metavar=("FIRST", "LAST"))
    options = parser.parse_args(arguments)
    for frame in range(options.frames[0], options.frames[1] + 1):
        picture = render_frame(frame)
        for kind in ("plate", "matte", "clean"):
            write_exr(options.out / kind / f"{kind}.{frame:04d}.exr", getattr(picture, kind), frame)
        say(f"frame {frame} of {options.frames[1]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
