"""Check that a picture file is whole before its pixels are believed.

Readers are lenient by design: a truncated progressive JPEG comes as a picture of less detail, and a TIFF
strip that is not there as whatever lay in memory. What they make up is no plate.
"""

from __future__ import annotations

import re
from pathlib import Path

from .tiff_pages import TiffPages

_SCAN, _END = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def what_is_missing(path: Path, format_name: str, tiff: TiffPages) -> str:
    """Say in half a sentence what a file lacks at its end; empty where nothing is known to be missing.

    Args:
        path: the file.
        format_name: OpenImageIO's name of its format.
        tiff: its pages, where it is a TIFF.
    """
    if format_name == "jpeg":
        return "" if _jpeg_ends(path.read_bytes()) else "its end is missing"
    if format_name == "tiff":
        return _tiff_lack(path, tiff)
    return ""


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
    if tiff.is_cut and tiff.pages:
        return f"page {len(tiff.pages) + 1} is missing"
    return ""
