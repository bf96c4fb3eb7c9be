"""The fill alone, for a comp: premultiplied, with its alpha; merged over the plate it gives the output.

=================  =========================================================================================
``patch.R G B``    what is laid into the plate, in the plate's values, times its weight; beyond 1 where the
                   fill is
``patch.A``        the weight that it is laid in with
=================  =========================================================================================

A sequence of its own has them as ``R G B A``; a gray output has ``patch.Y`` and ``patch.A``. Halves where the
plate has them, else 32-bit floats: a plate of integers gets code values as 0..1, neither rounded nor clipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images import Header
from ..images.layers import Layers, patch_type
from ..images.plate import Window, to_native
from .paste import Fill

Floats = NDArray[np.float32]
Planes = Mapping[str, NDArray[Any]]

PREFIXES: Mapping[str, tuple[str, ...]] = {"patch": ("patch.",), "source": ("source.", "source_st.")}
"""How the names of the channels of each layer begin."""

NOWHERE = Box(0, 0, 1, 1)
"""Where layers lie that have nothing to say: a picture can't be empty."""


def patch_planes(fills: Sequence[Fill], box: Box, header: Header) -> dict[str, NDArray[Any]]:
    """Return the fill alone over a box as planes (h, w) `R`, `G`, `B`, `A`.

    Args:
        fills: what is laid into the plate; their holes lie in the box and don't meet.
        box: in pixels of the plate's data window.
        header: the plate's.
    """
    values = np.zeros((box.height, box.width, 4), np.float32)
    for fill in fills:
        there = values[fill.hole.box.moved(-box.x0, -box.y0).slices]
        weight = fill.hole.alpha[..., None]
        color = fill.values
        if header.is_gray:
            color = np.repeat(color.mean(axis=2, keepdims=True), 3, axis=2)
        np.copyto(there, np.concatenate([color * weight, weight], axis=2), where=weight > 0)
    stored = to_native(values, np.dtype(patch_type(header)), 0)
    return {name: stored[..., number] for number, name in enumerate("RGBA")}


def as_layer(planes: Planes, header: Header) -> dict[str, NDArray[Any]]:
    """Return the fill alone by the names that it has in the output: of a gray one, whose only colors those
    of the layer would be, ``patch.Y`` and ``patch.A``.
    """
    if header.is_gray:
        planes = {"Y": planes["R"], "A": planes["A"]}
    return {f"patch.{name}": values for name, values in planes.items()}


def layers_over(box: Box, planes: Planes, header: Header) -> Layers:
    """Return planes over a box of the plate's data window, as a file has them."""
    x, y = header.data_window[:2]
    return Layers(Window(x + box.x0, y + box.y0, box.width, box.height), planes)
