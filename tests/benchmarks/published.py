"""The published formulation of a VINet step, kept only to be measured against.

PyTorch, every stream by itself: each of the four sources is encoded again at every step, each stream runs its
own flow net on the whole input, aggregators and decoder are 3-D convolutions, and the flow net at s1 is
computed in both variants although variant 512 never uses its result. The same numbers as `VINet.step`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from models.network.vinet import Aggregator, Carry, Decoder, PlanarConv, VINet, upsample, warp

_LEVELS = (("s8", ""), ("s4", "_64"), ("s2", "_128"))


class _PublishedDecoder:
    """The decoder run as it was published: 3-D convolutions of kernel (1, 3, 3) over one time step."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def __call__(self, x: Tensor, skip_s4: Tensor, skip_s2: Tensor) -> Tensor:
        x = self._up(self._gated(self._gated(x, "dc0"), "dc1"), "dc1_1")
        x = self._gated(torch.cat((x, skip_s4), dim=1), "dc2_1")
        for layer in ("dc2_bt1", "dc2_bt2", "dc2_bt3"):
            x = self._gated(x, layer)
        x = self._up(x, "dc2_2")
        x = self._gated(torch.cat((x, skip_s2), dim=1), "dc3_1")
        x = self._up(self._gated(x, "dc3_2"), "dc4")
        if self._decoder.enlarge_last:
            x = upsample(x, 2)
        return _volume_conv(self._gated(x, "dc5"), self._decoder.dc6)

    def _gated(self, x: Tensor, layer: str) -> Tensor:
        value, gate = _volume_conv(x, getattr(self._decoder, layer).conv).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.relu(value)

    def _up(self, x: Tensor, layer: str) -> Tensor:
        conv = getattr(self._decoder, layer).conv[1]
        value, gate = _volume_conv(upsample(x, 2), conv).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.leaky_relu(value, 0.2)


def _volume_conv(x: Tensor, conv: PlanarConv) -> Tensor:
    apart = conv.dilation
    padding, dilation = (0, apart, apart), (1, apart, apart)
    return F.conv3d(x.unsqueeze(2), conv.weight, padding=padding, dilation=dilation).squeeze(2)


def _aggregate(aggregator: Aggregator, sources: Tensor) -> Tensor:
    """Gated 5x3x3 convolution over the streams (B, 5, C, h, w), as a 3-D convolution."""
    value, gate = aggregator.stAgg.conv(sources.transpose(1, 2)).squeeze(2).chunk(2, dim=1)
    return torch.sigmoid(gate) * F.relu(value)


def published_step(
    network: VINet, frame: Tensor, mask: Tensor, sources: Sequence[tuple[Tensor, Tensor]], carry: Carry
) -> tuple[Tensor, Carry]:
    """Fill one frame from the four source frames and their masks; returns the output and the next carry."""
    target = network.encoder1(frame * (1 - mask), mask)
    streams = [network.encode_source(*source) for source in sources]
    streams.append(network.encoder2(carry.output, carry.mask))

    composed = {}
    flows: list[Tensor] = []
    for level, suffix in _LEVELS:
        own = getattr(target, level)
        flownet = getattr(network, f"flownet{suffix}")
        warped = []
        for number, stream in enumerate(streams):
            source = getattr(stream, level)
            if not suffix:
                flow = flownet(own, source)
                flows.append(flow)
            else:
                incoming = 2 * upsample(flows[number], 2)
                flow = incoming + flownet(own, warp(source, incoming, "zeros"), incoming)
                flows[number] = flow
            warped.append(warp(source, flow, "zeros"))
        aggregated = _aggregate(getattr(network, f"st_agg{suffix}"), torch.stack(warped, dim=1))
        share = getattr(network, f"masknet{suffix}")(own, aggregated)
        composed[level] = (1 - share) * own + share * aggregated

    memory = network.bottleneck(torch.cat((target.s8, composed["s8"]), dim=1))
    hidden, cell = network.convlstm(memory, carry.hidden, carry.cell)
    raw = _PublishedDecoder(network.decoder)(hidden, composed["s4"], composed["s2"])
    output = _feed_back(network, raw, target.s1, streams[-1].s1, flows[-1], carry)
    fed = torch.zeros_like(mask) if network.variant == 256 else 0.5 * mask
    return output, Carry(hidden, cell, output, fed, torch.ones_like(carry.feedback))


def _feed_back(
    network: VINet, raw: Tensor, target: Tensor, previous: Tensor, flow_s2: Tensor, carry: Carry
) -> Tensor:
    flow = 2 * upsample(flow_s2, 2)
    aligned = warp(previous, flow, "border")
    mask = network.masknet_256(target, aligned)
    refined = flow + network.flownet_256(target, aligned, flow)
    if network.variant == 512:
        mask = F.interpolate(mask, scale_factor=2, mode="nearest")
        refined = 4 * upsample(flow_s2, 4)
    mask = mask * carry.feedback
    return (1 - mask) * raw + mask * warp(carry.output, refined, "border")
