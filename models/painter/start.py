"""Where the painter starts: rows that let different pictures look different twenty layers on.

A usual random start fades by half in every gated layer and hands down no gradient. So each row is zero-sum
noise and a part of its own channel, and then, layer by layer on one batch, every value is scaled to deviation
1 and mean 0.3 (`ReLU` lets most of it through); the memory's candidate to 0.7 and 0, where its tanh is steep.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from .hearing import Heard
from .network import LAYERS, OPEN, Layer, Painter

_OWN = 0.7
_OPEN = 2.0
_VALUE, _CANDIDATE = (1.0, 0.3), (0.7, 0.0)
"""Deviation and mean of a value before it is bent."""


@torch.no_grad()
def begin(painter: Painter, seen: Tensor, heard: Heard, seed: int) -> None:
    """Write the start into a painter.

    Args:
        painter: changed in place.
        seen, heard: one batch, some 32 pictures.
        seed: the same seed and batch give the same start.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in LAYERS:
        _draw(cast(nn.Conv2d, painter.convs[layer.name]), layer, generator)
    for output in (painter.whole, *painter.coarse.values()):
        weight = cast(Tensor, output.weight)
        weight.normal_(0, 0.1 / math.sqrt(weight[0].numel()), generator=generator)
        nn.init.zeros_(cast(Tensor, output.bias))
    nn.init.zeros_(painter.correction.weight)
    nn.init.zeros_(cast(Tensor, painter.correction.bias))
    nn.init.zeros_(painter.gate.weight)
    nn.init.constant_(cast(Tensor, painter.gate.bias), OPEN)
    painter(seen, heard, settle=_settle)


def _draw(conv: nn.Conv2d, layer: Layer, generator: torch.Generator) -> None:
    weight, bias = conv.weight, cast(Tensor, conv.bias)
    weight.normal_(0, 1 / math.sqrt(weight[0].numel()), generator=generator)
    weight -= weight.mean(dim=(1, 2, 3), keepdim=True)
    weight *= math.sqrt(1 - _OWN**2)
    rows = len(weight) // layer.parts
    own = torch.arange(min(rows, weight.shape[1]))
    for part in range(layer.parts):
        weight[part * rows + own, own, 1, 1] += _OWN
        opens = part != layer.value
        bias[part * rows : (part + 1) * rows] = _OPEN if opens else 0
        if opens:
            weight[part * rows : (part + 1) * rows] *= 0.5


def _settle(layer: Layer, conv: nn.Conv2d, taken: Tensor) -> None:
    rows = len(conv.weight) // layer.parts
    value = slice(layer.value * rows, (layer.value + 1) * rows)
    deviation, mean = _CANDIDATE if layer.kind == "memory" else _VALUE
    made = conv(taken)[:, value]
    spread, middle = torch.std_mean(made, dim=(0, 2, 3))
    scale = deviation / spread.clamp(min=1e-4)
    conv.weight[value] *= scale[:, None, None, None]
    bias = cast(Tensor, conv.bias)
    bias[value] = mean + (bias[value] - middle) * scale
