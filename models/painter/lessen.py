"""What a bundle has less of than the painter that learned: quiet channels, and a part of the correction."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import nn

from ..synthetic.pictures import Pictures
from .hearing import Hearing
from .network import LAYERS, Painter, loudness, seen_by_painter
from .samples import draw_batch

QUIET = 0.03
"""Root mean square below which a channel is left out."""
SHOWN = 0.35
"""How much of the correction a shot is shown. What is as good as sure on what it learned on is less so on
other plates, and what errs costs the square of its size. With more of it the network alone gains more, but a
default render of an evaluation clip loses over 0.2 dB."""

_SAMPLES, _CELLS, _SEED = 48, 64, 5
"""Of the procedural geometry that channels are listened to on: it needs no photographs."""


@torch.no_grad()
def leave_out_quiet(painter: Painter, hearing: Hearing, quiet: float = QUIET) -> dict[str, int]:
    """Silence what is quiet, so that pruning leaves it out; returns how many channels of which layers."""
    rng = np.random.default_rng(_SEED)
    batch = draw_batch(rng, Pictures(procedural=1), _SAMPLES, _CELLS, geometry=1.0)
    left: dict[str, int] = {}
    loud = loudness(painter, seen_by_painter(*batch), hearing(*batch))
    for layer in LAYERS:
        conv = cast(nn.Conv2d, painter.convs[layer.name])
        channels = (loud[layer.name] < quiet).nonzero().flatten()
        rows = layer.value * len(loud[layer.name]) + channels
        conv.weight[rows] = 0
        cast(torch.Tensor, conv.bias)[rows] = 0
        if len(channels):
            left[layer.name] = len(channels)
    return left


@torch.no_grad()
def show_in_part(painter: Painter, share: float = SHOWN) -> None:
    """Scale the correction."""
    for parameter in painter.correction.parameters():
        parameter.mul_(share)
