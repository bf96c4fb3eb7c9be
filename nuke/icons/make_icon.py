"""Draw the node's icon: python make_icon.py. A plate with a hole, half of it filled."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

SIZE, FINE = 24, 8
_SKY, _GROUND, _EDGE = (96, 150, 200), (88, 128, 84), (40, 44, 52)
_RED, _WHITE = (214, 69, 65), (240, 240, 240)


def color(x: float, y: float) -> tuple[int, int, int, int]:
    """Return red, green, blue, alpha at a place in 0..24 from the upper left."""
    if not (1 <= x < 23 and 3 <= y < 21):
        return 0, 0, 0, 0
    if x < 2.2 or x >= 21.8 or y < 4.2 or y >= 19.8:
        return (*_EDGE, 255)
    picture = _SKY if y < 14 - 2.5 * (x - 12) / 12 else _GROUND
    away = ((x - 12) ** 2 + (y - 12) ** 2) ** 0.5
    if 5.0 <= away < 6.2:
        return (*_WHITE, 255)
    if away < 5.0 and x - 12 < (12 - y):
        return (*_RED, 255)
    return (*picture, 255)


def pixel(x: int, y: int) -> bytes:
    """Return a pixel as the mean of a fine grid, colors weighted by alpha."""
    grid = [color(x + (i + 0.5) / FINE, y + (j + 0.5) / FINE) for i in range(FINE) for j in range(FINE)]
    alpha = sum(sample[3] for sample in grid)
    mixed = [sum(sample[c] * sample[3] for sample in grid) // max(alpha, 1) for c in range(3)]
    return bytes([*mixed, alpha // len(grid)])


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    """Write the icon beside this file."""
    lines = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    Path(__file__).with_name("cleanplate_inpaint.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


if __name__ == "__main__":
    main()
