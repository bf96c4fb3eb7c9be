"""Where training starts: a network that already fills holes with their surroundings' color.

Training time on a CPU is short, so the start is not random. Five channels of every feature map, the carriers,
are wired by hand as a pull-push interpolation (Gortler et al., "The Lumigraph", 1996):

- B, G, R: the picture in 0..1, premultiplied by its coverage, so that a hole is 0;
- W: the coverage, 1 outside the hole and 0 in it;
- C: the constant 1, because gated convolutions have no bias.

Every gate of a carrier depends on W alone and is the same for B, G, R and W. So their ratio, which is the
color, is an exact weighted mean of known pixels at any depth, while W itself is drawn towards 1 a little in
each layer (`_renormalize`). The encoder shrinks by boxes, the bottleneck spreads known color into the hole
with dilations 1, 2, 4, 8, and the decoder takes the skip where it has coverage and the coarser fill where it
has none.

All other channels start random, with gains that keep activations at their size; they hear the carriers, but
the carriers don't hear them yet. The two encoders start equal, aggregators start as the mean of the five
sources, and every flow net ends in zeros, so that a flow net that has not been trained yet moves nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..network.generated import generated_weight
from ..network.vinet import Variant, VINet
from .carriers import CARRIERS, COLORS, HOLE, C, W, tap
from .masks import wire_masks
from .matching import wire_matching

_FLOW_ENDS = ("flow_estimator.conv1.weight", "convs_fine.convs.6.0.weight")

_SECOND = 5
"""Where the coarser fill's B, G, R and W stand beside the skip's, in the two layers that merge them."""

# Found by trying values on synthetic shots with the random channels silent; see models/TRAINING.md.
_SPREAD = {"bt0": 0.18, "bt1": 0.012, "bt2": 0.003, "dc2_1": 0.02, "dc3_1": 0.02}
"""How much of each neighbour a layer adds to a pixel, where it adds any."""
MERGE_AMOUNT, MERGE_OPEN, MERGE_CLOSE = 0.8, 0.5, 60.0
"""How the coarser fill comes in beside the skip: its amount, and its gate's bias and slope over coverage."""
LIFT_SKIP = (6.0, 2.0, 2 + math.log(5))
LIFT = (2.5, 2.0, 2.4)
SETTLE = (4.0, 4 / 3 - math.log(3), 4 / 3)
"""Strength, bias, slope of a gate over coverage w: w becomes strength * w * sigmoid(bias - slope * w).

All leave w = 1 where it is. `LIFT` lifts small coverage and weighs neighbours well; `LIFT_SKIP` lifts what
few sources show; `SETTLE` has no slope at w = 1, so that a few layers of it settle there: what is fed back
must not grow or fade frame by frame.
"""


STREAM_SHARES = (0.122, 0.343, 0.343, 0.122, 0.07)
"""How much the frames t-6, t-3, t+3, t+6 and the previous output count where all are seen."""
GIVEN_SHARES = (1.0, 1.0, 1.0, 1.0, 0.07)
"""The same where flows are given: those of the frames beside come with them, pixel by pixel."""
_FEEDBACK, _GIVEN_FEEDBACK = 0.0, math.log(0.85 / 0.15)
"""Logit of the warped previous output's share in the hole; where flows are given, of the most of it: whoever
gives them lowers it where that picture does not go on from what is known."""


def lean_network(variant: Variant, *, takes_flows: bool = False) -> VINet:
    """The wiring alone, every other channel silent: matching channels, composition masks, no flow yet.

    `prune` makes it a hundredth of the published network's size; its flow nets are the ones to train next.
    With `takes_flows` it is one whose flows are given: what it aggregates is weighted with them.
    """
    network = VINet(variant)
    network.takes_flows = takes_flows
    state = network.state_dict()
    for value in state.values():
        value.zero_()
    _wire(state, variant, GIVEN_SHARES if takes_flows else STREAM_SHARES)
    if takes_flows:
        for name in ("st_agg", "st_agg_64", "st_agg_128"):
            _constant_of_the_last(state[f"{name}.stAgg.conv.weight"])
    for encoder in ("encoder1", "encoder2"):
        wire_matching(state, encoder)
    wire_masks(state, _GIVEN_FEEDBACK if takes_flows else _FEEDBACK)
    return network


def lean_start(variant: Variant, seed: int) -> VINet:
    """`lean_network` with flow nets that can be trained: random but for their last layers, which are zero."""
    network = lean_network(variant)
    for key, value in network.state_dict().items():
        if key.startswith("flownet"):
            value.copy_(_drawn(key, torch.from_numpy(generated_weight(key, tuple(value.shape), seed))))
    return network


def initial_network(variant: Variant, seed: int) -> VINet:
    """A VINet ready to be trained; the same numbers for the same seed on every machine."""
    network = VINet(variant)
    state = network.state_dict()
    for key, value in state.items():
        drawn = generated_weight(key.replace("encoder2.", "encoder1."), tuple(value.shape), seed)
        value.copy_(_drawn(key, torch.from_numpy(drawn)))
    for key, value in state.items():
        if not key.startswith(("flownet", "masknet")) and key.endswith("weight"):
            _quieten(value, key)
    _wire(state, variant, (0.2,) * 5)
    return network


def _wire(state: dict[str, Tensor], variant: Variant, shares: tuple[float, ...]) -> None:
    for encoder in ("encoder1", "encoder2"):
        _wire_encoder(state, encoder, box=variant == 512)
    for name in ("st_agg", "st_agg_64", "st_agg_128"):
        _wire_aggregator(state[f"{name}.stAgg.conv.weight"], shares, spread(name))
    _wire_middle(state)
    _wire_decoder(state)


def wired(variant: Variant) -> dict[str, Tensor]:
    """1 where a weight joins two carriers (with the 3x3 kernel around it) or is a masknet's, 0 elsewhere.

    These are few enough to be trained well within minutes; the random channels take hours.
    """
    state = initial_network(variant, 0).state_dict()
    masks = {}
    for key, value in state.items():
        masks[key] = torch.zeros_like(value)
        if key.startswith("masknet"):
            masks[key] += 1
        elif not key.startswith("flownet") and key.endswith("weight"):
            parts = 1 if key.endswith("dc6.weight") else 4 if key.startswith("convlstm") else 2
            size = value.shape[0] // parts
            rows = [part * size + channel for part in range(parts) for channel in range(_rows(key, size))]
            joined = (value[rows].flatten(2).abs().sum(dim=2) > 0).float()
            masks[key][rows] = joined.view(*joined.shape, *[1] * (value.dim() - 2)).expand_as(value[rows])
    return masks


def _rows(key: str, size: int) -> int:
    """How many of a layer's first channels are wired by hand."""
    return min(size, HOLE + 4 if ".ec0." in key or "dc2_1" in key or "dc3_1" in key else len(CARRIERS))


def _drawn(key: str, drawn: Tensor) -> Tensor:
    if key.endswith(_FLOW_ENDS):
        return torch.zeros_like(drawn)
    if key == "masknet_256.convs.2.bias":  # begin by trusting the decoder, not the previous output
        return torch.full_like(drawn, -2.0)
    return torch.zeros_like(drawn) if key.endswith(".bias") else drawn


def _quieten(weight: Tensor, key: str) -> None:
    """Carriers do not hear the other channels, in value or in gate."""
    if key == "decoder.dc6.weight":
        weight.zero_()
        return
    parts = 4 if key.startswith("convlstm") else 2
    size = weight.shape[0] // parts
    carriers = range(_rows(key, size))
    for part in range(parts):
        weight[[part * size + channel for channel in carriers]] = 0


def _box(enabled: bool) -> Tensor:
    """The mean of a cell's 2 x 2 pixels, as stride 2 sees them; the pixel itself at stride 1."""
    kernel = torch.zeros(3, 3)
    if enabled:
        kernel[1:, 1:] = 0.25
    else:
        kernel[1, 1] = 1
    return kernel


def spread(name: str) -> Tensor:
    """The pixel and a little of its eight neighbours, summing to 1."""
    kernel = torch.full((3, 3), _SPREAD.get(name, 0.0))
    kernel[1, 1] = 1
    return kernel / kernel.sum()


def _pass(weight: Tensor) -> None:
    """Hand the carriers on as they are: gates half open, values doubled."""
    for channel in CARRIERS:
        tap(weight, channel, channel, 2.0)


def _renormalize(
    weight: Tensor,
    kernel: Tensor | None = None,
    scale: float = 1.0,
    offset: int = 0,
    how: tuple[float, float, float] = LIFT,
) -> None:
    """Hand the carriers on, coverage drawn towards 1. `offset`: where the carriers stand in the input."""
    half = weight.shape[0] // 2
    strength, bias, slope = how
    for channel in (*COLORS, W):
        tap(weight, channel, offset + channel, strength * scale, kernel)
        tap(weight, half + channel, offset + C, bias * scale)
        tap(weight, half + channel, offset + W, -slope * scale, kernel)
    tap(weight, C, offset + C, 2 * scale)


def _wire_encoder(state: dict[str, Tensor], encoder: str, box: bool) -> None:
    """Shrink by boxes.

    A fed-back picture comes whole and with half a mask, a source with a full mask and 0 (mid grey) in its
    hole. So the first layer keeps the picture as it is and what the mask has above 1/2, and the second takes
    that off color and coverage: a source's hole is then 0, and a fed-back picture has full coverage.
    """
    ec0, cell = state[f"{encoder}.ec0.conv.weight"], _box(box)
    image, ones, mask = (0, 1, 2), 3, 4
    for channel in COLORS:  # 0.5 * (image + 1)
        tap(ec0, channel, image[channel], 1.0, cell)
        tap(ec0, channel, ones, 1.0, cell)
    tap(ec0, W, ones, 2.0)
    tap(ec0, C, ones, 2.0)
    for n in range(4):
        pixel = torch.zeros(3, 3)
        pixel[(1 + n // 2, 1 + n % 2) if box else (1, 1)] = 1
        tap(ec0, HOLE + n, mask, 2.0, pixel)
        tap(ec0, HOLE + n, ones, -1.0)
    ec1 = state[f"{encoder}.ec1.conv.weight"]
    _shrink(ec1)
    for n in range(4):
        for channel in COLORS:
            tap(ec1, channel, HOLE + n, -0.5, _box(True))
        tap(ec1, W, HOLE + n, -1.0, _box(True))
    for name in ("ec2", "ec3_2", "ec4", "ec5"):
        _pass(state[f"{encoder}.{name}.conv.weight"])
    for name in ("ec3_1", "ec4_1"):
        _shrink(state[f"{encoder}.{name}.conv.weight"])


def _shrink(weight: Tensor) -> None:
    """Means of 2 x 2 cells, at stride 2."""
    for channel in (*COLORS, W):
        tap(weight, channel, channel, 2.0, _box(True))
    tap(weight, C, C, 2.0)


def _wire_aggregator(weight: Tensor, shares: tuple[float, ...], kernel: Tensor) -> None:
    """The mean of the five sources: gate half open, value doubled; only the carriers hear nothing else."""
    if weight.any():  # random channels keep something of themselves
        weight[5 : weight.shape[1]] *= 0.2
        index = torch.arange(weight.shape[1])
    else:
        index = torch.arange(len(CARRIERS))
    weight[index, index] += 2 * torch.tensor(shares).view(-1, 1, 1) * kernel


def _constant_of_the_last(weight: Tensor) -> None:
    """Take the constant carrier of the previous output alone, which no given weight makes smaller."""
    weight[C, C] = 0
    weight[C, C, -1, 1, 1] = 2


INTO_MEMORY = 0.15
"""Carriers enter the ConvLSTM this small, where its tanh is straight."""


def _wire_middle(state: dict[str, Tensor]) -> None:
    """The bottleneck spreads color from F_syn into the hole; the memory hands it on nearly unchanged."""
    for name in ("bt0", "bt1", "bt2", "bt3"):
        offset = 128 if name == "bt0" else 0
        _renormalize(state[f"bottleneck.{name}.conv.weight"], spread(name), offset=offset)
    gates, bias = state["convlstm.Gates.weight"], state["convlstm.Gates.bias"]
    gates[128:256] *= 0.25  # random channels forget, or they would count up for hundreds of frames
    bias.copy_(torch.tensor([1.0, -1.0, 1.0, 0.0]).repeat_interleave(128))
    for channel in CARRIERS:
        bias[channel], bias[128 + channel], bias[256 + channel] = 2.0, -2.0, 2.0
        tap(gates, 384 + channel, channel, INTO_MEMORY)


def _wire_decoder(state: dict[str, Tensor]) -> None:
    weight = {
        name: state[f"decoder.{name}.weight" if name == "dc6" else f"decoder.{name}.conv.weight"]
        for name in ("dc0", "dc1", "dc2_1", "dc2_bt1", "dc2_bt2", "dc2_bt3", "dc3_1", "dc3_2", "dc5")
    }
    weight |= {name: state[f"decoder.{name}.conv.1.weight"] for name in ("dc1_1", "dc2_2", "dc4")}
    out_of_memory = 1 / (0.88 * INTO_MEMORY)
    _renormalize(weight["dc0"], spread("dc0"), scale=out_of_memory)
    for name in ("dc1", "dc1_1"):
        _renormalize(weight[name])
    for name in ("dc2_bt2", "dc2_bt3", "dc2_2", "dc4", "dc5"):
        _renormalize(weight[name], spread(name), how=SETTLE)
    for merge, after in (("dc2_1", "dc2_bt1"), ("dc3_1", "dc3_2")):
        _merge_skip(weight[merge], spread(merge))
        _add_second(weight[after], spread(after))
    dc6 = state["decoder.dc6.weight"]
    for channel in COLORS:
        tap(dc6, channel, channel, 2.0)
        tap(dc6, channel, W, -1.0)


def _merge_skip(weight: Tensor, kernel: Tensor) -> None:
    """First the skip's carriers, then the coarser fill's, let through where the skip has no coverage."""
    half, skip = weight.shape[0] // 2, weight.shape[1] // 2
    _renormalize(weight, kernel, offset=skip, how=LIFT_SKIP)
    for channel in (*COLORS, W):
        second = _SECOND + channel
        tap(weight, second, channel, MERGE_AMOUNT)
        tap(weight, half + second, skip + C, MERGE_OPEN)
        tap(weight, half + second, skip + W, -MERGE_CLOSE, kernel)


def _add_second(weight: Tensor, kernel: Tensor) -> None:
    """Add the coarser fill to the skip's carriers, and renormalize by their common coverage."""
    half = weight.shape[0] // 2
    strength, _, slope = SETTLE
    _renormalize(weight, kernel, how=SETTLE)
    for channel in (*COLORS, W):
        tap(weight, channel, _SECOND + channel, strength, kernel)
        tap(weight, half + channel, _SECOND + W, -slope, kernel)
