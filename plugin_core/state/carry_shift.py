"""Move what the network remembers along with its crop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..network.contract import Carry, Mask, Network, Picture

Arrays = Mapping[str, NDArray[np.float32]]


def shifted(network: Network, carry: Carry, picture: Picture, mask: Mask, *, right: int, down: int) -> Carry:
    """Return the carry of a crop as that of one which lies `right` and `down` network pixels from it.

    What both crops see keeps its memory. What only the new one sees is as it is before a shot's first frame:
    the memory is empty, the previous output is the plate with its hole left out.

    Args:
        network: gives the carry's arrays and takes them back.
        carry: after the step before.
        picture, mask: the frame of that step on the new crop.
        right, down: whole multiples of the network's size multiple.
    """
    fresh = network.fetch(network.start(picture, mask))
    moved = _moved(network.fetch(carry), fresh, mask.shape[-1], right, down)
    return network.put(moved)


def _moved(old: Arrays, fresh: Arrays, width: int, right: int, down: int) -> dict[str, NDArray[np.float32]]:
    moved = {}
    for name, before in old.items():
        if before.ndim < 2:
            moved[name] = before  # a number, not a picture
            continue
        scale = width // before.shape[-1]
        moved[name] = fresh[name].copy()
        to, of = _overlap(before.shape[-2:], right // scale, down // scale)
        moved[name][(..., *to)] = before[(..., *of)]
    return moved


def _overlap(size: tuple[int, ...], right: int, down: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns that both see: in the new crop, and in the old."""
    rows, columns = (_span(size[0], down), _span(size[1], right))
    return (rows[0], columns[0]), (rows[1], columns[1])


def _span(size: int, shift: int) -> tuple[slice, slice]:
    shared = max(0, size - abs(shift))
    new, old = max(0, -shift), max(0, shift)
    return slice(new, new + shared), slice(old, old + shared)
