"""VINet in PyTorch, both published variants.

Implements Kim, Woo, Lee, Kweon, "Deep Video Inpainting", CVPR 2019 (arXiv 1905.01639), sections 3.1-3.3:
two encoders, per-scale flow sub-networks, temporal aggregation, composition masks, ConvLSTM memory, decoder
and the feedback of the previous output. Module and parameter names are those of the published checkpoints, so
that one loads without renaming; everything else is written from the description of the network.

Conventions used by every function here:

- Tensors are channels first, float. `B` is the batch, `H` and `W` the network's input size.
- A frame is (B, 3, H, W) in the range -1..1 (display-referred, ``2 * x - 1``). Nothing clamps: the output may
  leave that range, and it is fed back as it is.
- A mask is (B, 1, H, W), 1 in the hole and 0 elsewhere.
- A flow is (B, 2, h, w) in pixels of its own level, x first: the pixel at (x, y) is sampled at
  (x + flow_x, y + flow_y).
- Levels are named by their scale below the encoder's base: s1, s2, s4, s8 (1/1, 1/2, 1/4, 1/8 of the input in
  the 256 variant; half of that again in the 512 variant).

Frames must be stepped in order. `VINet.step` is a pure function of (frame, sources, carry).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Variant = Literal[256, 512]

CORRELATION_RADIUS = 4
SOURCE_OFFSETS = (-6, -3, 3, 6)
"""Frames beside the target that are used as sources, in stream order."""

LEVELS = ("s1", "s2", "s4", "s8")

_ENCODER_LAYERS = (  # name, channels in, channels out, stride
    ("ec0", 5, 32, 1),
    ("ec1", 32, 64, 2),
    ("ec2", 64, 64, 1),
    ("ec3_1", 64, 96, 2),
    ("ec3_2", 96, 96, 1),
    ("ec4_1", 96, 128, 2),
    ("ec4", 128, 128, 1),
    ("ec5", 128, 128, 1),
)


class Features(NamedTuple):
    """One frame's encoder features, fine to coarse: 32, 64, 96 and 128 channels."""

    s1: Tensor
    s2: Tensor
    s4: Tensor
    s8: Tensor


class Carry(NamedTuple):
    """What one step hands to the next: everything the network remembers of the shot.

    Attributes:
        hidden: ConvLSTM hidden state, (B, 128, h8, w8).
        cell: ConvLSTM cell state, same shape.
        output: the previous output as fed back, (B, 3, H, W), unclamped.
        mask: the mask fed back with it, (B, 1, H, W).
        feedback: share of the composition mask that counts, (B, 1, h, w) at s1 where flows are given, else ()
            or (B, 1, 1, 1); 0 at the first frame (nothing to blend with), 1 after. Whoever moves the carry
            lowers it where the previous output is not to be trusted.
    """

    hidden: Tensor
    cell: Tensor
    output: Tensor
    mask: Tensor
    feedback: Tensor


class StepResult(NamedTuple):
    """One step's output and what training and debugging look at.

    Attributes:
        output: Y_t, the frame with its hole filled, (B, 3, H, W), unclamped.
        carry: what the next frame's step takes.
        raw: R_t, the decoder's picture before it is blended with the warped previous output.
        flow_s8, flow_s4, flow_s2: flows of the five streams, (B, 5, 2, h, w), in stream order.
        mask_s8, mask_s4, mask_s2: composition masks, (B, 1, h, w); 1 takes the aggregated sources.
        mask_s1: composition mask between `raw` and the warped previous output, at s1.
        flow_output: flow that warps the previous output, (B, 2, H, W).
    """

    output: Tensor
    carry: Carry
    raw: Tensor
    flow_s8: Tensor
    flow_s4: Tensor
    flow_s2: Tensor
    mask_s8: Tensor
    mask_s4: Tensor
    mask_s2: Tensor
    mask_s1: Tensor
    flow_output: Tensor


Guide = Mapping[str, Tensor]
"""Given flows by level, (B, 4, 3, h, w): for each of the four frames beside the target the flow to it, x and
y in pixels of the level, and the weight that it gets there (0 or more) in the aggregation."""


def resting_guide(target: Features) -> Guide:
    """What is given where nothing is known of motion: the frames where they lie, counting alike."""
    guide = {}
    for level in ("s8", "s4", "s2"):
        features: Tensor = getattr(target, level)
        batch, _, height, width = features.shape
        given = features.new_zeros(batch, len(SOURCE_OFFSETS), 3, height, width)
        given[:, :, 2] = 1 / len(SOURCE_OFFSETS)
        guide[level] = given
    return guide


Aligner = Callable[[nn.Module, Tensor, Tensor, Tensor | None], Tensor]
"""How one level's flows are found: (flow net, target features, source features, incoming flow) to flows.

Features are (5 * B, C, h, w), stream fastest; the incoming flow is the coarser level's, already enlarged, or
None at s8. The network's own answer is `estimated_flow`; training may put known flows in its place.
"""


def estimated_flow(flownet: nn.Module, target: Tensor, source: Tensor, incoming: Tensor | None) -> Tensor:
    """The network's own flows at one level: the incoming flow plus what its flow net adds."""
    if incoming is None:
        return cast(Tensor, flownet(target, source))
    return incoming + cast(Tensor, flownet(target, warp(source, incoming, "zeros"), incoming))


def warp(image: Tensor, flow: Tensor, padding: Literal["zeros", "border"]) -> Tensor:
    """Sample `image` (B, C, h, w) bilinearly at (x + flow_x, y + flow_y).

    `zeros` is the feature warp, `border` (edge replicate) the image warp. The grid is written for
    ``align_corners=False``, which names the same pixels as the published convention but does not divide by
    zero where a level is one pixel wide. Positions are never rounded to half precision.
    """
    height, width = image.shape[-2:]
    flow = flow.to(torch.promote_types(flow.dtype, torch.float32))
    ys = torch.arange(height, dtype=flow.dtype, device=flow.device).view(1, height, 1)
    xs = torch.arange(width, dtype=flow.dtype, device=flow.device).view(1, 1, width)
    grid = torch.stack(
        (
            (2 * (xs + flow[:, 0]) + 1) / width - 1,
            (2 * (ys + flow[:, 1]) + 1) / height - 1,
        ),
        dim=-1,
    )
    sampled = F.grid_sample(image.to(grid.dtype), grid, padding_mode=padding, align_corners=False)
    return sampled.to(image.dtype)


def upsample(x: Tensor, factor: int) -> Tensor:
    """Enlarge bilinearly by a whole factor, pixel centres at half pixels."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Cost volume of two feature maps (B, C, h, w) within 4 pixels: (B, 81, h, w).

    Channel ``(dy + 4) * 9 + (dx + 4)`` is the mean over channels of ``a[y, x] * b[y + dy, x + dx]``, zero
    outside.
    """
    radius = CORRELATION_RADIUS
    height, width = a.shape[-2:]
    padded = F.pad(b, (radius, radius, radius, radius))
    return torch.stack(
        [
            (a * padded[..., dy : dy + height, dx : dx + width]).mean(dim=1)
            for dy in range(2 * radius + 1)
            for dx in range(2 * radius + 1)
        ],
        dim=1,
    )


class GatedConv(nn.Module):
    """sigmoid(gate) * ReLU(value), both from one 3x3 convolution."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 2 * channels_out, 3, stride, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.relu(value)


class DilatedGatedConv(GatedConv):
    """A gated convolution of stride 1 whose taps are `dilation` pixels apart."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int) -> None:
        super().__init__(channels_in, channels_out)
        self.conv.dilation = (dilation, dilation)
        self.conv.padding = (dilation, dilation)


class PlanarConv(nn.Module):
    """A 3x3 convolution whose weight is stored as a 3-D one of depth 1, as the published decoder's are."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, 1, 3, 3))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight[:, :, 0], padding=self.dilation, dilation=self.dilation)


class PlanarGatedConv(nn.Module):
    """A gated convolution of the decoder."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = PlanarConv(channels_in, 2 * channels_out, dilation)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.relu(value)


class PlanarGatedUpConv(nn.Module):
    """Enlarge by two, then sigmoid(gate) * LeakyReLU(value, 0.2)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        # The published module is a sequence whose first entry, the enlargement, has no weights.
        self.conv = nn.Sequential(nn.Identity(), PlanarConv(channels_in, 2 * channels_out))

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(upsample(x, 2)).chunk(2, dim=1)
        return torch.sigmoid(gate) * F.leaky_relu(value, 0.2)


class Encoder(nn.Module):
    """Five input channels to features at four scales."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        for name, channels_in, channels_out, stride in _ENCODER_LAYERS:
            if name == "ec0" and variant == 512:
                stride = 2
            self.add_module(name, GatedConv(channels_in, channels_out, stride))

    def forward(self, picture: Tensor, mask: Tensor) -> Features:
        """Encode a picture (B, 3, H, W) whose hole is already 0, and its mask (B, 1, H, W)."""
        x = torch.cat((picture, torch.ones_like(mask), mask), dim=1)
        s1 = self._run(x, "ec0")
        s2 = self._run(s1, "ec1", "ec2")
        s4 = self._run(s2, "ec3_1", "ec3_2")
        s8 = self._run(s4, "ec4_1", "ec4", "ec5")
        return Features(s1, s2, s4, s8)

    def _run(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x


def _conv_leaky(channels_in: int, channels_out: int, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels_in, channels_out, 3, 1, dilation, dilation)
    return nn.Sequential(conv, nn.LeakyReLU(0.1))


class FlowRefinement(nn.Module):
    """Dilated context network on [features, coarse flow]; leaky after every layer, the last one too."""

    LAYERS = ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1), (2, 1))  # channels, dilation

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential()
        channels_in = 34
        for channels_out, dilation in self.LAYERS:
            self.convs.append(_conv_leaky(channels_in, channels_out, dilation))
            channels_in = channels_out

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.convs(x))


class FlowEstimator(nn.Module):
    """Coarse flow from the cost volume, plus its refinement."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.convs = nn.Sequential()
        for channels_out in (128, 128, 96, 64, 32):
            self.convs.append(_conv_leaky(channels_in, channels_out))
            channels_in = channels_out
        self.conv1 = nn.Conv2d(32, 2, 3, 1, 1)
        self.convs_fine = FlowRefinement()

    def forward(self, x: Tensor) -> Tensor:
        features = self.convs(x)
        coarse = self.conv1(features)
        return cast(Tensor, coarse + self.convs_fine(torch.cat((features, coarse), dim=1)))


class FlowNet(nn.Module):
    """Flow from a target's features to a source's at one scale, as a change of the incoming flow."""

    def __init__(self, channels: int, incoming_flow: bool) -> None:
        super().__init__()
        volume = (2 * CORRELATION_RADIUS + 1) ** 2
        self.flow_estimator = FlowEstimator(channels + volume + (2 if incoming_flow else 0))

    def forward(self, target: Tensor, source: Tensor, flow: Tensor | None = None) -> Tensor:
        inputs = [target, correlation(target, source)]
        if flow is not None:
            inputs.append(flow)
        return cast(Tensor, self.flow_estimator(torch.cat(inputs, dim=1)))


class MaskNet(nn.Module):
    """Composition mask, 0..1, from the absolute difference of two feature maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.convs = nn.Sequential(
            _conv_leaky(channels, half), _conv_leaky(half, half), nn.Conv2d(half, 1, 3, 1, 1)
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.sigmoid(self.convs((a - b).abs()))


class Aggregator(nn.Module):
    """Gated 5x3x3 convolution over the five warped sources: (B, 5, C, h, w) to (B, C, h, w).

    The kernel spans the whole time axis, so it is one 2-D convolution over 5 * C channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stAgg = nn.Module()
        self.stAgg.conv = nn.Conv3d(channels, 2 * channels, (5, 3, 3), padding=(0, 1, 1), bias=False)

    def forward(self, sources: Tensor) -> Tensor:
        weight = cast(nn.Conv3d, self.stAgg.conv).weight
        x = F.conv2d(sources.flatten(1, 2), weight.transpose(1, 2).flatten(1, 2), padding=1)
        value, gate = x.chunk(2, dim=1)
        return torch.sigmoid(gate) * F.relu(value)


class Bottleneck(nn.Module):
    """Dilated gated convolutions on [target features, composed features] at s8."""

    def __init__(self) -> None:
        super().__init__()
        self.bt0 = DilatedGatedConv(256, 128, 1)
        self.bt1 = DilatedGatedConv(128, 128, 2)
        self.bt2 = DilatedGatedConv(128, 128, 4)
        self.bt3 = DilatedGatedConv(128, 128, 8)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.bt3(self.bt2(self.bt1(self.bt0(x)))))


class ConvLSTM(nn.Module):
    """The shot's memory at s8; gate order is input, forget, output, cell."""

    def __init__(self) -> None:
        super().__init__()
        self.Gates = nn.Conv2d(256, 512, 3, 1, 1)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Return the new (hidden, cell)."""
        gates = self.Gates(torch.cat((x, hidden), dim=1))
        take, keep, show, candidate = gates.chunk(4, dim=1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(candidate)
        return torch.sigmoid(show) * torch.tanh(cell), cell


class Decoder(nn.Module):
    """From the memory's picture of the frame to R_t, with skips from the composed features."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.enlarge_last = variant == 512
        self.dc0 = PlanarGatedConv(128, 128)
        self.dc1 = PlanarGatedConv(128, 128)
        self.dc1_1 = PlanarGatedUpConv(128, 96)
        self.dc2_1 = PlanarGatedConv(192, 96)
        self.dc2_bt1 = PlanarGatedConv(96, 96, 2)
        self.dc2_bt2 = PlanarGatedConv(96, 96, 4)
        self.dc2_bt3 = PlanarGatedConv(96, 96, 8)
        self.dc2_2 = PlanarGatedUpConv(96, 64)
        self.dc3_1 = PlanarGatedConv(128, 64)
        self.dc3_2 = PlanarGatedConv(64, 64)
        self.dc4 = PlanarGatedUpConv(64, 32)
        self.dc5 = PlanarGatedConv(32, 16)
        self.dc6 = PlanarConv(16, 3)

    def forward(self, x: Tensor, skip_s4: Tensor, skip_s2: Tensor) -> Tensor:
        x = self.dc1_1(self.dc1(self.dc0(x)))
        x = self.dc2_1(torch.cat((x, skip_s4), dim=1))
        x = self.dc2_2(self.dc2_bt3(self.dc2_bt2(self.dc2_bt1(x))))
        x = self.dc3_2(self.dc3_1(torch.cat((x, skip_s2), dim=1)))
        x = self.dc4(x)
        if self.enlarge_last:
            x = upsample(x, 2)
        return cast(Tensor, self.dc6(self.dc5(x)))


class VINet(nn.Module):
    """The recurrent network.

    Args:
        variant: 512 halves the picture in its first layer (input size a multiple of 16), 256 does not
            (multiple of 8). Parameters have the same names and shapes in both.

    Attributes:
        heard, composed: by level, which channels of its features the aggregator takes, and which it gives and
            the composition hands on. Empty for a network with all its channels; see `models.network.prune`.
        takes_flows: the flows to the four frames beside are given, with their weights, and no flow net runs.
            Whoever steps moves the previous output and the memory along before the step.
    """

    def __init__(self, variant: Variant = 512) -> None:
        super().__init__()
        self.variant: Variant = variant
        self.takes_flows = False
        self.heard: dict[str, tuple[int, ...]] = {}
        self.composed: dict[str, tuple[int, ...]] = {}
        self.encoder1 = Encoder(variant)
        self.encoder2 = Encoder(variant)
        self.flownet = FlowNet(128, incoming_flow=False)
        self.flownet_64 = FlowNet(96, incoming_flow=True)
        self.flownet_128 = FlowNet(64, incoming_flow=True)
        self.flownet_256 = FlowNet(32, incoming_flow=True)
        self.masknet = MaskNet(128)
        self.masknet_64 = MaskNet(96)
        self.masknet_128 = MaskNet(64)
        self.masknet_256 = MaskNet(32)
        self.st_agg = Aggregator(128)
        self.st_agg_64 = Aggregator(96)
        self.st_agg_128 = Aggregator(64)
        self.bottleneck = Bottleneck()
        self.convlstm = ConvLSTM()
        self.decoder = Decoder(variant)

    @property
    def size_multiple(self) -> int:
        """Height and width of the input must be multiples of this many pixels."""
        return 16 if self.variant == 512 else 8

    def encode_source(self, frame: Tensor, mask: Tensor) -> Features:
        """Encode one frame as a source; depends on that frame alone, so it serves up to four steps."""
        return cast(Features, self.encoder2(frame * (1 - mask), mask))

    def start(self, frame: Tensor, mask: Tensor) -> Carry:
        """The carry before a shot's first frame: empty memory, the target's own masked picture fed back."""
        batch, _, height, width = frame.shape
        scale = self.size_multiple
        memory = self.convlstm.Gates.weight.shape[0] // 4
        empty = frame.new_zeros(batch, memory, height // scale, width // scale)
        level = 1 if self.variant == 256 else 2
        going = (batch, 1, height // level, width // level) if self.takes_flows else ()
        return Carry(empty, empty.clone(), frame * (1 - mask), mask, frame.new_zeros(going))

    def step(
        self,
        frame: Tensor,
        mask: Tensor,
        sources: list[Features],
        carry: Carry,
        aligner: Aligner = estimated_flow,
        guide: Guide | None = None,
    ) -> StepResult:
        """Fill one frame.

        Args:
            frame: (B, 3, H, W) in -1..1; what lies in the hole is ignored.
            mask: (B, 1, H, W), 1 in the hole.
            sources: features of frames t-6, t-3, t+3, t+6, in that order.
            carry: from the previous frame's step, or `start`.
            aligner: finds the flows; anything but the default is for training.
            guide: the flows, for a network that takes them; None for `resting_guide`.
        """
        target = self.encoder1(frame * (1 - mask), mask)
        streams = [*sources, self.encoder2(carry.output, carry.mask)]
        if self.takes_flows and guide is None:
            guide = resting_guide(target)
        flow_s8, mask_s8, syn_s8 = self._level("s8", target, streams, None, aligner, guide)
        flow_s4, mask_s4, syn_s4 = self._level("s4", target, streams, flow_s8, aligner, guide)
        flow_s2, mask_s2, syn_s2 = self._level("s2", target, streams, flow_s4, aligner, guide)

        memory = self.bottleneck(torch.cat((target.s8, syn_s8), dim=1))
        hidden, cell = self.convlstm(memory, carry.hidden, carry.cell)
        raw = self.decoder(hidden, syn_s4, syn_s2)
        output, mask_s1, flow_output = self._feed_back(raw, target.s1, streams[-1].s1, flow_s2[:, -1], carry)

        fed_mask = torch.zeros_like(mask) if self.variant == 256 else 0.5 * mask
        next_carry = Carry(hidden, cell, output, fed_mask, torch.ones_like(carry.feedback))
        return StepResult(
            output,
            next_carry,
            raw,
            flow_s8,
            flow_s4,
            flow_s2,
            mask_s8,
            mask_s4,
            mask_s2,
            mask_s1,
            flow_output,
        )

    def _level(
        self,
        level: str,
        target: Features,
        streams: list[Features],
        coarser: Tensor | None,
        aligner: Aligner,
        guide: Guide | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One scale: flows to every source, composition mask, and target and sources composed by it."""
        flownet, aggregator, masknet = self._parts(level)
        wanted: Tensor = getattr(target, level)
        stacked = torch.stack([getattr(stream, level) for stream in streams], dim=1)
        if self.takes_flows and guide is not None:
            flow, warped = self._follow(stacked, guide[level])
        else:
            flow, warped = self._align(flownet, wanted, stacked, coarser, aligner)
        if level in self.heard:
            warped = warped[:, :, list(self.heard[level])]
            wanted = wanted[:, list(self.composed[level])]
        mask, composed = self._compose(masknet, wanted, aggregator(warped))
        return flow, mask, composed

    def _parts(self, level: str) -> tuple[nn.Module, nn.Module, nn.Module]:
        return {
            "s8": (self.flownet, self.st_agg, self.masknet),
            "s4": (self.flownet_64, self.st_agg_64, self.masknet_64),
            "s2": (self.flownet_128, self.st_agg_128, self.masknet_128),
        }[level]

    def _align(
        self, flownet: nn.Module, target: Tensor, sources: Tensor, coarser: Tensor | None, aligner: Aligner
    ) -> tuple[Tensor, Tensor]:
        """Flow to every source at one scale, and the sources (B, 5, C, h, w) warped by it."""
        batch, count = sources.shape[:2]
        stacked = sources.flatten(0, 1)
        repeated = target.repeat_interleave(count, dim=0)
        incoming = None if coarser is None else 2 * upsample(coarser.flatten(0, 1), 2)
        flow = aligner(flownet, repeated, stacked, incoming)
        warped = torch.unflatten(warp(stacked, flow, "zeros"), 0, (batch, count))
        return torch.unflatten(flow, 0, (batch, count)), warped

    @staticmethod
    def _follow(sources: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Given flows (B, 5, 2, h, w), none for the previous output, and the sources moved and weighted."""
        batch, count = given.shape[:2]
        flow = given[:, :, :2]
        beside = warp(sources[:, :count].flatten(0, 1), flow.flatten(0, 1), "zeros")
        weighted = torch.unflatten(beside, 0, (batch, count)) * given[:, :, 2:]
        still = torch.zeros_like(flow[:, :1])
        return torch.cat((flow, still), dim=1), torch.cat((weighted, sources[:, count:]), dim=1)

    @staticmethod
    def _compose(masknet: nn.Module, target: Tensor, aggregated: Tensor) -> tuple[Tensor, Tensor]:
        mask = masknet(target, aggregated)
        return mask, (1 - mask) * target + mask * aggregated

    def _feed_back(
        self, raw: Tensor, target_s1: Tensor, previous_s1: Tensor, flow_s2: Tensor, carry: Carry
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Blend the decoder's picture with the warped previous output; `feedback` 0 leaves it as it is."""
        flow_s1 = 2 * upsample(flow_s2, 2)
        aligned = warp(previous_s1, flow_s1, "border")
        mask_s1 = self.masknet_256(target_s1, aligned)
        mask = mask_s1 * carry.feedback
        if self.variant == 256:
            flow = flow_s1 + self.flownet_256(target_s1, aligned, flow_s1)
        else:
            mask = F.interpolate(mask, scale_factor=2, mode="nearest")
            flow = 4 * upsample(flow_s2, 4)
        output = (1 - mask) * raw + mask * warp(carry.output, flow, "border")
        return output, mask_s1, flow
