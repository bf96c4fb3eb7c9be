"""What each file format can hold, and which compressions change pixels that were not touched."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ImageError

_EXR_TYPES = ("half", "float", "uint")
_TIFF_TYPES = ("uint8", "uint16", "half", "float", "double", "int8", "int16", "uint", "int")
_LOSSLESS_EXR = ("none", "rle", "zips", "zip", "piz", "pxr24", "htj2k256", "htj2k32", "zstd")
_LOSSY_EXR = ("b44", "b44a", "dwaa", "dwab")
_LOSSLESS_TIFF = ("none", "lzw", "zip", "packbits")


@dataclass(frozen=True)
class Format:
    """A file format: its name in OpenImageIO, the pixel types it stores, and its limits."""

    name: str
    types: tuple[str, ...]
    parts: bool = False
    alpha: bool = True
    lossy: bool = False
    compressions: tuple[str, ...] = ()


_EXR = Format("openexr", _EXR_TYPES, parts=True, compressions=(*_LOSSLESS_EXR, *_LOSSY_EXR))
_TIFF = Format("tiff", _TIFF_TYPES, parts=True, compressions=_LOSSLESS_TIFF)
_JPEG = Format("jpeg", ("uint8",), alpha=False, lossy=True)
_FORMATS = {
    ".exr": _EXR,
    ".sxr": _EXR,
    ".dpx": Format("dpx", ("uint8", "uint16")),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".png": Format("png", ("uint8", "uint16")),
    ".jxl": Format("jpegxl", ("uint8", "uint16", "half", "float")),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tga": Format("targa", ("uint8",), compressions=("none", "rle")),
    ".bmp": Format("bmp", ("uint8",), alpha=False),
}
WRITTEN = tuple(_FORMATS)
"""Extensions of the formats that pictures are written in."""

LAYERED = tuple(extension for extension, kind in _FORMATS.items() if kind is _EXR)
"""Extensions of the format that holds layers beside the color."""

MOVIE_EXTENSIONS = (".mov", ".mp4", ".m4v", ".mkv", ".mxf", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".m2ts")


def format_for(extension: str) -> Format:
    """The format written under an extension (``.exr``, any case). Raises ImageError when it is not one of
    ours.
    """
    try:
        return _FORMATS[extension.lower()]
    except KeyError:
        known = ", ".join(_FORMATS)
        raise ImageError(f"Pictures can't be written as '{extension}'; use one of {known}.") from None


def is_written(extension: str) -> bool:
    """Whether pictures are written under an extension."""
    return extension.lower() in _FORMATS


def formats_lossy(extension: str) -> bool:
    """Whether writing this extension changes pixels that were not filled (JPEG, movie files)."""
    known = _FORMATS.get(extension.lower())
    return extension.lower() in MOVIE_EXTENSIONS or (known is not None and known.lossy)


def compression_lossy(format_name: str, compression: str) -> bool:
    """Whether this compression changes pixels, other than by shortening 32-bit floats once (PXR24)."""
    return lossless_compression(format_name, compression) != compression


def lossless_compression(format_name: str, compression: str) -> str:
    """The compression to write: the plate's own, or ZIP in place of one that changes untouched pixels.

    ``pxr24`` stays: it shortens 32-bit floats once, and what is already short comes back as it was.
    """
    kind = compression.lower().split(":")[0]
    if format_name == "openexr" and kind in _LOSSY_EXR:
        return "zip"
    if format_name == "tiff" and kind not in _LOSSLESS_TIFF:
        return "zip"
    return compression


def target_type(source_type: str, target: Format, extension: str) -> str:
    """The pixel type to store ``source_type`` in under another format.

    Raises ImageError between integer and floating-point types: that step needs a color transform and a range,
    and a clamp nobody asked for would lose highlights.
    """
    if source_type in target.types:
        return source_type
    wide = {
        "uint8": ("uint16",),
        "uint16": ("uint8",),
        "half": ("float",),
        "float": ("half",),
        "double": ("float",),
    }
    for candidate in wide.get(source_type, ()):
        if candidate in target.types:
            return candidate
    codes = source_type in ("uint8", "uint16") and "float" in target.types
    depths = " or ".join(kind for kind in ("half", "float") if kind in target.types)
    remedy = "that needs a color transform, which is the comp's to choose; "
    if codes:
        remedy = f"give --bit-depth {depths} for its code values as 0 to 1, or "
    raise ImageError(
        f"A plate with {source_type} pixels can't be written as {extension}, which stores "
        f"{', '.join(target.types)}: {remedy}write the plate's own format."
    )
