"""The painter in cells: rows of the network's layers `ec2` to `dc3_2` beside the wired carriers.

A cell is a pixel of level s2, 4x4 pixels of the network's input. The layers have the network's names,
kernels, strides and dilations, so what is learned can be written into its rows; a bias stands for the centre
tap of the constant carrier. The painter hears the carriers in `ec2`, and the frozen interpolation's fill
where the graph has it (`hearing.Heard`); nothing of the interpolation hears the painter.

The correction is made at s1, behind the network's next enlargement, and gated: how the picture should go on,
less the fill that is shown, times a share that says where that is to be trusted. Where it isn't, and where
the plate is known, the fill stays as it is.

One still frame, no sources: composed features are the target's own, and the memory starts empty, so its
forget gate and what it would hear of itself are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import upsample
from .beside import Beside, compositions
from .hearing import CARRIERS_S2, Heard
from .tail import SHUT, in_cells

SEEN = 5
"""Channels of what `ec2` sees: 2 * color - coverage of B, G, R, then 1, then coverage."""
SMALLEST = 4
"""Cells a side must be a multiple of this: s8 is a quarter of s2."""

SHARE, _SHARE_WHOLE = 0.1, 0.3
"""The outputs' units, in colors. A step of Adam moves all of an output's weights at once: in units of 1 it
moves a picture by a tenth, and the correction is worse than none for the first ten thousand samples."""

OPEN = 2.0
"""The correction's gate, before it is bent, as a painter begins."""
HEARD_LAST = 4
"""Channels that the correction hears beside the last layer's; see `tail.Tail`."""

Settle = Callable[["Layer", nn.Conv2d, Tensor], None]


COARSE = {"dc1": 4, "dc2_bt3": 2}
"""Layers that show a whole picture of their own, and how many cells of s2 one of theirs is across."""


COMPOSED = ("ec2", "ec3_2", "ec5")
"""Layers of the encoder that are composed with what is beside, and then heard behind it."""
_ENCODED = COMPOSED[-1]


class Widths(NamedTuple):
    """How many channels the painter has at each level."""

    s2: int = 24
    s4: int = 32
    s8: int = 48


class Layer(NamedTuple):
    """One layer of the painter.

    Attributes:
        name: the network's name for it.
        level: where its output is, which says how many rows it has.
        stride, dilation: of its kernel.
        kind: "gated", "enlarged" (a leaky one after enlarging by two) or "memory".
        skip: the layer whose output it hears beside the last one's, if any.
        hears: the level of the fill that it hears, if any.
    """

    name: str
    level: str
    stride: int = 1
    dilation: int = 1
    kind: str = "gated"
    skip: str = ""
    hears: str = ""

    @property
    def parts(self) -> int:
        """Value and gate; of the memory input gate, output gate and candidate."""
        return 3 if self.kind == "memory" else 2

    @property
    def value(self) -> int:
        """Which part is the value."""
        return 2 if self.kind == "memory" else 0


LAYERS = (
    Layer("ec2", "s2"),
    Layer("ec3_1", "s4", stride=2),
    Layer("ec3_2", "s4"),
    Layer("ec4_1", "s8", stride=2),
    Layer("ec4", "s8"),
    Layer("ec5", "s8"),
    Layer("bt0", "s8"),
    Layer("bt1", "s8", dilation=2),
    Layer("bt2", "s8", dilation=4),
    Layer("bt3", "s8", dilation=8),
    Layer("memory", "s8", kind="memory"),
    Layer("dc0", "s8", hears="s8"),
    Layer("dc1", "s8"),
    Layer("dc1_1", "s4", kind="enlarged"),
    Layer("dc2_1", "s4", skip="ec3_2"),
    Layer("dc2_bt1", "s4", dilation=2),
    Layer("dc2_bt2", "s4", dilation=4, hears="s4"),
    Layer("dc2_bt3", "s4", dilation=8),
    Layer("dc2_2", "s2", kind="enlarged"),
    Layer("dc3_1", "s2", skip="ec2", hears="s2"),
    Layer("dc3_2", "s2"),
)


class Painted(NamedTuple):
    """The outputs, (B, 3, h, w), B, G, R, colors in 0..1. All but the correction are thrown away later.

    Attributes:
        correction: what is added to the fill that the network shows, means of cells.
        whole: the whole picture, at s2. Learning it keeps the layers awake.
        coarse: the whole picture as `COARSE` layers have it, at their levels. They keep those awake.
    """

    correction: Tensor
    whole: Tensor
    coarse: tuple[Tensor, ...]


class Painter(nn.Module):
    """The painter's layers.

    Args:
        widths: channels at each level.
        carriers: how many carriers the interpolation has at s8 and s4.
    """

    def __init__(self, widths: Widths = Widths(), carriers: int = 6) -> None:  # noqa: B008 (immutable)
        super().__init__()
        self.widths = widths
        self.convs = nn.ModuleDict()
        given = {"": 0}
        before = SEEN
        heard = {"": 0, "s8": 4 * carriers, "s4": 4 * carriers, "s2": 4 * CARRIERS_S2}
        for layer in LAYERS:
            rows: int = getattr(widths, layer.level)
            columns = before + given[layer.skip] + heard[layer.hears]
            reach = layer.dilation
            self.convs[layer.name] = nn.Conv2d(columns, layer.parts * rows, 3, layer.stride, reach, reach)
            given[layer.name] = before = rows
        last = before + HEARD_LAST
        self.correction = nn.Conv2d(last, 3, 3, padding=1)
        self.gate = nn.Conv2d(last, 3, 3, padding=1)
        self.whole = nn.Conv2d(before, 3, 3, padding=1)
        self.coarse = nn.ModuleDict({name: nn.Conv2d(given[name], 3, 3, padding=1) for name in COARSE})

    def forward(
        self, seen: Tensor, heard: Heard, settle: Settle | None = None, beside: Beside | None = None
    ) -> Painted:
        """Paint.

        Args:
            seen: (B, 5, h, w) at s2, see `SEEN`; h and w multiples of 4.
            heard: the interpolation's fill of the same frames.
            settle: called with every layer and its input before it is used; it may change the weights.
            beside: what is beside; None where nothing there shows more.
        """
        by = {} if beside is None else compositions(seen[:, SEEN - 1 :], beside)
        x = seen if beside is None else torch.cat((seen, seen_by_painter(beside.picture, beside.known)))
        given: dict[str, Tensor] = {}
        for layer in LAYERS:
            if layer.kind == "enlarged":
                x = upsample(x, 2)
            more = [given[layer.skip]] if layer.skip else []
            if layer.hears:
                more.append(getattr(heard, layer.hears).to(x.dtype))
            if more:
                x = torch.cat((x, *more), dim=1)
            conv = cast(nn.Conv2d, self.convs[layer.name])
            if settle is not None:
                settle(layer, conv, x)
            x = given[layer.name] = _activated(layer, _convolved(layer, conv, x))
            if by and layer.name in COMPOSED:
                given[layer.name] = by[layer.level](*x.chunk(2))
                x = given[layer.name] if layer.name == _ENCODED else x
        coarse = tuple(_SHARE_WHOLE * self.coarse[name](given[name]).float() + 0.5 for name in COARSE)
        last = enlarged(x, heard)
        gate = self.gate(last).float() - SHUT * upsample(heard.last[:, HEARD_LAST:], 2)
        correction = in_cells(torch.sigmoid(gate) * (SHARE * self.correction(last).float()))
        return Painted(correction, _SHARE_WHOLE * self.whole(x).float() + 0.5, coarse)


def enlarged(features: Tensor, heard: Heard) -> Tensor:
    """What the correction is made of: the last layer's features and what is heard beside them, at s1."""
    return upsample(torch.cat((features, heard.last[:, :HEARD_LAST].to(features.dtype)), dim=1), 2)


def seen_by_painter(picture: Tensor, known: Tensor) -> Tensor:
    """What `ec2` sees of pictures (B, 3, h, w) in 0..1, and of each cell's known share (B, 1, h, w)."""
    return torch.cat(((2 * picture - 1) * known, torch.ones_like(known), known), dim=1)


@torch.no_grad()
def loudness(painter: Painter, seen: Tensor, heard: Heard) -> dict[str, Tensor]:
    """Root mean square of what each of a layer's channels gives, (n,), by the layer's name."""
    loud: dict[str, Tensor] = {}

    def listen(layer: Layer, conv: nn.Conv2d, taken: Tensor) -> None:
        loud[layer.name] = _activated(layer, conv(taken)).square().mean(dim=(0, 2, 3)).sqrt()

    painter(seen, heard, settle=listen)
    return loud


def silent_channels(painter: Painter, seen: Tensor, heard: Heard, quiet: float = 0.02) -> dict[str, int]:
    """How many channels of each layer give next to nothing (root mean square below `quiet`), where any do."""
    counts = {name: int((loud < quiet).sum()) for name, loud in loudness(painter, seen, heard).items()}
    return {name: count for name, count in counts.items() if count}


def _convolved(layer: Layer, conv: nn.Conv2d, x: Tensor) -> Tensor:
    if layer.dilation > 1 and layer.hears:
        # In bfloat16 PyTorch 2.13 gives this one gradients of weights that are no numbers, from 64 cells on.
        with torch.autocast(x.device.type, enabled=False):
            return cast(Tensor, conv(x.float()))
    return cast(Tensor, conv(x))


def _activated(layer: Layer, made: Tensor) -> Tensor:
    if layer.kind == "memory":
        take, show, candidate = made.chunk(3, dim=1)
        return torch.sigmoid(show) * torch.tanh(torch.sigmoid(take) * torch.tanh(candidate))
    value, gate = made.chunk(2, dim=1)
    bent = F.leaky_relu(value, 0.2) if layer.kind == "enlarged" else F.relu(value)
    return torch.sigmoid(gate) * bent
