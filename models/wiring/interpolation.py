"""The wired interpolation with several carriers side by side, its constants learned.

`train_init` wires one carrier through every layer: premultiplied color and its coverage. Here each layer
below s2 has a few of them. They mix by kernels and through gates that are the same for B, G, R and coverage.
So whatever is learned, the fill is a weighted mean of known pixels: a flat color stays flat (but for the
percent by which the memory's tanh bends it), no color is invented, and what is learned on a few stills holds
for any picture. The weights follow from the hole's shape and, by what the gates hear of the colors, from the
picture's.

`Interpolation` works on the carriers at the levels' own sizes, so that it is trained on small pictures, a
cell of 4 pixels as one; `wire_interpolation` writes what it learned into a network.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import upsample
from .carriers import COLORS, C, W
from .start import INTO_MEMORY, LIFT, LIFT_SKIP, MERGE_AMOUNT, MERGE_CLOSE, MERGE_OPEN, SETTLE, spread

_STEADY = 0.8808
"""sigmoid(2): how far the memory's gates are open."""

_CROWDED = 1.5
"""Coverage well above 1 closes every gate after it, and then nothing is learned there any more."""

_GATE_UNIT, _TONE_UNIT = 8.0, 2.0
"""Gates are steep over coverage, and less so over color: they are learned in these units."""


class Layer(NamedTuple):
    """A layer of the network that interpolates.

    Attributes:
        key: name of its weight in the network.
        dilation: in cells.
        kind: "gated", "memory" (the ConvLSTM's candidate) or "enlarged" (a leaky one after enlarging).
        skip: columns at which single carriers are taken beside the last layer's, if any.
    """

    key: str
    dilation: int = 1
    kind: str = "gated"
    skip: tuple[int, ...] = ()

    @property
    def constant(self) -> int:
        """The column of the constant 1."""
        return (self.skip[-1] if self.skip else 0) + C


LAYERS = {
    "bt0": Layer("bottleneck.bt0.conv.weight", skip=(0, 128)),
    "bt1": Layer("bottleneck.bt1.conv.weight", 2),
    "bt2": Layer("bottleneck.bt2.conv.weight", 4),
    "bt3": Layer("bottleneck.bt3.conv.weight", 8),
    "memory": Layer("convlstm.Gates.weight", kind="memory"),
    "dc0": Layer("decoder.dc0.conv.weight"),
    "dc1": Layer("decoder.dc1.conv.weight"),
    "dc1_1": Layer("decoder.dc1_1.conv.1.weight", kind="enlarged"),
    "dc2_1": Layer("decoder.dc2_1.conv.weight", skip=(96,)),
    "dc2_bt1": Layer("decoder.dc2_bt1.conv.weight", 2),
    "dc2_bt2": Layer("decoder.dc2_bt2.conv.weight", 4),
    "dc2_bt3": Layer("decoder.dc2_bt3.conv.weight", 8),
    "dc2_2": Layer("decoder.dc2_2.conv.1.weight", kind="enlarged"),
}
_LAST = "dc2_2"


class Filled(NamedTuple):
    """What the layers below s2 make of it.

    Attributes:
        color: (B, 3, h, w) at s2, B G R in 0..1, premultiplied by `coverage`.
        coverage: (B, 1, h, w) at s2; it should come to 1.
        coarse_color, coarse_coverage: the same of what s8 hands to s4, all carriers together.
        crowding: mean square of what coverages have above 1.5, over all layers: gates shut for good there.
    """

    color: Tensor
    coverage: Tensor
    coarse_color: Tensor
    coarse_coverage: Tensor
    crowding: Tensor


class Seen(NamedTuple):
    """What the layers below s2 see of a frame: (B, 4, h, w) B, G, R, coverage of target and as composed."""

    target_s8: Tensor
    composed_s8: Tensor
    composed_s4: Tensor


class _Mix(nn.Module):
    """One layer: kernels among carriers, and gates over their coverages."""

    def __init__(self, taken: int, given: int, layer: Layer) -> None:
        super().__init__()
        self.layer = layer
        self.value = nn.Parameter(torch.zeros(given, taken, 3, 3))
        self.gate = nn.Parameter(torch.zeros(given, taken, 3, 3))
        self.tone = nn.Parameter(torch.zeros(given, 3 * taken, 3, 3))
        self.bias = nn.Parameter(torch.zeros(given))

    def forward(self, carried: Tensor) -> Tensor:
        """`carried`: (B, 4, taken, h, w); returns (B, 4, given, h, w)."""
        batch, kinds, _, height, width = carried.shape
        reach = self.layer.dilation
        made = F.conv2d(carried.flatten(0, 1), self.value, padding=reach, dilation=reach)
        made = made.view(batch, kinds, -1, height, width)
        if self.layer.kind == "memory":
            return _STEADY * torch.tanh(torch.tanh(made))
        heard = torch.cat((_GATE_UNIT * self.gate, _TONE_UNIT * self.tone), dim=1)
        shown = torch.cat((carried[:, W], carried[:, :W].flatten(1, 2)), dim=1)
        gate = F.conv2d(shown, heard, padding=reach, dilation=reach)
        opened = torch.sigmoid(gate + _GATE_UNIT * self.bias.view(1, -1, 1, 1))[:, None]
        return opened * (F.leaky_relu(made, 0.2) if self.layer.kind == "enlarged" else F.relu(made))

    @torch.no_grad()
    def begin(
        self, given: int, taken: int, kernel: Tensor, how: tuple[float, float, float], scale: float = 1.0
    ) -> None:
        """Let a carrier hand another on as the wiring does; see `train_init`."""
        strength, bias, slope = how
        self.value[given, taken] += strength * scale * kernel
        self.gate[given, taken] -= slope * scale * kernel / _GATE_UNIT
        self.bias[given] = bias / _GATE_UNIT


class Interpolation(nn.Module):
    """The layers below s2 as a network of carriers, begun as `lean_network` has it.

    Args:
        coarse, fine: how many carriers at s8 and at s4.
        seed: of what distinguishes the carriers at the start.
    """

    def __init__(self, coarse: int, fine: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.mix = nn.ModuleDict()
        before = 0
        for name, layer in LAYERS.items():
            given = 1 if name == _LAST else fine if name.startswith(("dc1_1", "dc2")) else coarse
            mix = _Mix(before + len(layer.skip), given, layer)
            _begin(mix, name, before, generator)
            self.mix[name] = mix
            before = given

    def forward(self, seen: Seen) -> Filled:
        """Fill what is seen of a frame."""
        carried = torch.stack((seen.target_s8, seen.composed_s8), dim=2)
        coarse, crowding = carried, carried.new_zeros(())
        for name, mix in self.mix.items():
            if LAYERS[name].kind == "enlarged":
                carried = torch.unflatten(upsample(carried.flatten(1, 2), 2), 1, carried.shape[1:3])
            if name == "dc2_1":
                coarse = carried
                carried = torch.cat((carried, seen.composed_s4[:, :, None]), dim=2)
            carried = mix(carried)
            crowding = crowding + F.relu(carried[:, W] - _CROWDED).square().mean()
        together = coarse.sum(dim=2)
        return Filled(carried[:, :W, 0], carried[:, W:, 0], together[:, :W], together[:, W:], crowding)


@torch.no_grad()
def _begin(mix: _Mix, name: str, before: int, generator: torch.Generator) -> None:
    """Begin with the wiring; further carriers with the same, spread and opened a little differently."""
    given, taken = mix.value.shape[:2]
    kernel = spread(name)
    for carrier in range(given):
        own = min(carrier, before - 1)
        if name == "memory":
            mix.value[carrier, own, 1, 1] = INTO_MEMORY
        elif name == "bt0":
            mix.begin(carrier, 1, kernel, LIFT)
        elif name == "dc0":
            mix.begin(carrier, own, kernel, LIFT, 1 / (_STEADY * INTO_MEMORY))
        elif name in ("bt1", "bt2", "bt3", "dc1", "dc1_1"):
            mix.begin(carrier, own, kernel, LIFT)
        elif name == "dc2_1" and carrier == 1:
            mix.value[1, 0, 1, 1] = MERGE_AMOUNT
            mix.gate[1, before] = -MERGE_CLOSE * kernel / _GATE_UNIT
            mix.bias[1] = MERGE_OPEN / _GATE_UNIT
        elif name == "dc2_1":
            mix.begin(carrier, before, kernel, LIFT_SKIP)
        else:
            mix.begin(carrier, own, kernel, SETTLE)
            if name == "dc2_bt1":
                mix.begin(carrier, 1, kernel, SETTLE)
        if carrier > (1 if name.startswith("dc2") else 0):
            noise = torch.rand(mix.value[carrier].shape, generator=generator)
            mix.value[carrier] += 0.15 * mix.value[carrier].max() * noise / max(1, taken)
            mix.bias[carrier] += 0.1 * torch.randn((), generator=generator)


def wire_interpolation(state: dict[str, Tensor], learned: Interpolation) -> None:
    """Write what was learned into the weights of a `lean_network`."""
    before = 0
    for name, layer in LAYERS.items():
        mix = learned.mix[name]
        assert isinstance(mix, _Mix)
        weight = _flat(state[layer.key])
        columns = [_column(carrier) for carrier in range(before)] + list(layer.skip)
        memory = layer.kind == "memory"
        size = weight.shape[0] // (4 if memory else 2)
        # The constant comes out of the memory smaller, as the carriers do.
        constant = 1 / (_STEADY * math.tanh(math.tanh(INTO_MEMORY))) if name == "dc0" else 1.0
        if name == "dc0":
            weight[C, layer.constant, 1, 1] = 2 * constant
        before = mix.value.shape[0]
        for carrier in range(before):
            for kind in (*COLORS, W):
                row = _column(carrier) + kind
                value = weight[(3 * size if memory else 0) + row]
                value.zero_()
                for number, column in enumerate(columns):
                    value[column + kind] = mix.value[carrier, number].detach()
                if memory:
                    for part, opened in enumerate((2.0, -2.0, 2.0, 0.0)):
                        state["convlstm.Gates.bias"][part * size + row] = opened
                    continue
                gate = weight[size + row]
                gate.zero_()
                for number, column in enumerate(columns):
                    gate[column + W] = _GATE_UNIT * mix.gate[carrier, number].detach()
                    for channel, color in enumerate(COLORS):
                        tone = mix.tone[carrier, channel * len(columns) + number]
                        gate[column + color] = _TONE_UNIT * tone.detach()
                gate[layer.constant, 1, 1] = _GATE_UNIT * constant * mix.bias[carrier].detach()


def _column(carrier: int) -> int:
    """Where a carrier's B stands; the constant stands after the first carrier's coverage."""
    return 0 if carrier == 0 else 1 + 4 * carrier


def _flat(weight: Tensor) -> Tensor:
    """A decoder's weight without its depth of 1."""
    return weight[:, :, 0] if weight.dim() == 5 else weight
