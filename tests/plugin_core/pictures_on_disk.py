"""Picture files for tests: written through OpenImageIO, or byte by byte to be independent of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.images import Plate

GEOMETRY = (
    "x",
    "y",
    "width",
    "height",
    "full_x",
    "full_y",
    "full_width",
    "full_height",
    "tile_width",
    "tile_height",
)
PIXEL_TYPES = {np.dtype("<u4"): 0, np.dtype("<f2"): 1, np.dtype("<f4"): 2}


def spec_of(
    width: int, height: int, names: Sequence[str], types: str | Sequence[str], **details: Any
) -> oiio.ImageSpec:
    """A spec; `details` are its geometry, or attributes (``__`` stands for a colon)."""
    kinds = [types] * len(names) if isinstance(types, str) else list(types)
    spec = oiio.ImageSpec(width, height, len(names), kinds[0])
    spec.channelnames = tuple(names)
    if len(set(kinds)) > 1:
        spec.channelformats = tuple(oiio.TypeDesc(kind) for kind in kinds)
    for name, value in details.items():
        if name in GEOMETRY:
            setattr(spec, name, value)
        else:
            spec.attribute(name.replace("__", ":"), value)
    return spec


def save(path: Path, *parts: tuple[oiio.ImageSpec, NDArray[Any]]) -> Path:
    """Write the parts through OpenImageIO."""
    out = oiio.ImageOutput.create(str(path))
    specs = tuple(spec for spec, _ in parts)
    several = len(parts) > 1 and path.suffix == ".exr"
    assert out.open(str(path), specs) if several else out.open(str(path), specs[0]), out.geterror()
    for index, (spec, pixels) in enumerate(parts):
        if index:
            assert out.open(str(path), spec, "AppendSubimage"), out.geterror()
        assert out.write_image(pixels), out.geterror()
    assert out.close()
    out.geterror()
    return path


def save_exr_by_hand(
    path: Path, channels: dict[str, NDArray[Any]], attributes: dict[str, tuple[str, bytes]] | None = None
) -> Path:
    """Write an uncompressed scanline EXR, its bytes laid down here. All channels are (H, W)."""
    names = sorted(channels)
    height, width = channels[names[0]].shape
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<4i", PIXEL_TYPES[channels[name].dtype], 0, 1, 1)
        for name in names
    )
    entries = {
        "channels": ("chlist", listed + b"\0"),
        "compression": ("compression", b"\0"),
        "dataWindow": ("box2i", box),
        "displayWindow": ("box2i", box),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1)),
        "screenWindowCenter": ("v2f", struct.pack("<2f", 0, 0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
    } | (attributes or {})
    header = struct.pack("<2i", 20000630, 2)
    for name, (kind, value) in entries.items():
        header += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
    header += b"\0"
    rows = [b"".join(channels[name][y].tobytes() for name in names) for y in range(height)]
    start = len(header) + 8 * height
    table = b"".join(struct.pack("<Q", start + y * (8 + len(rows[0]))) for y in range(height))
    body = b"".join(struct.pack("<2i", y, len(row)) + row for y, row in enumerate(rows))
    path.write_bytes(header + table + body)
    return path


def save_png_by_hand(path: Path, rgb: NDArray[np.uint8], chunks: dict[str, bytes]) -> Path:
    """Write an 8-bit RGB PNG with the given chunks before its pixels."""
    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    all_chunks = [("IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *chunks.items()]
    all_chunks += [("IDAT", zlib.compress(rows)), ("IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for name, value in all_chunks:
        body = name.encode() + value
        data += struct.pack(">I", len(value)) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data)
    return path


def color_profile() -> bytes:
    """A small valid ICC profile (RGB matrix with gamma 2.2)."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    title = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {"desc": title, "cprt": b"text\0\0\0\0none\0\0\0\0", "wtpt": xyz(0.9642, 1, 0.8249)}
    tags |= {
        "rXYZ": xyz(0.436, 0.222, 0.014),
        "gXYZ": xyz(0.385, 0.717, 0.097),
        "bXYZ": xyz(0.143, 0.061, 0.714),
    }
    tags |= {"rTRC": curve, "gTRC": curve, "bTRC": curve}
    start = 128 + 4 + 12 * len(tags)
    table = body = b""
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name.encode() + struct.pack(">II", start + len(body), len(value))
        body += value
    white = (0xF6D6, 0x10000, 0xD32D)
    head = struct.pack(
        ">I4sI4s4s4s6H4s4sIIIQI3I4s44x", start + len(body), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ",
        2020, 1, 1, 0, 0, 0, b"acsp", b"APPL", 0, 0, 0, 0, 0, *white, b"lcms",
    )  # fmt: skip
    return head + struct.pack(">I", len(tags)) + table + body


def exr_attributes(path: Path) -> dict[str, tuple[str, bytes]]:
    """The first header of an EXR file as the bytes in it: name -> (type, value)."""
    data = path.read_bytes()
    at = 8
    found = {}
    while data[at]:
        name_end = data.index(0, at)
        kind_end = data.index(0, name_end + 1)
        size = struct.unpack_from("<i", data, kind_end + 1)[0]
        value = data[kind_end + 5 : kind_end + 5 + size]
        found[data[at:name_end].decode()] = (data[name_end + 1 : kind_end].decode(), value)
        at = kind_end + 5 + size
    return found


def native_channels(path: Path) -> list[NDArray[Any]]:
    """Every channel of every part in its own type, read through OpenImageIO without our code."""
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:RawColor", 1)
    file = oiio.ImageInput.open(str(path), hints)
    assert file is not None, oiio.geterror()
    planes = []
    part = 0
    while file.seek_subimage(part, 0):
        spec = file.spec()
        for channel in range(spec.nchannels):
            pixels = file.read_image(part, 0, channel, channel + 1, spec.channelformat(channel))
            assert pixels is not None, file.geterror()
            planes.append(pixels[..., 0])
        part += 1
    file.close()
    oiio.geterror()
    return planes


def described(path: Path, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Geometry, channels and attributes of every part, for comparison."""
    file = oiio.ImageInput.open(str(path))
    parts = []
    while file.seek_subimage(len(parts), 0):
        spec = file.spec()
        part: dict[str, Any] = {name: getattr(spec, name) for name in GEOMETRY}
        part["channels"] = [(name, str(spec.channelformat(i))) for i, name in enumerate(spec.channelnames)]
        for attribute in spec.extra_attribs:
            if attribute.name not in without:
                part[attribute.name] = (str(attribute.type), attribute.value)
        parts.append(part)
    file.close()
    oiio.geterror()
    return parts


def random_fill(
    plate: Plate, seed: int = 0, share: float = 0.2
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A random picture in 0..1 and the pixels to put it in."""
    rng = np.random.default_rng(seed)
    shape = (plate.header.height, plate.header.width)
    return rng.random((*shape, 3), dtype=np.float32), rng.random(shape) < share


def save_tiff_by_hand(
    path: Path,
    size: tuple[int, int],
    strips: Sequence[bytes],
    tags: dict[int, tuple[str, tuple[int, ...]]],
    rows: int,
) -> Path:
    """Write a little-endian TIFF whose directory comes before its strips; `tags`: struct type and values."""
    types = {"H": 3, "I": 4, "Q": 5}  # Q: rationals, numerator and denominator as two I
    width, height = size
    entries = {
        256: ("H", (width,)), 257: ("H", (height,)), 259: ("H", (1,)), 273: ("I", (0,) * len(strips)),
        278: ("H", (rows,)), 279: ("I", tuple(len(strip) for strip in strips)), 284: ("H", (1,)),
    } | tags  # fmt: skip
    start = 8 + 2 + 12 * len(entries) + 4
    sizes = {tag: len(values) * (2 if kind == "H" else 4) for tag, (kind, values) in entries.items()}
    first = start + sum(size + size % 2 for size in sizes.values() if size > 4)
    begins = [first + sum(map(len, strips[:index])) for index in range(len(strips))]
    entries[273] = ("I", tuple(begins))
    table = extra = b""
    for tag, (kind, values) in sorted(entries.items()):
        raw = struct.pack(f"<{len(values)}{'H' if kind == 'H' else 'I'}", *values)
        count = len(values) // (2 if kind == "Q" else 1)
        table += struct.pack("<HHI", tag, types[kind], count)
        if len(raw) > 4:
            table += struct.pack("<I", start + len(extra))
            extra += raw + bytes(len(raw) % 2)
        else:
            table += raw.ljust(4, b"\0")
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    path.write_bytes(head + table + bytes(4) + extra + b"".join(strips))
    return path


def save_ycbcr_by_hand(
    path: Path, size: tuple[int, int], subsampling: tuple[int, int], rows: int
) -> NDArray[np.float64]:
    """Write a random uncompressed YCbCr TIFF; returns the R, G, B (H, W, 3) that it stands for, 0..255."""
    (width, height), (across, down) = size, subsampling
    units = (-(-height // down), -(-width // across))
    data = np.random.default_rng(0).integers(0, 256, (*units, across * down + 2), dtype=np.uint8)
    strips = [data[top : top + rows // down].tobytes() for top in range(0, units[0], rows // down)]
    tags = {
        258: ("H", (8, 8, 8)), 262: ("H", (6,)), 277: ("H", (3,)), 530: ("H", subsampling),
        529: ("Q", (299, 1000, 587, 1000, 114, 1000)),
        532: ("Q", (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)),
    }  # fmt: skip
    save_tiff_by_hand(path, size, strips, tags, rows)
    luma = data[..., :-2].reshape(*units, down, across).transpose(0, 2, 1, 3)
    y = luma.reshape(units[0] * down, units[1] * across)[:height, :width].astype(np.float64)
    chroma = np.repeat(np.repeat(data[..., -2:].astype(np.float64) - 128, down, 0), across, 1)
    cb, cr = np.moveaxis(chroma[:height, :width], 2, 0)
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2)
    clipped: NDArray[np.float64] = np.clip(rgb, 0, 255)
    return clipped


def save_png_bomb(path: Path, side: int) -> Path:
    """Write a black PNG of one bit a pixel, a thousandth of its pixels in size."""
    row = bytes(1 + -(-side // 8))
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, value in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")):
        data += struct.pack(">I", len(value)) + name + value + struct.pack(">I", zlib.crc32(name + value))
    path.write_bytes(data)
    return path
