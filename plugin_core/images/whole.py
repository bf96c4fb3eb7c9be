"""Check that a picture file is whole before its pixels are believed.

Readers are lenient by design: a truncated progressive JPEG comes as a picture of less detail, and a TIFF
strip that is not there as whatever lay in memory. What they make up is no plate.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

from .tiff_pages import TiffPages

_SCAN, _END = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
_GIF_TRAILER, _GIF_IMAGE, _GIF_EXTENSION = 0x3B, 0x2C, 0x21
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def what_is_missing(path: Path, format_name: str, tiff: TiffPages) -> str:
    """Say in half a sentence what a file lacks at its end; empty where nothing is known to be missing.

    Args:
        path: the file.
        format_name: OpenImageIO's name of its format.
        tiff: its pages, where it is a TIFF.
    """
    if format_name == "tiff":
        return _tiff_lack(path, tiff)
    ends = _ENDS.get(format_name)
    return "its end is missing" if ends is not None and not ends(path.read_bytes()) else ""


def _jpeg_ends(data: bytes) -> bool:
    """Whether the end marker comes after every scan."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            found = data.find(b"\xff", at)  # stray bytes between segments, which decoders skip
            if found < 0:
                return False
            at = found
            continue
        kind = data[at + 1]
        if kind == _END:
            return True
        if kind in _ALONE or kind in (0x00, 0xFF):
            at += 1 if kind == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _SCAN:
            following = _AFTER_SCAN.search(data, at)
            if following is None:
                return False
            at = following.start(1) - 1
    return False


def _tiff_lack(path: Path, tiff: TiffPages) -> str:
    size = path.stat().st_size
    for number, page in enumerate(tiff.pages, 1):
        if page.end > size:
            return f"page {number} needs {page.end} bytes, the file has {size}"
    return f"page {len(tiff.pages) + 1} is not whole" if tiff.is_cut else ""


def _gif_ends(data: bytes) -> bool:
    """Whether the trailer comes after every block."""
    at = 13 + _gif_colors(data, 10)
    while at < len(data):
        kind = data[at]
        if kind == _GIF_TRAILER:
            return True
        if kind == _GIF_IMAGE:
            at += 11 + _gif_colors(data, at + 9)
        elif kind == _GIF_EXTENSION:
            at += 2
        else:
            at += 1  # stray bytes, which decoders skip
            continue
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return False


def _gif_colors(data: bytes, flags_at: int) -> int:
    """Bytes of the color table that flags announce."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _ico_ends(data: bytes) -> bool:
    """Whether every picture lies inside the file."""
    (count,) = struct.unpack_from("<H", data, 4) if len(data) >= 6 else (0,)
    if len(data) < 6 + 16 * count:
        return False
    entries = (struct.unpack_from("<II", data, 6 + 16 * index + 8) for index in range(count))
    return all(lies + size <= len(data) for size, lies in entries)


_ENDS: dict[str, Callable[[bytes], bool]] = {"jpeg": _jpeg_ends, "gif": _gif_ends, "ico": _ico_ends}
