"""Headers of single-part scanline EXR files, read with the standard library alone.

Enough to tell whether two files that Nuke has written hold the same picture. (OpenEXR file layout: magic
number, version, attributes, line offset table, chunks.)
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Dict, Tuple

MAGIC = b"\x76\x2f\x31\x01"
_VERSION_SCANLINE = 2
_LONG_NAMES = 0x400

Attributes = Dict[bytes, Tuple[bytes, bytes]]

_OF_THE_SCRIPT = b"nuke/"
"""Nuke notes a hash of its script and its version under this prefix: they say nothing of the picture."""


class NotReadableError(ValueError):
    """Not a file this module understands."""


def same_picture(one: Path, other: Path) -> bool:
    """Whether two files hold the same pixels, windows, channels and metadata, but for Nuke's own notes.

    False also when either is no file that can be compared.
    """
    try:
        with one.open("rb") as left, other.open("rb") as right:
            if _comparable(_read_header(left)) != _comparable(_read_header(right)):
                return False
            _skip_offsets(left)
            _skip_offsets(right)
            return _same_rest(left, right)
    except (OSError, NotReadableError):
        return False


def _read_header(stream: BinaryIO) -> Attributes:
    """Read up to the line offset table."""
    magic, version = stream.read(4), stream.read(4)
    if magic != MAGIC or len(version) != 4:
        raise NotReadableError("not an EXR file")
    if struct.unpack("<i", version)[0] & ~_LONG_NAMES != _VERSION_SCANLINE:
        raise NotReadableError("tiled, deep or in several parts")
    attributes: Attributes = {}
    while True:
        name = _read_text(stream)
        if not name:
            break
        kind = _read_text(stream)
        size = stream.read(4)
        if len(size) != 4:
            raise NotReadableError("cut short")
        attributes[name] = kind, stream.read(struct.unpack("<i", size)[0])
    if attributes.get(b"lineOrder", (b"", b"\0"))[1] != b"\0":
        raise NotReadableError("lines not in increasing order")
    return attributes


def _read_text(stream: BinaryIO) -> bytes:
    text = bytearray()
    while True:
        byte = stream.read(1)
        if byte == b"\0":
            return bytes(text)
        if not byte or len(text) > 255:
            raise NotReadableError("cut short")
        text += byte


def _comparable(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if not name.startswith(_OF_THE_SCRIPT)}


def _skip_offsets(stream: BinaryIO) -> None:
    """Go to the first chunk: the table holds absolute places, which depend on the header's length.

    With lines in increasing order the first line's chunk comes first, directly after the table.
    """
    first = stream.read(8)
    if len(first) != 8:
        raise NotReadableError("cut short")
    stream.seek(struct.unpack("<Q", first)[0])


def _same_rest(left: BinaryIO, right: BinaryIO) -> bool:
    while True:
        one, other = left.read(1 << 20), right.read(1 << 20)
        if one != other:
            return False
        if not one:
            return True
