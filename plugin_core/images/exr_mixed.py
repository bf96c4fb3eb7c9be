"""Write an EXR part whose channels differ in type without changing a bit.

OpenImageIO takes pixels from Python in one type for all channels and converts: 32-bit integers lose their low
bits on the way through float, signalling NaNs become quiet. Only its ``copy_image`` passes channels through
as they are. So such a part is first laid down as a plain uncompressed EXR beside the output, the simplest
file that keeps every type, and copied from there.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..disk.atomic import passing
from .complaints import complaint
from .plate import Part

_PIXEL_TYPES = {"uint32": 0, "float16": 1, "float32": 2}


def needs_copy(part: Part) -> bool:
    """Whether conversion through float32 would change the part: uint beside another type, or a signalling
    NaN.
    """
    if len(part.groups) == 1:
        return False
    return any(g.pixels.dtype == np.uint32 or _signals(g.pixels) for g in part.groups)


def _signals(pixels: NDArray[Any]) -> bool:
    if pixels.dtype != np.float16:
        return False
    magnitude = pixels.view(np.uint16) & 0x7FFF
    return bool(((magnitude > 0x7C00) & (magnitude < 0x7E00)).any())


def copy_exact(file: oiio.ImageOutput, part: Part, beside: Path) -> bool:
    """Write the part into an open OpenImageIO output, exactly; False when it reports an error.

    Raises OSError when the intermediate file can't be written.
    """
    with passing(beside.with_name(f"{beside.stem}-plain.exr")) as plain:
        _write_plain(part, plain)
        _need_space(part, plain)
        source = oiio.ImageInput.open(str(plain))
        if source is None:
            raise OSError(complaint())
        try:
            return bool(file.copy_image(source))
        finally:
            source.close()


def _need_space(part: Part, beside: Path) -> None:
    """Leave room for the copy before it starts: OpenEXR waits forever when a tiled copy runs out of disk."""
    size = sum(group.pixels.nbytes for group in part.groups)
    if shutil.disk_usage(beside.parent).free < size + (1 << 20):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_plain(part: Part, path: Path) -> None:
    """Uncompressed scanlines (OpenEXR file layout): per row, each channel in alphabetical order."""
    spec = part.spec
    names = list(spec.channelnames)
    order = sorted(range(len(names)), key=lambda c: names[c].encode())
    planes = [part.channel(c) for c in order]
    row_bytes = sum(plane.dtype.itemsize for plane in planes) * spec.width
    header = _plain_header(part, [names[c] for c in order], planes)
    rows = np.empty((spec.height, 8 + row_bytes), np.uint8)
    rows[:, :4] = np.arange(spec.y, spec.y + spec.height, dtype="<i4")[:, None].view(np.uint8)
    rows[:, 4:8] = np.frombuffer(struct.pack("<i", row_bytes), np.uint8)
    at = 8
    for plane in planes:
        width = plane.dtype.itemsize * spec.width
        rows[:, at : at + width] = np.ascontiguousarray(plane).view(np.uint8).reshape(spec.height, width)
        at += width
    first = len(header) + 8 * spec.height
    offsets = first + (8 + row_bytes) * np.arange(spec.height, dtype="<u8")
    with path.open("xb") as stream:
        stream.write(header)
        stream.write(offsets.tobytes())
        stream.write(rows.data)


def _plain_header(part: Part, names: list[str], planes: list[NDArray[Any]]) -> bytes:
    spec = part.spec
    channels = b"".join(
        name.encode() + b"\0" + struct.pack("<iiii", _PIXEL_TYPES[str(plane.dtype)], 0, 1, 1)
        for name, plane in zip(names, planes, strict=True)
    )
    data = struct.pack("<4i", spec.x, spec.y, spec.x + spec.width - 1, spec.y + spec.height - 1)
    far = (spec.full_x + spec.full_width - 1, spec.full_y + spec.full_height - 1)
    display = struct.pack("<4i", spec.full_x, spec.full_y, *far)
    long_names = 0x400 if any(len(name.encode()) > 31 for name in names) else 0
    return b"".join(
        (
            struct.pack("<ii", 20000630, 2 | long_names),
            _attribute("channels", "chlist", channels + b"\0"),
            _attribute("compression", "compression", b"\0"),
            _attribute("dataWindow", "box2i", data),
            _attribute("displayWindow", "box2i", display),
            _attribute("lineOrder", "lineOrder", b"\0"),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<ff", 0.0, 0.0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1.0)),
            b"\0",
        )
    )


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
