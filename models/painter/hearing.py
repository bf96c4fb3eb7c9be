"""What the painter hears of the interpolation: its fill, at the four places where the graph has it.

The interpolation is frozen. Its constants are read back from the bundle that ships, once, when a run begins;
a checkpoint of the painter keeps them, since what was learned holds for them alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from plugin_core.errors import ModelError

from ..wiring.interpolation import LAYERS, Interpolation, Seen
from ..wiring.start import INTO_MEMORY
from .beside import CELLS, Beside, compositions
from .tail import Tail

CARRIERS_S2 = 1
"""`dc2_2` gives one carrier."""

SHIPPED = Path(__file__).parents[1] / "bundles" / "vinet"

_PLAIN = 32
"""Cells a side of the picture that says how loud a level is."""
_STEADY = 0.8808
_GATE_UNIT, _TONE_UNIT = 8.0, 2.0
MEMORY_CONSTANT = _STEADY * math.tanh(math.tanh(INTO_MEMORY))
"""What the memory leaves of a carrier of 1."""


class Heard(NamedTuple):
    """The interpolation's fill.

    Attributes:
        s8, s4, s2: what `dc0`, `dc2_bt2` and `dc3_1` hear: 2 * color - coverage (B, G, R) and coverage of
            every carrier, (B, 4 * carriers, h, w) at that level, in units of the largest that a known white
            picture gives there.
        last: what the correction hears at s2, (B, 5, h, w); see `tail.Tail`.
        fill: the color that the network shows without a painter, means of cells, (B, 3, h, w), B, G, R in
            0..1.
    """

    s8: Tensor
    s4: Tensor
    s2: Tensor
    last: Tensor
    fill: Tensor

    def deafened(self, count: int) -> Heard:
        """The same, with nothing to hear for the first `count` samples."""
        hears = (
            (torch.arange(len(self.fill), device=self.fill.device) >= count)
            .to(self.fill.dtype)
            .view(-1, 1, 1, 1)
        )
        return Heard(self.s8 * hears, self.s4 * hears, self.s2 * hears, self.last * hears, self.fill)


class Hearing(nn.Module):
    """The frozen interpolation, listened to."""

    def __init__(self, interpolation: Interpolation) -> None:
        super().__init__()
        self.interpolation = interpolation.requires_grad_(False)
        self.tail = Tail()
        self._given: dict[str, Tensor] = {}
        for name in ("memory", "dc2_bt1"):
            self.interpolation.mix[name].register_forward_hook(
                lambda _mix, _taken, given, name=name: self._given.__setitem__(name, given)
            )
        self._units = [1.0, 1.0, 1.0]
        plain = self(torch.ones(1, 3, _PLAIN, _PLAIN), torch.ones(1, 1, _PLAIN, _PLAIN))
        self._units = [float(level.mean(dim=(0, 2, 3)).abs().amax()) for level in plain[:3]]

    @property
    def carriers(self) -> int:
        """How many carriers there are at s8 and at s4."""
        return len(cast(Tensor, self.interpolation.mix["memory"].value))

    @property
    def units(self) -> dict[str, float]:
        """How loud a known white picture is at each level, in the interpolation's own carriers."""
        return dict(zip(("s8", "s4", "s2"), self._units, strict=True))

    @torch.no_grad()
    def forward(self, picture: Tensor, known: Tensor, beside: Beside | None = None) -> Heard:
        """Fill pictures (B, 3, h, w) in 0..1 where `known` (B, 1, h, w) is not 1, by what is beside, too."""
        target = composed = _carriers(picture, known)
        if beside is not None:
            source = _carriers(beside.picture, beside.known)
            by = compositions(known, beside)
            composed = {level: by[level](target[level], source[level]) for level in CELLS}
        filled = self.interpolation(Seen(target["s8"], composed["s8"], composed["s4"]))
        fine = torch.cat((filled.color, filled.coverage), dim=1)
        given = self._given["memory"], self._given["dc2_bt1"], fine[:, :, None]
        levels = [_as_heard(carried) / unit for carried, unit in zip(given, self._units, strict=True)]
        self._given.clear()
        return Heard(*levels, *self.tail(fine, composed["s2"]))


def _carriers(picture: Tensor, known: Tensor) -> dict[str, Tensor]:
    """A picture's wired carriers at each level: premultiplied B, G, R and coverage, (B, 4, h, w)."""
    fine = torch.cat((picture * known, known), dim=1)
    return {level: F.avg_pool2d(fine, cells) for level, cells in CELLS.items()}


def _as_heard(carried: Tensor) -> Tensor:
    """Carriers (B, 4, n, h, w) as (B, 4 * n, h, w)."""
    color, coverage = carried[:, :3], carried[:, 3:]
    return torch.cat((2 * color - coverage, coverage), dim=1).flatten(1, 2)


def interpolation_of(bundle: Path = SHIPPED) -> Interpolation:
    """The interpolation that a bundle of ours ships, read back from its graph's weights.

    Raises:
        ModelError: the bundle's graph is not the one that the lean network and the interpolation alone make.
    """
    pairs = _layer_weights(bundle)
    carriers = len(pairs["bt0"][0]) // 4
    learned = Interpolation(carriers, carriers)
    taken = 0
    for name, layer in LAYERS.items():
        value, gate = pairs[name]
        parameters = {key: parameter.data for key, parameter in learned.mix[name].named_parameters()}
        # Behind the last layer's carriers stand the skip's, each with its constant; so do bt0's pair.
        lone = name == "dc2_1"
        columns = [_place(n, constant=not lone) for n in range(taken)]
        width = 4 * taken + (not lone) if taken else 0
        columns += [width + 5 * number for number in range(len(layer.skip))]
        constant = width + 5 * len(layer.skip) - 1 if layer.skip else 4
        unit = _GATE_UNIT / (MEMORY_CONSTANT if name == "dc0" else 1.0)
        for carrier in range(len(parameters["value"])):
            row = _place(carrier, constant=len(value) % 4 == 1)
            for number, column in enumerate(columns):
                parameters["value"][carrier, number] = value[row, column]
                if gate is not None:
                    parameters["gate"][carrier, number] = gate[row, column + 3] / _GATE_UNIT
                    parameters["tone"][carrier, number :: len(columns)] = (
                        gate[row, column : column + 3] / _TONE_UNIT
                    )
            if gate is not None:
                parameters["bias"][carrier] = gate[row, constant, 1, 1] / unit
        taken = len(parameters["value"])
    return learned.eval()


def _place(carrier: int, *, constant: bool) -> int:
    """Where a carrier's B stands among pruned channels; the constant, if it lives, follows the first one."""
    return 0 if carrier == 0 else 4 * carrier + (1 if constant else 0)


def _layer_weights(bundle: Path) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Value and gate kernels of the layers below s2, in the order of the graph."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(bundle / "step.onnx").graph
    kernels = [
        torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in graph.initializer
        if len(tensor.dims) == 4 and tensor.name.startswith("weight_")
    ]
    refused = ModelError(
        f"{bundle} is no bundle of the lean network with the interpolation alone: the painter can't hear it."
    )
    first = next((i for i, k in enumerate(kernels) if k.shape[1] == 10 and len(k) > 10), None)
    if first is None:
        raise refused
    found: dict[str, tuple[Tensor, Tensor | None]] = {}
    at = first
    for name in LAYERS:
        if at + 2 > len(kernels):
            raise refused
        if name == "memory":  # its gates hear nothing; only the candidate's kernel is not zero
            found[name] = (kernels[at + 1], None)
        else:
            found[name] = (kernels[at], kernels[at + 1])
        at += 2
    if found["dc2_2"][0].shape[0] != 4 or found["bt0"][0].shape[0] % 4 != 1:
        raise refused
    return found
