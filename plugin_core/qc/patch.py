"""Whether a frame's patch is there, and gives the result when it is merged over the plate."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..errors import ImageError
from ..images import Plate, Window, read_plate
from ..images.convert import moved
from ..render.sources import Sources

PatchState = Literal["", "ok", "missing", "unlike"]
"""Of a frame: nothing was asked for, as it should be, not there (or no such picture), not the result's."""

_PART, _LEAST = 4e-3, 2e-3
"""How far floating-point values may be off: a share of what is merged, and at least so much."""


def patch_state(sources: Sources, frame: int, plate: Plate, result: Plate, box: Box | None) -> PatchState:
    """Say of a frame's patch what it is.

    Args:
        sources: of the shot: where patches lie.
        frame: its number.
        plate: the untouched plate.
        result: what was written, on the plate's canvas.
        box: around the frame's hole; None for no hole.
    """
    if sources.patch is None and "patch" not in sources.layers:
        return ""
    path = None if sources.patch is None else sources.patch.path(frame)
    try:
        picture = result if path is None else read_plate(path)
        there = box or Box(0, 0, 1, 1)
        patch = _channels(picture, plate, "patch." if path is None else "", there)
    except (ImageError, ValueError):
        return "missing"
    under, clean = plate.crop(*there), result.crop(*there)
    merged = patch[..., :3] + under * (1 - patch[..., 3:])
    bits = result.header.bits
    apart = np.abs(np.clip(merged, 0, 1) - clean) if bits else np.abs(merged - clean)
    allowed = 1.01 / ((1 << bits) - 1) if bits else _PART * (np.abs(patch[..., :3]) + np.abs(under)) + _LEAST
    # What is NaN in the plate can't be merged.
    return "unlike" if (apart > allowed)[np.isfinite(under)].any() else "ok"


def _channels(picture: Plate, plate: Plate, prefix: str, box: Box) -> NDArray[np.float32]:
    """Return R, G, B and A (h, w, 4) over a box of the plate's canvas. Raises ValueError."""
    header, part = picture.header, picture.parts[picture.header.part]
    x, y = plate.header.data_window[:2]
    wanted = Window(x + box.x0, y + box.y0, box.width, box.height)
    names = "YYYA" if prefix and header.is_gray else "RGBA"
    planes = [part.channel(header.channels.index(f"{prefix}{name}")) for name in names]
    stacked = np.stack([plane.astype(np.float32) for plane in planes], axis=2)
    return moved(stacked, Window.of_data(part.spec), wanted)
