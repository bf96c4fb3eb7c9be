"""What each pixel of a hole is and where it came from, for a comp.

=====================  ===================================================================================
``source.class``       0 outside the hole, 1 real, 2 referenced, 3 painted, 4 the network's, 5 left as the
                       plate has it, 9 any other: of a mixture the class that has most of it
``source.frame``       the frame that it came from; of a painted pixel its key frame. 0 where there is none
``source.share``       how much of the pixel is of this class, 0..1
``source.alone``       how much of that is a sample of this place alone, 0..1; less where several frames agree
                       or the picture was softened
``source_st.u`` ``v``  where it came from in that frame: columns to the right and rows upward, 0 to 1 over
                       the display window, measured at pixel centers. 0 where there is no place
=====================  ===================================================================================

All are 32-bit floats: halves hold no frame beyond 2048, and no place in a wide picture. They are data: no
color transform has to touch them, and between two pixels they must not be interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images import Header
from ..patch import Patch
from ..regions.hole import Hole

Floats = NDArray[np.float32]

CLASSES: Mapping[str, int] = {"found": 1, "referenced": 2, "painted": 3, "guessed": 4, "left": 5}
OTHER = 9
"""The number of each class, and of one that has none of its own."""

NAMES = ("source.class", "source.frame", "source.share", "source.alone", "source_st.u", "source_st.v")


def source_planes(
    hole: Hole | None, patch: Patch | None, rest: str, header: Header, box: Box
) -> dict[str, NDArray[Any]]:
    """Return the source layers over a box as planes (h, w).

    Args:
        hole: the frame's, in the box; None for none.
        patch: what was found for it, with its origins and places.
        rest: the class of what was not.
        header: the plate's.
        box: in pixels of the plate's data window.
    """
    planes = {name: np.zeros((box.height, box.width), np.float32) for name in NAMES}
    if hole is None:
        return planes
    values = _values(hole, patch, rest, header)
    for name, whole in planes.items():
        whole[hole.box.moved(-box.x0, -box.y0).slices] = values[name]
    return planes


def _values(hole: Hole, patch: Patch | None, rest: str, header: Header) -> dict[str, Floats]:
    inside = hole.alpha > 0
    origins = {} if patch is None else dict(patch.origins)
    known = sum(origins.values(), np.zeros_like(hole.alpha))
    origins[rest] = np.clip(1 - known, 0, 1) + origins.get(rest, 0)
    stack = np.stack(list(origins.values()))
    best = stack.argmax(axis=0)
    share = np.where(inside, np.take_along_axis(stack, best[None], axis=0)[0], 0).astype(np.float32)
    numbers = np.array([CLASSES.get(name, OTHER) for name in origins], np.float32)
    values = {name: np.zeros_like(share) for name in NAMES}
    values["source.class"] = np.where(inside, numbers[best], 0).astype(np.float32)
    for number, name in enumerate(origins):
        places = None if patch is None else patch.places.get(name)
        if places is None:
            continue
        here = inside & (best == number) & (places.share > 0)
        values["source.frame"][here] = places.frame[here]
        values["source.alone"][here] = places.share[here]
        u, v = st_map(places.x, places.y, header)
        values["source_st.u"][here], values["source_st.v"][here] = u[here], v[here]
    values["source.share"] = share
    return values


def st_map(x: NDArray[Any], y: NDArray[Any], header: Header) -> tuple[Floats, Floats]:
    """Return places as an ST-map has them.

    Args:
        x, y: columns and rows of the plate's data window, at pixel centers, y downward.
        header: the plate's.

    Returns:
        u and v, float32: to the right and upward, 0..1 over the display window, pixel centers at halves.
    """
    left, top = header.data_window[:2]
    display = header.display_window
    u = (x.astype(np.float64) + (left - display.x + 0.5)) / display.width
    v = 1 - (y.astype(np.float64) + (top - display.y + 0.5)) / display.height
    return u.astype(np.float32), v.astype(np.float32)
