"""The painter written into the network: its rows stand beside the wired carriers, layer by layer.

What it saw in cells it sees here through the carriers (2 * color - coverage, 1, coverage), and its biases
stand on the constant carrier's centre tap. No carrier hears it before `dc4`: there its correction comes in,
signed as two rows each, through a gate that shuts where the plate or a source covers the cell, since it was
taught on what nobody shows.

The correction and its gate stand there as they are in cells, where `tail.py` has the network's last layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import VINet
from ..wiring.carriers import COLORS, C, W
from ..wiring.interpolation import Interpolation, wire_interpolation
from ..wiring.masks import SHARPNESS, THRESHOLD
from ..wiring.matching import COUNT, FIRST
from ..wiring.matching import LAYERS as MATCHED
from ..wiring.start import GIVEN_SHARES, lean_network
from .hearing import MEMORY_CONSTANT
from .network import LAYERS, SHARE, Layer, Painter
from .tail import COVERED, SETTLED, SHUT, SIZE, wire_covered

ROWS = {"s2": 32, "s4": 32, "s8": 48}
"""Where the painter's rows begin at each level, behind the interpolation's carriers."""
_DC4, _DC5 = 8, 5
"""Where the correction's rows begin, B, G, R and then their opposites."""
_FORGET = -8.0

_ENCODER = ("ec2", "ec3_1", "ec3_2", "ec4_1", "ec4", "ec5")
_BOTTLENECK = ("bt0", "bt1", "bt2", "bt3")


class Inside(nn.Module):
    """What the painter has in the network and not in cells.

    Args:
        painter: whose widths it follows.

    Attributes:
        recall: what the memory's parts (take, keep, show, candidate) hear of what it hid before, no bias.
        keep: the forget gate over what comes in; it begins shut, as in cells.
    """

    def __init__(self, painter: Painter) -> None:
        super().__init__()
        widths = painter.widths
        self.recall = nn.Conv2d(widths.s8, 4 * widths.s8, 3, padding=1, bias=False)
        self.keep = nn.Conv2d(widths.s8, widths.s8, 3, padding=1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        nn.init.constant_(cast(Tensor, self.keep.bias), _FORGET)


def wired_network(interpolation: Interpolation) -> VINet:
    """The network that the painter's rows are written into: as shipped, with room beside the carriers."""
    network = lean_network(512, takes_flows=True)
    state = network.state_dict()
    for encoder in ("encoder1", "encoder2"):
        for layer in MATCHED.values():  # heard by flow nets alone, and there are none where flows are given
            for part in state[f"{encoder}.{layer}.conv.weight"].chunk(2):
                part[FIRST : FIRST + COUNT] = 0
    wire_interpolation(state, interpolation)
    return network


def with_painter(
    state: Mapping[str, Tensor],
    painter: Painter,
    inside: Inside,
    units: Mapping[str, float],
    *,
    sources: bool,
) -> dict[str, Tensor]:
    """The weights of a `wired_network` with the painter in them; gradients flow to painter and `inside`.

    Args:
        state: the network's weights; left as they are.
        units: how loud each level is that the painter hears; see `Hearing.units`.
        sources: whether the painter sees the frames beside and the previous output too (the second encoder
            and the aggregators have its rows), or the target alone.
    """
    written = {key: value.detach().clone() for key, value in state.items()}
    for layer in LAYERS:
        rows = ROWS[layer.level] + torch.arange(getattr(painter.widths, layer.level))
        for key, at in _places(layer, sources):
            _write(written[key], layer, rows, _kernels(layer, painter, units, at, 1 if sources else _KEPT))
        if layer.kind == "memory":
            _remember(written, inside, cast(nn.Conv2d, painter.convs[layer.name]), rows)
    if sources:
        for name, level in (("st_agg", "s8"), ("st_agg_64", "s4"), ("st_agg_128", "s2")):
            weight = written[f"{name}.stAgg.conv.weight"]
            channels = ROWS[level] + torch.arange(getattr(painter.widths, level))
            weight[channels, channels] = weight[W, W].clone()
    _correct(written, painter, ROWS["s2"] + torch.arange(painter.widths.s2))
    return written


_KEPT = 1 / (1 + math.exp(SHARPNESS * (GIVEN_SHARES[-1] - THRESHOLD)))
"""What the composition leaves of rows that the target alone has, where nothing beside shows more."""
_Kernels = list[tuple[Tensor, Tensor]]
"""Pairs of columns of the network and the kernels, (rows, columns, 3, 3), that stand there."""


def _places(layer: Layer, sources: bool) -> list[tuple[str, dict[str, int]]]:
    """The layer's weights in the network, and where what it takes begins: "before", "skip", "constant"."""
    name = layer.name
    if name in _ENCODER:
        encoders = ("encoder1", "encoder2") if sources else ("encoder1",)
        return [(f"{encoder}.{name}.conv.weight", {"before": 0, "constant": C}) for encoder in encoders]
    if name in _BOTTLENECK:
        composed = SIZE["s8"] if name == "bt0" else 0
        heard = composed if sources else 0
        return [(f"bottleneck.{name}.conv.weight", {"before": heard, "constant": composed + C})]
    if name == "memory":
        return [("convlstm.Gates.weight", {"before": 0})]
    middle = "conv.1" if layer.kind == "enlarged" else "conv"
    at = {"before": 0, "constant": C}
    if layer.skip:
        size = SIZE["s4" if name == "dc2_1" else "s2"]
        at |= {"skip": size, "constant": size + C}
    return [(f"decoder.{name}.{middle}.weight", at)]


def _kernels(
    layer: Layer, painter: Painter, units: Mapping[str, float], at: dict[str, int], kept: float
) -> _Kernels:
    """The layer's kernels, in the network's terms; `kept`: what the composition leaves of a skip."""
    conv = cast(nn.Conv2d, painter.convs[layer.name])
    weight, bias = conv.weight, cast(Tensor, conv.bias)
    if layer.name == "ec2":
        return [_as_carriers(weight[:, :3], weight[:, 4:], 0), _on_constant(weight[:, 3:4] + _tap(bias), C)]
    order = [each.name for each in LAYERS]
    before = LAYERS[order.index(layer.name) - 1]
    taken = [(before, at["before"])]
    if layer.skip:
        taken.append((LAYERS[order.index(layer.skip)], at["skip"]))
    found: _Kernels = []
    first = 0
    for giver, offset in taken:
        count: int = getattr(painter.widths, giver.level)
        columns = offset + ROWS[giver.level] + torch.arange(count)
        kernel = weight[:, first : first + count]
        found.append((columns, kernel / kept if giver.name == layer.skip else kernel))
        first += count
    if layer.hears:
        found += _hearing(weight[:, first:], units, layer.hears)
    if layer.kind != "memory":  # it has biases of its own
        constant = MEMORY_CONSTANT if layer.name == "dc0" else 1.0
        found.append(_on_constant(_tap(bias) / constant, at["constant"]))
    return found


def _hearing(weight: Tensor, units: Mapping[str, float], level: str) -> _Kernels:
    """Kernels over (2 * color - coverage of B, G, R, then coverage) of every carrier, in the level's unit."""
    carriers = weight.shape[1] // 4
    weight = weight / units[level]
    found: _Kernels = []
    for number in range(carriers):
        column = 0 if number == 0 else 1 + 4 * number
        colors = weight[:, [number, carriers + number, 2 * carriers + number]]
        found.append(_as_carriers(colors, weight[:, 3 * carriers + number, None], column))
    return found


def _as_carriers(colors: Tensor, coverage: Tensor, column: int) -> tuple[Tensor, Tensor]:
    """Kernels over 2 * color - coverage and coverage, as kernels over color and coverage."""
    own = coverage - colors.sum(dim=1, keepdim=True)
    return column + torch.arange(4), torch.cat((2 * colors, own), dim=1)


def _on_constant(kernel: Tensor, column: int) -> tuple[Tensor, Tensor]:
    return torch.tensor([column]), kernel


def _tap(bias: Tensor) -> Tensor:
    """A bias as a kernel over the constant: (rows, 1, 3, 3), the centre alone."""
    return F.pad(bias[:, None, None, None], (1, 1, 1, 1))


def _write(weight: Tensor, layer: Layer, rows: Tensor, kernels: _Kernels) -> None:
    """Add a layer's kernels to the network's; the memory's parts stand in another order there."""
    plane = weight[:, :, 0] if weight.dim() == 5 else weight
    parts = (0, 2, 3) if layer.kind == "memory" else (0, 1)
    size = len(plane) // (4 if layer.kind == "memory" else 2)
    stands = torch.cat([part * size + rows for part in parts])
    for columns, kernel in kernels:
        plane[stands[:, None], columns] = plane[stands[:, None], columns] + kernel


def _remember(written: dict[str, Tensor], inside: Inside, conv: nn.Conv2d, rows: Tensor) -> None:
    weight, bias = written["convlstm.Gates.weight"], written["convlstm.Gates.bias"]
    size = SIZE["s8"]
    parts = torch.cat([part * size + rows for part in range(4)])
    weight[parts[:, None], size + rows] = inside.recall.weight
    weight[(size + rows)[:, None], rows] = inside.keep.weight
    bias[size + rows] = cast(Tensor, inside.keep.bias)
    bias[torch.cat([part * size + rows for part in (0, 2, 3)])] = cast(Tensor, conv.bias)


def _correct(written: dict[str, Tensor], painter: Painter, heard: Tensor) -> None:
    """Bring the correction through `dc4` and `dc5` to the picture."""
    wire_covered(written)
    dc4 = written["decoder.dc4.conv.1.weight"]
    dc5, dc6 = written["decoder.dc5.conv.weight"], written["decoder.dc6.weight"]
    colors = torch.arange(3)
    value, gate = (_over_carriers(conv, heard) for conv in (painter.correction, painter.gate))
    for sign, first in ((1, _DC4), (-1, _DC4 + 3)):
        rows = first + colors
        gates = dc4.shape[0] // 2 + rows
        for columns, kernel in value:  # leaky(x) - leaky(-x) = 1.2 x
            dc4[rows[:, None], columns, 0] = sign * SHARE * kernel / 1.2
        for columns, kernel in gate:
            dc4[gates[:, None], columns, 0] = kernel
        dc4[gates, COVERED, 0, 1, 1] = -SHUT
    for sign, first in ((1, _DC5), (-1, _DC5 + 3)):  # the gate is half open
        rows = first + colors
        dc5[rows, _DC4 + colors, 0, 1, 1] = 2.0 * sign
        dc5[rows, _DC4 + 3 + colors, 0, 1, 1] = -2.0 * sign
        dc6[torch.tensor(COLORS), rows, 0, 1, 1] = 2.0 * sign


def _over_carriers(conv: nn.Conv2d, heard: Tensor) -> _Kernels:
    """A kernel of the correction over the painter's rows, the first carrier and the constant."""
    weight, count = conv.weight, len(heard)
    fill = weight[:, count:] / SETTLED
    carriers = _as_carriers(fill[:, :3], fill[:, 3:], 0)
    return [(heard, weight[:, :count]), carriers, _on_constant(_tap(cast(Tensor, conv.bias)), C)]
