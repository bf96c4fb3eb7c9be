"""Which channels a picture has, read from the file's beginning with the standard library alone."""

from __future__ import annotations

import struct
from pathlib import Path

_HEAD_BYTES = 1 << 16
_PNG_CHANNELS = {0: ("Y",), 2: ("R", "G", "B"), 3: ("R", "G", "B"), 4: ("Y", "A"), 6: ("R", "G", "B", "A")}


def channels_of(path: Path) -> tuple[str, ...]:
    """Return the channels of a PNG or OpenEXR file (its first part), by name; none if not known."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _PNG_CHANNELS.get(head[25], ())
        if head.startswith(b"\x76\x2f\x31\x01"):
            return tuple(_exr(head))
    except (OSError, IndexError, ValueError, struct.error):
        pass
    return ()


def _exr(head: bytes) -> list[str]:
    """Read the attribute ``channels`` (OpenEXR file layout: name, type, size, value)."""
    at = head.index(b"channels\0chlist\0") + len(b"channels\0chlist\0")
    (size,) = struct.unpack_from("<i", head, at)
    at += 4
    end, names = at + size, []
    while head[at] != 0 and at < end:
        stop = head.index(b"\0", at)
        names.append(head[at:stop].decode("utf-8", "replace"))
        # After the name: pixel type, linearity, three reserved bytes, and two samplings.
        at = stop + 1 + 16
    return names
