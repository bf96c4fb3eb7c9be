"""Open and read picture files through OpenImageIO: headers, whole plates, and single channels as floats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError
from .channels import choose_fill, layer_of
from .color_tags import color_tags_of
from .complaints import complaint
from .plate import Group, Header, Part, Plate, Window
from .png_chunks import chunks_before_pixels, is_untagged, not_kept
from .views import PartNames, views_of

MAX_SIDE = 65536
"""Longest side that is believed; a damaged header can claim anything."""

_UNTAGGED = "unknown"
_CHUNK_ROWS = 256
_STRIP_BYTES = 24 << 20
_BITS = {"uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint": 32, "uint32": 32, "int": 32, "int32": 32}


def read_header(path: Path, view: str = "") -> Header:
    """Read what the file says about its picture, without its pixels.

    ``view`` is the one to fill of a stereo picture, empty for its first. Raises ImageError when the file is
    missing, damaged, deep, has neither RGB nor gray, or no such view.
    """
    with opened(path) as file:
        return header_of(path, file.format_name(), _specs(file, path), view)


def read_plate(path: Path, view: str = "") -> Plate:
    """Read every part and channel in its native type, unassociated alpha and raw color left as stored.

    ``view`` is the one to fill of a stereo picture, empty for its first. Raises ImageError with the file and
    the reason when it is missing, truncated, damaged, deep, or has neither RGB nor gray or no such view.
    """
    with opened(path) as file:
        specs = _specs(file, path)
        header = header_of(path, file.format_name(), specs, view)
        mipmapped = bool(file.seek_subimage(header.part, 1))
        parts = tuple(_read_part(file, index, spec, path) for index, spec in enumerate(specs))
    return Plate(header, parts, _notes(header, specs, mipmapped))


@contextmanager
def opened(path: Path) -> Iterator[oiio.ImageInput]:
    """Open a picture for reading pixels as they are stored. Raises ImageError when that can't be done."""
    _check_file(path)
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:RawColor", 1)
    file = oiio.ImageInput.open(str(path), hints)
    if file is None:
        raise damaged(path, complaint())
    try:
        yield file
    except UnicodeDecodeError as error:
        raise damaged(path, "a name in its header is not text") from error
    except MemoryError as error:
        raise damaged(path, "it claims more pixels than fit into memory") from error
    finally:
        file.close()
        complaint()  # OpenImageIO prints what nobody fetched when the process ends


def damaged(path: Path, reason: str) -> ImageError:
    """The error for a file that OpenImageIO could not read."""
    if "ubsampled" in reason:
        return ImageError(f"{path} stores luminance with chroma at half size; convert it to RGB first.")
    return ImageError(
        f"{path} can't be read as a picture ({reason}); the file may be damaged or not yet complete."
    )


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, expected a picture file.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise ImageError(f"{path} is empty (0 bytes); copy or render it again.")
    except FileNotFoundError:
        raise ImageError(f"{path} is not there; check the path and the frame number.") from None
    except OSError as error:
        raise ImageError(f"{path} can't be opened ({error.strerror}); check its permissions.") from error


def _specs(file: oiio.ImageInput, path: Path) -> list[oiio.ImageSpec]:
    specs: list[oiio.ImageSpec] = []
    while file.seek_subimage(len(specs), 0):
        spec = file.spec().copy()
        _check_spec(spec, path)
        if file.format_name() == "png" and is_untagged(chunks_before_pixels(path)):
            spec.attribute("oiio:ColorSpace", _UNTAGGED)
        specs.append(spec)
    complaint(file)
    claimed = specs[0].get_int_attribute("oiio:subimages", 1) if specs else 1
    if len(specs) < claimed:
        raise damaged(path, f"{len(specs)} of {claimed} parts found")
    return specs


def _check_spec(spec: oiio.ImageSpec, path: Path) -> None:
    if spec.deep:
        raise ImageError(f"{path} is a deep picture; flatten it first, the fill needs one color per pixel.")
    if spec.depth > 1:
        raise ImageError(f"{path} is a volume of {spec.depth} slices; expected a flat picture.")
    sides = (spec.width, spec.height, spec.full_width, spec.full_height)
    if min(sides) < 1 or max(sides) > MAX_SIDE:
        raise damaged(path, f"it claims to be {spec.width}x{spec.height}")


def header_of(path: Path, format_name: str, specs: list[oiio.ImageSpec], view: str = "") -> Header:
    """Build the header of the part that is filled. Raises ImageError when no part has RGB or gray."""
    part, fill = choose_fill(path, [PartNames.of(spec) for spec in specs], view)
    spec = specs[part]
    types = tuple(type_name(spec.channelformat(c)) for c in range(spec.nchannels))
    kind = types[fill[0]]
    return Header(
        path=path,
        format=format_name,
        width=spec.width,
        height=spec.height,
        channels=tuple(spec.channelnames),
        types=types,
        data_window=Window.of_data(spec),
        display_window=Window.of_display(spec),
        pixel_aspect=float(spec.get_float_attribute("PixelAspectRatio", 1.0)),
        colorspace=_colorspace(spec),
        compression=spec.get_string_attribute("compression") or None,
        bits=int(spec.get_int_attribute("oiio:BitsPerSample", _BITS[kind])) if kind in _BITS else 0,
        is_float=kind not in _BITS,
        part=part,
        parts=len(specs),
        fill_channels=fill,
        color=color_tags_of(spec, _UNTAGGED),
    )


def _colorspace(spec: oiio.ImageSpec) -> str | None:
    name = str(spec.get_string_attribute("oiio:ColorSpace"))
    return None if name in ("", _UNTAGGED) else name


def type_name(kind: oiio.TypeDesc) -> str:
    """OpenImageIO's name of a pixel type: half, float, uint8, uint16, uint, ..."""
    return str(kind)


def _read_part(file: oiio.ImageInput, index: int, spec: oiio.ImageSpec, path: Path) -> Part:
    groups = []
    for begin, end, kind in _type_runs(spec):
        groups.append(Group(begin, _read_channels(file, index, spec, (begin, end), kind, path)))
    return Part(spec, tuple(groups))


def _read_channels(
    file: oiio.ImageInput,
    part: int,
    spec: oiio.ImageSpec,
    channels: tuple[int, int],
    kind: oiio.TypeDesc,
    path: Path,
) -> NDArray[Any]:
    """Channels of one type as (H, W, N), in strips when large.

    OpenImageIO copies what it hands over and stops other threads meanwhile; strips keep both short.
    """
    rows = _strip_rows(spec)
    if rows >= spec.height:
        return _checked(file, file.read_image(part, 0, *channels, kind), path)
    whole: NDArray[Any] | None = None
    for top in range(0, spec.height, rows):
        bottom = min(top + rows, spec.height)
        y0, y1 = spec.y + top, spec.y + bottom
        if spec.tile_width:
            strip = file.read_tiles(
                part, 0, spec.x, spec.x + spec.width, y0, y1, spec.z, spec.z + 1, *channels, kind
            )
        else:
            strip = file.read_scanlines(part, 0, y0, y1, spec.z, *channels, kind)
        strip = _checked(file, strip, path).reshape(bottom - top, spec.width, -1)
        if whole is None:
            whole = np.empty((spec.height, *strip.shape[1:]), strip.dtype)
        whole[top:bottom] = strip
    assert whole is not None
    return whole


def _strip_rows(spec: oiio.ImageSpec) -> int:
    """Rows read at once: whole tiles, and whole compressed chunks (at most 256 rows in EXR)."""
    unit = spec.tile_height or _CHUNK_ROWS
    return max(1, _STRIP_BYTES // (int(spec.scanline_bytes(True)) * unit)) * unit


def _checked(file: oiio.ImageInput, pixels: NDArray[Any] | None, path: Path) -> NDArray[Any]:
    if pixels is None or file.has_error:
        raise damaged(path, complaint(file))
    return pixels


def _type_runs(spec: oiio.ImageSpec) -> list[tuple[int, int, oiio.TypeDesc]]:
    """Neighbouring channels of one type as (begin, end, type); one run for most files."""
    runs: list[tuple[int, int, oiio.TypeDesc]] = []
    for channel in range(spec.nchannels):
        kind = spec.channelformat(channel)
        if runs and runs[-1][2] == kind:
            runs[-1] = (runs[-1][0], channel + 1, kind)
        else:
            runs.append((channel, channel + 1, kind))
    return runs


def read_floats(file: oiio.ImageInput, part: int, begin: int, end: int, path: Path) -> NDArray[np.float32]:
    """Channels begin to end (excluded) as (H, W, N) float32; integer types are scaled to 0..1."""
    return _checked(file, file.read_image(part, 0, begin, end, oiio.TypeDesc("float")), path)


def _notes(header: Header, specs: list[oiio.ImageSpec], mipmapped: bool) -> tuple[str, ...]:
    notes = []
    names = ", ".join(header.channels[c] for c in header.fill_channels)
    views = views_of([PartNames.of(spec) for spec in specs])
    if len(views) > 1:
        others = f"views are {', '.join(views)}, --view NAME fills another"
        notes.append(f"The plate is stereo: only {names} is filled, the rest passes through ({others}).")
    elif layer_of(header.channels[header.fill_channels[0]]):
        notes.append(f"The plate has its picture in a layer: {names} is filled.")
    if mipmapped:
        notes.append("The plate has smaller copies of itself (mipmaps): they are left out of the output.")
    dropped = not_kept(chunks_before_pixels(header.path)) if header.format == "png" else []
    if dropped:
        notes.append(
            f"The plate has PNG chunks that can't be written ({', '.join(dropped)}): they are left out."
        )
    if any(spec.get_int_attribute("thumbnail_width", 0) for spec in specs):
        notes.append("The plate has a preview picture: it is left out, for it shows the plate unfilled.")
    return tuple(notes)
