"""Channels that are wired by hand, and how a weight is written into them."""

from __future__ import annotations

from torch import Tensor

COLORS, W, C = (0, 1, 2), 3, 4
"""The carriers: premultiplied B, G, R; their coverage; the constant 1."""
CARRIERS = (*COLORS, W, C)
HOLE = 5
"""In the first encoder layer: four channels max(mask - 1/2, 0), one for each pixel of a cell."""


def tap(weight: Tensor, out: int, source: int, amount: float, kernel: Tensor | None = None) -> None:
    """Add `amount` times a 3x3 kernel (the centre alone by default) from channel `source` to row `out`."""
    plane = weight[out, source].view(-1, 3, 3)
    if kernel is None:
        plane[:, 1, 1] += amount
    else:
        plane += amount * kernel
