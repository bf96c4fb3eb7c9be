"""What a PNG file says about its color, chunk by chunk: OpenImageIO takes an untagged PNG for sRGB."""

from __future__ import annotations

import struct
from pathlib import Path

_COLOR = {"sRGB", "gAMA", "iCCP", "cICP"}
_KEPT = _COLOR | {"IHDR", "PLTE", "tRNS", "pHYs", "tEXt", "zTXt", "iTXt", "tIME", "eXIf", "oFFs"}


def chunks_before_pixels(path: Path) -> list[str]:
    """Names of the chunks up to the first IDAT, in order; empty when this is no PNG file."""
    names: list[str] = []
    with path.open("rb") as stream:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            return names
        while len(head := stream.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            if name in (b"IDAT", b"IEND"):
                break
            names.append(name.decode("latin-1"))
            stream.seek(size + 4, 1)
    return names


def is_untagged(chunks: list[str]) -> bool:
    """Whether nothing is said about color."""
    return not _COLOR & set(chunks)


def not_kept(chunks: list[str]) -> list[str]:
    """Chunks that do not come back when the picture is written (cHRM comes with sRGB)."""
    kept = _KEPT | ({"cHRM"} if "sRGB" in chunks else set())
    return sorted(set(chunks) - kept)
