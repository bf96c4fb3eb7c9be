"""Frames beside, in cells: what the network composes a frame with before the painter and the interpolation.

A source shows the same picture under another hole, moved along a flow that may stray a little. At each level
the network takes what the sources cover and the frame lacks (`masks.py`): features, carriers and coverage
alike. Here one source stands for all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..wiring.masks import SHARPNESS, THRESHOLD
from ..wiring.start import GIVEN_SHARES

CELLS = {"s2": 1, "s4": 2, "s8": 4}
"""Cells of s2 that one of a level's is across."""
_FED_BACK = GIVEN_SHARES[-1]
"""What the previous output adds to what the sources cover; it is taken to show what they show."""

ALIKE, EXACT = 0.15, 0.4
"""How often a source has the frame's own hole, and how often its flow is exact."""
STRAYS, MISSES, MISSED = 0.6, 5.0, 0.25
"""Cells that a flow strays by at most, and one that followed something else; how often one does."""
LEAST, LEAST_MISSED = 0.3, 0.1
"""The least that a source is trusted, and that one that misses is."""
SOURCES = 3
"""A source that strays is the mean of up to so many."""


class Beside(NamedTuple):
    """What lies beside a batch of frames.

    Attributes:
        picture: as the source shows it at the frame's place, (B, 3, h, w), B, G, R in 0..1.
        known: the share of each cell that the source knows, (B, 1, h, w).
        trust: how far it is trusted, (B, 1, 1, 1), 0..1.
    """

    picture: Tensor
    known: Tensor
    trust: Tensor


class Composition(NamedTuple):
    """How frame and source are composed at a level: what is left of the frame's, and what the source adds."""

    own: Tensor
    source: Tensor

    def __call__(self, own: Tensor, source: Tensor) -> Tensor:
        """Compose features, (B, n, h, w) at the level."""
        return self.own.to(own.dtype) * own + self.source.to(own.dtype) * source


def compositions(known: Tensor, beside: Beside) -> dict[str, Composition]:
    """The compositions of s2, s4 and s8; `known`: (B, 1, h, w) at s2."""
    made = {}
    for level, cells in CELLS.items():
        ours, theirs = F.avg_pool2d(known, cells), F.avg_pool2d(beside.known, cells)
        apart = (ours - beside.trust * theirs - _FED_BACK).abs()
        mask = torch.sigmoid(SHARPNESS * (apart - THRESHOLD))
        made[level] = Composition(1 - mask, mask * (beside.trust + _FED_BACK))
    return made


def strayed(picture: Tensor, off: Tensor) -> Tensor:
    """Pictures (B, 3, h, w) moved by `off` (B, 2) cells, x first."""
    turn = torch.eye(2, device=off.device).expand(len(off), 2, 2)
    theta = torch.cat((turn, (2 * off / picture.shape[-1])[:, :, None]), dim=2)
    grid = F.affine_grid(theta, list(picture.shape), align_corners=False)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
