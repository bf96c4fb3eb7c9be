"""Channels by which frames are matched: comparisons of neighbouring cells, wired by hand into the encoders.

The published flow nets correlate whole feature maps. Features that are all positive and mostly brightness
correlate best where the source is bright, not where it matches. So each level also gets *census* bits (Zabih
and Woodfill, "Non-parametric local transforms for computing visual correspondence", ECCV 1994): for two cells
p and q near each other, a channel sigmoid(k * (x[p] - x[q])) and one sigmoid(k * (x[q] - x[p])). Their
products with another picture's sum to 1 where both agree, 0 where they contradict each other and 1/2 where
either is flat: contrast and exposure hardly matter, and every bit counts alike. A pair that touches the hole
or lies outside the picture has both channels 0, so that it speaks for no match.

It speaks against none either: one more channel holds how many of its pairs a target cell knows, and how many
a source cell does not know, so that places hidden in the source get the 1/2 that chance would give them.
Without it, matches shun the source's hole (and the best of 81 places, pooled over 15 cells around a cell in
the target's hole, was 12.3 pixels off on average instead of 9.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from .carriers import COLORS, C, W

FIRST = 5
"""Matching channels follow the five carriers."""
STRENGTH = 4.0
"""Value of a bit; large beside the carriers' 0..1, which the correlation hears too."""

_LUMA, _BLUE, _RED = (1 / 3, 1 / 3, 1 / 3), (0.5, -0.5, 0.0), (0.0, -0.5, 0.5)
_STEEPNESS = {"s2": 800.0, "s4": 1000.0, "s8": 1200.0}
"""Gate's slope over a difference of pictures in 0..1.

Softer bits favour sources of strong contrast, wherever they match: at a twentieth of these slopes the best of
81 places was more than a cell off in half of all cells, at these in three of ten.
"""
LAYERS = {"s2": "ec2", "s4": "ec3_2", "s8": "ec5"}

Cell = tuple[int, int]


def comparisons() -> Iterator[tuple[tuple[float, float, float], Cell, Cell]]:
    """Every bit: weights of B, G, R and the two cells (row, column) of the 3x3 kernel it compares."""
    opposite = (((1, 0), (1, 2)), ((0, 1), (2, 1)), ((0, 0), (2, 2)), ((0, 2), (2, 0)))
    for p, q in opposite:
        yield _LUMA, p, q
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                yield _LUMA, (row, column), (1, 1)
    for color in (_BLUE, _RED):
        for p, q in opposite:
            yield color, p, q


_BITS = len(list(comparisons()))
_CREDIT = STRENGTH * (2 * _BITS) ** 0.5
"""Squared, with both gates half open, the product of two cells whose bits agree by chance."""
COUNT = 2 * _BITS + 1


def wire_matching(state: dict[str, Tensor], encoder: str) -> None:
    """Write the matching channels of every level into an encoder's weights."""
    for level, layer in LAYERS.items():
        weight = state[f"{encoder}.{layer}.conv.weight"]
        value, gate = weight.chunk(2)
        rows = slice(FIRST, FIRST + COUNT)
        value[rows], gate[rows] = 0, 0
        for number, (color, p, q) in enumerate(comparisons()):
            for row, sign in ((FIRST + 2 * number, 1), (FIRST + 2 * number + 1, -1)):
                for cell, side in ((p, sign), (q, -sign)):
                    value[(row, W, *cell)] += STRENGTH
                    for channel, share in zip(COLORS, color, strict=True):
                        gate[(row, channel, *cell)] += side * share * _STEEPNESS[level]
                value[row, C, 1, 1] -= STRENGTH
        known = FIRST + 2 * _BITS
        share = _CREDIT / _BITS if encoder == "encoder1" else -_CREDIT / (2 * _BITS)
        for _, p, q in comparisons():
            for cell in (p, q):
                value[(known, W, *cell)] += share
        value[known, C, 1, 1] += _CREDIT if share < 0 else -_CREDIT
