"""Put right what OpenImageIO writes into headers whatever it is told: bytes at fixed places.

A DPX header gets the path it is written under, which is our temporary one; a TGA footer says that the color
is not multiplied by alpha, which only the plate knows.
"""

from __future__ import annotations

import struct
from pathlib import Path

import OpenImageIO as oiio

_DPX_NAME = slice(36, 136)
_TGA_FOOTER, _TGA_SIGNATURE = 26, b"TRUEVISION-XFILE.\0"
_TGA_ALPHA_TYPE = 494
_UNDEFINED, _STRAIGHT, _MULTIPLIED = 0, 3, 4


def put_right(written: Path, format_name: str, spec: oiio.ImageSpec, name: str) -> None:
    """Correct the header of a finished file.

    Args:
        written: the file, under whatever name.
        format_name: OpenImageIO's name of its format.
        spec: of the plate's part that was written.
        name: the file's final name, without its folder.

    Raises:
        OSError: the file can't be changed.
    """
    if format_name == "dpx":
        _write_at(written, _DPX_NAME.start, name.encode()[:99].ljust(100, b"\0"))
    elif format_name == "targa" and spec.alpha_channel >= 0:
        _write_tga_alpha(written, spec)


def _write_tga_alpha(written: Path, spec: oiio.ImageSpec) -> None:
    if spec.get_int_attribute("oiio:UnassociatedAlpha", 0) == 1:
        unsaid = _STRAIGHT
    else:
        unsaid = _UNDEFINED if spec.getattribute("targa:version") is not None else _MULTIPLIED
    kind = spec.get_int_attribute("targa:alpha_type", unsaid)
    with written.open("rb") as stream:
        stream.seek(-_TGA_FOOTER, 2)
        footer = stream.read(_TGA_FOOTER)
    if footer.endswith(_TGA_SIGNATURE):
        extension = struct.unpack_from("<I", footer)[0]
        _write_at(written, extension + _TGA_ALPHA_TYPE, bytes((kind,)))


def _write_at(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(data)
