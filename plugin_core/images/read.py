"""Open and read picture files through OpenImageIO: headers, whole plates, and single channels as floats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError, NotEnoughMemoryError
from ..memory import installed_memory
from .channels import choose_fill, layer_of
from .color_tags import color_tags_of
from .complaints import complaint
from .plate import Group, Header, Part, Plate, Window
from .png_chunks import chunks_before_pixels, is_untagged, not_kept
from .tiff_pages import MIN_IS_WHITE, OTHER_COLOR, SEPARATED, YCBCR, TiffPages, tiff_pages
from .views import PartNames, views_of
from .whole import what_is_missing

MAX_SIDE = 65536
"""Longest side that is believed; a damaged header can claim anything."""
MAX_PIXELS = 512 << 20
"""Most pixels of a part: 32k by 16k. A PNG of 30000x30000 can be 100 kB long."""

_SURELY_THERE = 64 << 20
"""Bytes that no machine lacks."""
_UNTAGGED = "unknown"
_NAMED = {
    "openexr": (".exr", ".sxr"),
    "png": (".png",),
    "jpeg": (".jpg", ".jpeg"),
    "dpx": (".dpx",),
    "tiff": (".tif", ".tiff"),
}
"""Extensions of formats whose readers say so where a file is something else."""
_OTHER_INSIDE = re.compile(r"\bnot an? (OpenEXR|PNG|JPEG|DPX|TIFF) file", re.IGNORECASE)
_CHUNK_ROWS = 256
_STRIP_BYTES = 24 << 20
_BITS = {"uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint": 32, "uint32": 32, "int": 32, "int32": 32}


def read_header(path: Path, view: str = "") -> Header:
    """Read what the file says about its picture, without its pixels.

    ``view`` is the one to fill of a stereo picture, empty for its first. Raises ImageError when the file is
    missing, damaged, deep, has neither RGB nor gray, or no such view.
    """
    with opened(path, pixels=False) as file:
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
def opened(path: Path, *, pixels: bool = True) -> Iterator[oiio.ImageInput]:
    """Open a picture for reading pixels as they are stored; ``pixels`` is whether they will be read.

    Raises ImageError when that can't be done, or the file is not whole.
    """
    _check_file(path)
    tiff = tiff_pages(path)
    kinds = {page.photometric for page in tiff.pages}
    file = _open(path, raw_color=YCBCR not in kinds)
    try:
        if file.format_name() == "tiff":
            _check_pages(path, tiff)
        if pixels or file.format_name() == "tiff":
            lack = what_is_missing(path, file.format_name(), tiff)
            if lack:
                raise damaged(path, lack)
        if pixels and YCBCR in kinds:
            _check_strips(path)
        yield file
    except UnicodeDecodeError as error:
        raise damaged(path, "a name in its header is not text") from error
    except MemoryError as error:
        raise NotEnoughMemoryError(f"{path} does not fit into the memory that is free.") from error
    except RuntimeError as error:  # the library found no room for another thread, for example
        raise NotEnoughMemoryError(f"{path} can't be read: {error}.") from error
    finally:
        file.close()
        complaint()  # OpenImageIO prints what nobody fetched when the process ends


def _open(path: Path, *, raw_color: bool = True) -> oiio.ImageInput:
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:RawColor", int(raw_color))
    file = oiio.ImageInput.open(str(path), hints)
    if file is None:
        raise damaged(path, complaint())
    return file


def _check_pages(path: Path, tiff: TiffPages) -> None:
    """Refuse what OpenImageIO reads as if it were something else."""
    for page in tiff.pages:
        if page.photometric in OTHER_COLOR:
            name = OTHER_COLOR[page.photometric]
            raise ImageError(f"{path} stores {name} color; expected RGB or gray, so convert it first.")
        if page.is_float and page.bits == 64:
            # Read twice, it is not the same: tiles, single rows and part reads come with what lay in memory.
            raise ImageError(
                f"{path} stores 64-bit floating point, which can't be read reliably; convert it to 32 bits."
            )
        if page.has_straight_alpha and (page.is_jpeg or page.photometric == YCBCR):
            raise ImageError(
                f"{path} is packed as JPEG or YCbCr and has straight alpha, by which its color comes out "
                "multiplied; store it with another compression."
            )
        if page.photometric == MIN_IS_WHITE and page.bits > 8:
            raise ImageError(
                f"{path} stores white as 0 in {page.bits} bits, which reads as a negative; convert it "
                "to gray with black as 0."
            )
    kinds = {page.photometric for page in tiff.pages}
    if YCBCR in kinds and SEPARATED in kinds:
        raise ImageError(f"{path} has pages in YCbCr and in inks; convert them to RGB first.")


def _check_strips(path: Path) -> None:
    """Decode every strip of a YCbCr TIFF once: where they are turned into RGB, damage is not told."""
    file = _open(path)
    try:
        for part, spec in enumerate(parts_of(file)):
            _checked(file, file.read_image(part, 0, 0, spec.nchannels, spec.format), path)
    finally:
        file.close()


def damaged(path: Path, reason: str) -> ImageError:
    """The error for a file that OpenImageIO could not read."""
    if "ubsampled" in reason:
        return ImageError(f"{path} stores luminance with chroma at half size; convert it to RGB first.")
    if "could not find a format reader" in reason:
        return ImageError(
            f"{path} is of a format that is not read here ({path.suffix or 'no extension'}); convert it to "
            "EXR, TIFF or PNG first."
        )
    other = _OTHER_INSIDE.search(reason)
    if other and path.suffix.lower() in _NAMED[other[1].lower()]:
        return ImageError(
            f"{path} can't be read as a picture: it is no {other[1]} file, whatever its name says; copy or "
            "render it again."
        )
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


def parts_of(file: oiio.ImageInput) -> Iterator[oiio.ImageSpec]:
    """Go to part after part of an open file; gives a copy of each one's spec."""
    part = 0
    while file.seek_subimage(part, 0):
        spec = file.spec().copy()
        yield spec
        part += 1
        # Asked for a picture after the last one, the WebP reader can't give the others any more.
        if file.format_name() == "webp" and part >= spec.get_int_attribute("oiio:subimages", 1):
            return


def _specs(file: oiio.ImageInput, path: Path) -> list[oiio.ImageSpec]:
    specs: list[oiio.ImageSpec] = []
    for spec in parts_of(file):
        check_size(spec, path)
        _check_spec(spec, path)
        _mend_spec(spec)
        if file.format_name() == "png" and is_untagged(chunks_before_pixels(path)):
            spec.attribute("oiio:ColorSpace", _UNTAGGED)
        specs.append(spec)
    complaint(file)
    claimed = specs[0].get_int_attribute("oiio:subimages", 1) if specs else 1
    if len(specs) < claimed:
        raise damaged(path, f"{len(specs)} of {claimed} parts found")
    check_memory(sum(int(spec.image_bytes(True)) for spec in specs), path)
    return specs


def _check_spec(spec: oiio.ImageSpec, path: Path) -> None:
    if spec.deep:
        raise ImageError(f"{path} is a deep picture; flatten it first, the fill needs one color per pixel.")
    if spec.depth > 1:
        raise ImageError(f"{path} is a volume of {spec.depth} slices; expected a flat picture.")


def check_size(spec: oiio.ImageSpec, path: Path) -> None:
    """Refuse a size that no picture has, before anything is decoded: a small file can claim any.

    Raises ImageError.
    """
    sides = (spec.width, spec.height, spec.full_width, spec.full_height)
    if min(sides) < 1 or max(sides) > MAX_SIDE:
        raise damaged(path, f"it claims to be {spec.width}x{spec.height}")
    if spec.width * spec.height > MAX_PIXELS or spec.full_width * spec.full_height > MAX_PIXELS:
        raise ImageError(
            f"{path} claims to be {spec.width}x{spec.height} (display window "
            f"{spec.full_width}x{spec.full_height}); expected at most {MAX_PIXELS >> 20} million pixels."
        )
    check_memory(int(spec.image_bytes(True)), path)


def check_memory(unpacked: int, path: Path) -> None:
    """Refuse pixels of so many bytes where there is less memory. Raises NotEnoughMemoryError."""
    if unpacked <= _SURELY_THERE:
        return  # asking takes longer than reading a small picture
    there = installed_memory()
    if unpacked > there:
        raise NotEnoughMemoryError(
            f"{path} takes {unpacked / 2**30:.1f} GiB unpacked, and this machine (or this container) "
            f"has {there / 2**30:.1f} GiB of memory."
        )


def _mend_spec(spec: oiio.ImageSpec) -> None:
    """Make a spec say what the pixels are that come with it."""
    if spec.alpha_channel >= spec.nchannels:  # of animated GIF
        spec.alpha_channel = next((c for c, name in enumerate(spec.channelnames) if name == "A"), -1)
    if spec.get_int_attribute("tiff:PhotometricInterpretation", -1) == YCBCR:
        for said in ("tiff:PhotometricInterpretation", "tiff:ColorSpace", "Exif:YCbCrSubsampling"):
            spec.erase_attribute(said)
        if spec.get_string_attribute("oiio:ColorSpace") == "YCbCr":
            spec.erase_attribute("oiio:ColorSpace")


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
    spec = file.spec_dimensions(part)
    kinds = {str(spec.channelformat(channel)) for channel in range(begin, end)}
    if kinds not in ({"uint8"}, {"uint16"}):
        return _checked(file, file.read_image(part, 0, begin, end, oiio.TypeDesc("float")), path)
    # The same numbers, in half the time.
    native = _checked(file, file.read_image(part, 0, begin, end, oiio.TypeDesc(*kinds)), path)
    floats = native.astype(np.float32)
    floats *= np.float32(1 / np.iinfo(native.dtype).max)
    return floats


def _notes(header: Header, specs: list[oiio.ImageSpec], mipmapped: bool) -> tuple[str, ...]:
    notes = []
    names = ", ".join(header.channels[c] for c in header.fill_channels)
    views = views_of([PartNames.of(spec) for spec in specs])
    if len(views) > 1:
        others = f"views are {', '.join(views)}, --view NAME fills another"
        notes.append(f"The plate is stereo: only {names} is filled, the rest passes through ({others}).")
    elif layer_of(header.channels[header.fill_channels[0]]):
        notes.append(f"The plate has its picture in a layer: {names} is filled.")
    if header.format == "tiff" and any(page.photometric == YCBCR for page in tiff_pages(header.path).pages):
        notes.append("The plate stores YCbCr: it is read as RGB, and the output stores RGB.")
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
