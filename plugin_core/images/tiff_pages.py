"""The pages of a TIFF file, from its bytes: what OpenImageIO does not say, and whether they are whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAX_PAGES = 10_000
_MAX_VALUES = 1 << 24
_TYPES = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
_BITS, _COMPRESSION, _PHOTOMETRIC, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 259, 262, 338, 339
_JPEG, _STRAIGHT = (6, 7), 2
_OFFSETS, _COUNTS = (273, 324), (279, 325)
_NEEDED = {256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 320, 322, 323, 338, 339, 347, 530, 532, 34675}
"""Tags without which the pixels are others, or mean other colors: size, predictor, profile, ..."""
_VALUE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_KEPT = {_BITS, _COMPRESSION, _PHOTOMETRIC, _EXTRA_SAMPLES, _SAMPLE_FORMAT, *_OFFSETS, *_COUNTS}

MIN_IS_WHITE, SEPARATED, YCBCR = 0, 5, 6
OTHER_COLOR = {8: "CIELAB", 9: "ICCLAB", 10: "ITULAB", 32803: "raw camera", 32844: "LogL", 32845: "LogLuv"}
"""Kinds of color that OpenImageIO hands over as if they were R, G, B or gray."""


@dataclass(frozen=True)
class TiffPage:
    """One page.

    Attributes:
        photometric: what its samples mean (TIFF 6.0, tag 262).
        bits: of a sample.
        is_float: whether the samples are floating point.
        is_jpeg: whether the samples are packed as JPEG.
        has_straight_alpha: whether there is an alpha that the color is not multiplied by.
        end: one past the last byte that its strips or tiles take.
    """

    photometric: int
    bits: int
    is_float: bool
    is_jpeg: bool = False
    has_straight_alpha: bool = False
    end: int = 0


@dataclass(frozen=True)
class TiffPages:
    """What a file's directories say.

    Attributes:
        pages: those that could be read.
        is_cut: whether one that follows them lies beyond the end of the file.
    """

    pages: tuple[TiffPage, ...] = ()
    is_cut: bool = False


def tiff_pages(path: Path) -> TiffPages:
    """Read the directories of a TIFF or BigTIFF file; none where it is no such file."""
    pages: list[TiffPage] = []
    with path.open("rb") as stream:
        try:
            pages.extend(_pages(stream))  # what was read before an error stays
        except (struct.error, ValueError, OverflowError, OSError):
            return TiffPages(tuple(pages), is_cut=True)
    return TiffPages(tuple(pages))


def _pages(stream: BinaryIO) -> Iterator[TiffPage]:
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    if not order:
        return
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    at = struct.unpack(f"{order}Q", head[8:16])[0] if big else struct.unpack(f"{order}I", head[4:8])[0]
    seen: set[int] = set()
    while at and at not in seen and len(seen) < _MAX_PAGES:
        seen.add(at)
        entries, at = _directory(stream, at, order, big)
        yield _page(entries)


def _directory(
    stream: BinaryIO, at: int, order: str, big: bool
) -> tuple[dict[int, NDArray[np.unsignedinteger]], int]:
    """The values of the tags that count here, and where the next directory is."""
    end = stream.seek(0, 2)
    stream.seek(at)
    count = struct.unpack(f"{order}Q", stream.read(8))[0] if big else _short(stream, order)
    size = 20 if big else 12
    table = stream.read(min(count, 65536) * size)
    following = struct.unpack(f"{order}Q", stream.read(8))[0] if big else _long(stream, order)
    found = {}
    for entry in range(0, len(table) - size + 1, size):
        tag, kind = struct.unpack_from(f"{order}HH", table, entry)
        number = struct.unpack_from(f"{order}Q" if big else f"{order}I", table, entry + 4)[0]
        inline = table[entry + size - (8 if big else 4) : entry + size]
        length = number * _VALUE_BYTES.get(kind, 0)
        far = length > len(inline)
        lies = struct.unpack(f"{order}Q" if big else f"{order}I", inline)[0] if far else 0
        if far and tag in _NEEDED | _KEPT and lies + length > end:
            raise ValueError(f"the values of tag {tag} lie beyond the end")
        if tag not in _KEPT or kind not in _TYPES or number > _MAX_VALUES:
            continue
        if far:
            stream.seek(lies)
            inline = stream.read(length)
        found[tag] = np.frombuffer(inline, order + _TYPES[kind], int(number))
    return found, int(following)


def _short(stream: BinaryIO, order: str) -> int:
    return int(struct.unpack(f"{order}H", stream.read(2))[0])


def _long(stream: BinaryIO, order: str) -> int:
    return int(struct.unpack(f"{order}I", stream.read(4))[0])


def _page(entries: dict[int, NDArray[np.unsignedinteger]]) -> TiffPage:
    def first(tag: int, otherwise: int) -> int:
        values = entries.get(tag)
        return otherwise if values is None or not len(values) else int(values[0])

    end = 0
    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        if offsets in entries and counts in entries and len(entries[offsets]) == len(entries[counts]):
            ends = entries[offsets].astype(np.uint64) + entries[counts].astype(np.uint64)
            end = max(end, int(ends.max(initial=0)))
    extra = entries.get(_EXTRA_SAMPLES, np.empty(0, np.uint16))
    return TiffPage(
        photometric=first(_PHOTOMETRIC, 2),
        bits=first(_BITS, 1),
        is_float=first(_SAMPLE_FORMAT, 1) == 3,
        is_jpeg=first(_COMPRESSION, 1) in _JPEG,
        has_straight_alpha=_STRAIGHT in extra,
        end=end,
    )
