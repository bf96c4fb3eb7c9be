"""The network's last layers, from `dc3_1` to the picture, on the interpolation's fill.

They are wired and never learn. In cells the painter learns and is scored behind them, on what the network
shows, so that what it learns holds there as it is: a fill that is merged, spread and settled once more, a
correction that is enlarged, and a gate that shuts where plate or sources cover a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import upsample
from ..wiring.carriers import CARRIERS, COLORS, C, W
from ..wiring.start import lean_network

SIZE = {"s2": 64, "s4": 96, "s8": 128}
"""Channels of the network's levels."""
COVERED = 20
"""In `dc3_1` and `dc3_2`: how far plate and sources cover a cell, above a half."""
SHUT = 20.0
"""Taken off the correction's gate, times `COVERED`: the plate has 0.5 there, and its gate is shut."""
SETTLED = 0.745
"""What the first carrier's coverage mostly comes to in a hole, behind `dc3_2`."""

_FIRST = torch.arange(len(CARRIERS))
_MERGED = torch.arange(len(CARRIERS) + 4)
"""Behind `dc3_1`: the skip's carriers, and the coarser fill's beside them."""


def wire_covered(state: Mapping[str, Tensor]) -> None:
    """Add the channel that says how far a cell is covered to a network's weights."""
    for name, column in (("dc3_1", SIZE["s2"] + W), ("dc3_2", COVERED)):
        state[f"decoder.{name}.conv.weight"][COVERED, column, 0, 1, 1] = 2.0
    state["decoder.dc3_2.conv.weight"][COVERED, C, 0, 1, 1] = -1.0


def in_cells(correction: Tensor) -> Tensor:
    """Means over cells, (B, 3, h, w), of a correction at s1, (B, 3, 2 * h, 2 * w), once it is enlarged."""
    return F.avg_pool2d(upsample(correction, 2), 4)


class Tail(nn.Module):
    """The layers, on the channels that a wired network has there."""

    def __init__(self) -> None:
        super().__init__()
        for name, kernel in _kernels().items():
            self.register_buffer(name, kernel.clone(), persistent=False)

    @torch.no_grad()
    def forward(self, filled: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        """Go on from the interpolation's fill.

        Args:
            filled: what `dc2_2` gives, premultiplied B, G, R in 0..1 and coverage, (B, 4, h, w).
            skip: what is known at s2, of the frame and of what is beside, likewise.

        Returns:
            What the correction hears behind `dc3_2`, (B, 5, h, w): 2 * color - coverage, then coverage, in
            units of `SETTLED`, and how far a cell is covered. And the fill as the network shows it, (B, 3, h,
            w), B, G, R in 0..1.
        """
        one = torch.ones_like(skip[:, :1])
        x = torch.cat((filled, one, skip, one), dim=1)
        for name in ("dc3_1", "dc3_2"):
            value, gate = F.conv2d(x, self.get_buffer(name), padding=1).chunk(2, dim=1)
            x = torch.sigmoid(gate) * F.relu(value)
        carriers, covered = x[:, : len(CARRIERS)], x[:, len(CARRIERS) :]
        color, coverage = carriers[:, :W] / SETTLED, carriers[:, W : W + 1] / SETTLED
        last = torch.cat((2 * color - coverage, coverage, covered), dim=1)
        value, gate = F.conv2d(upsample(carriers, 2), self.get_buffer("dc4"), padding=1).chunk(2, dim=1)
        x = upsample(torch.sigmoid(gate) * F.leaky_relu(value, 0.2), 2)
        value, gate = F.conv2d(x, self.get_buffer("dc5"), padding=1).chunk(2, dim=1)
        shown = F.conv2d(torch.sigmoid(gate) * F.relu(value), self.get_buffer("dc6"), padding=1)
        return last, F.avg_pool2d((shown + 1) / 2, 4)


@lru_cache(maxsize=1)
def _kernels() -> dict[str, Tensor]:
    """Weights of the wired layers, by name, cut to the channels that live."""
    state = lean_network(512, takes_flows=True).state_dict()
    wire_covered(state)
    covered = torch.tensor([COVERED])
    merged, last = torch.cat((_MERGED, covered)), torch.cat((_FIRST, covered))
    cut = {
        "dc3_1": (state["decoder.dc3_1.conv.weight"], merged, torch.cat((_FIRST, SIZE["s2"] + _FIRST))),
        "dc3_2": (state["decoder.dc3_2.conv.weight"], last, merged),
        "dc4": (state["decoder.dc4.conv.1.weight"], _FIRST, _FIRST),
        "dc5": (state["decoder.dc5.conv.weight"], _FIRST, _FIRST),
    }
    made = {}
    for name, (weight, rows, columns) in cut.items():
        both = torch.cat((rows, len(weight) // 2 + rows))
        made[name] = weight[both[:, None], columns, 0]
    made["dc6"] = state["decoder.dc6.weight"][torch.tensor(COLORS)[:, None], _FIRST, 0]
    return made
