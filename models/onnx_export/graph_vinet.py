"""VINet as ONNX graphs: `encode` (one frame as a source) and `step` (one frame filled).

Follows `models.network.vinet` layer by layer; see there for what each part does. Differences, none of which
changes what is computed beyond rounding:

- a source frame is encoded once and its features serve up to four steps;
- the target's share of each flow net's first layer is computed once, not once per stream;
- in the 512 variant the flow net at s1, whose result is never used, is left out;
- where flows are given, they are inputs with the weight of each source beside them; no flow net is written;
- flow nets whose last layers are all zero, as before they are trained, move nothing: neither they nor the
  warps by their flows are computed;
- a gated convolution is two convolutions, so that each half is fused with its activation;
- layers of 2 or 34 channels are filled up with zeros to a multiple of 16 (CPU kernels compute those anyway).

Source features are channels last, (h, w, C): they are read pixel by pixel at the places the flow points to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from ..network.vinet import VINet
from .graph import GraphWriter, WeightFile
from .graph_ops import Correlation, Level, Levels, Warp, to_planes, to_rows
from .graph_winograd import Activation, Stripes, Winograd

_LAST_LAYER = {"s1": "ec0", "s2": "ec2", "s4": "ec3_2", "s8": "ec5"}
STREAMS = 5
_SUFFIX = {"s8": "", "s4": "_64", "s2": "_128", "s1": "_256"}
_FLOW_PLANES = 16
_VOLUME_PLANES = 84


@dataclass(frozen=True)
class Pyramid:
    """One frame's features at four levels, channels first."""

    s1: str
    s2: str
    s4: str
    s8: str

    def __getitem__(self, level: str) -> str:
        return str(getattr(self, level))


def level_scales(variant: int) -> dict[str, int]:
    """Input pixels that one pixel of each level spans."""
    base = 2 if variant == 512 else 1
    return {"s1": base, "s2": 2 * base, "s4": 4 * base, "s8": 8 * base}


def size_of(scale: int) -> tuple[str, str]:
    """Names of the free dimensions of a tensor at the given scale: the bundle's convention."""
    return f"height_{scale}", f"width_{scale}"


def channels_of(network: VINet) -> dict[str, int]:
    """Channels of each level's features, and of the memory: fewer than published in a pruned network."""
    state = network.state_dict()
    levels = {
        level: state[f"encoder2.{layer}.conv.weight"].shape[0] // 2 for level, layer in _LAST_LAYER.items()
    }
    return levels | {"memory": state["convlstm.Gates.weight"].shape[0] // 4}


def encode_graph(network: VINet, weights: WeightFile) -> onnx.ModelProto:
    """The graph that encodes one frame as a source: frame, mask -> s2, s4, s8, each (h, w, C)."""
    writer = _Writer("encode", network, weights)
    features = writer.encoder("encoder2", writer.masked, writer.mask)
    for level in ("s2", "s4", "s8"):
        last = writer.graph.transpose(features[level], 0, 2, 3, 1)
        writer.graph.output(
            level,
            writer.graph.op("Squeeze", last, writer.graph.ints(0)),
            [*size_of(writer.scales[level]), writer.channels[level]],
        )
    return writer.graph.model()


def step_graph(network: VINet, weights: WeightFile, *, striped: bool = False) -> onnx.ModelProto:
    """The graph that fills one frame.

    With `striped` the large convolutions are Winograd's (`graph_winograd`): quicker where ONNX Runtime has
    its blocked layout, on x86 CPUs; elsewhere slower, and on CUDA not runnable.

    Inputs: frame, mask, source_{0..3}_{s2,s4,s8}, hidden_in, cell_in, output_in, mask_in, feedback_in; where
    flows are given, guide_{s2,s4,s8} too, each (4, 3, h, w): flow x and y, and weight.
    Outputs: fill, hidden_out, cell_out, output_out, mask_out, feedback_out, and to look at: raw, flow_s8,
    flow_s4, flow_s2 (5, 2, h, w), mask_s8, mask_s4, mask_s2, mask_s1, flow_output.
    """
    return _StepWriter(network, weights, striped).build()


_BLOCK = 16
"""ONNX Runtime's convolutions, and what follows them, work on so many channels at once, there or not."""


def _sees_others(weight: NDArray[np.float32]) -> bool:
    """Whether kernels of 3x3 hear anything but the pixel itself."""
    around = weight.copy()
    around[:, :, 1, 1] = 0
    return bool(around.any())


class _Writer:
    """Layers that both graphs are made of."""

    def __init__(self, name: str, network: VINet, weights: WeightFile) -> None:
        self.variant = network.variant
        self.scales = level_scales(network.variant)
        self.channels = channels_of(network)
        self.graph = GraphWriter(name, weights)
        self._state = {key: value.detach().cpu().numpy() for key, value in network.state_dict().items()}
        height, width = size_of(1)
        self.frame = self.graph.input("frame", [1, 3, height, width])
        self.mask = self.graph.input("mask", [1, 1, height, width])
        self.levels = Levels(self.graph, self.frame)
        self.winograd = Winograd(self.graph)
        self._ones = self.graph.op("Sub", self.graph.floats(1.0), self.mask)
        self.masked = self.graph.op("Mul", self.frame, self._ones)

    def level(self, name: str) -> Level:
        return self.levels[self.scales[name]]

    def weight(self, key: str) -> NDArray[np.float32]:
        return np.asarray(self._state[key], dtype=np.float32)

    def conv(
        self,
        x: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None = None,
        *,
        stride: int = 1,
        dilation: int = 1,
        activation: Activation | None = None,
        slope: float = 0.1,
    ) -> str:
        """A 3x3 convolution that keeps the size (divided by the stride); less where its kernels see less."""
        own = None if _sees_others(weight) else np.ascontiguousarray(weight[:, :, 1:2, 1:2])
        if own is not None and stride == 1 and bias is None and max(own.shape) < _BLOCK:
            y = self._mixed(x, own[:, :, 0, 0])
        else:
            inputs = [x, self.graph.weight(weight if own is None else own)]
            if bias is not None:
                inputs.append(self.graph.weight(bias))
            y = self.graph.op(
                "Conv",
                *inputs,
                kernel_shape=[3, 3] if own is None else [1, 1],
                strides=[stride] * 2,
                dilations=[dilation if own is None else 1] * 2,
                pads=[dilation if own is None else 0] * 4,
            )
        if activation is None:
            return y
        return self.activate(y, activation, slope)

    def _mixed(self, x: str, weight: NDArray[np.float32]) -> str:
        """Every pixel's channels mixed: a matrix product, on the channels alone that there are."""
        rows, columns = weight.shape
        flat = self.graph.op("Reshape", x, self.graph.ints(1, columns, -1))
        size = self.graph.op("Shape", x, start=2)
        shape = self.graph.op("Concat", self.graph.ints(1, rows), size, axis=0)
        return self.graph.op("Reshape", self.graph.op("MatMul", self.graph.weight(weight), flat), shape)

    def activate(self, x: str, activation: Activation, slope: float = 0.1) -> str:
        if activation == "LeakyRelu":
            return self.graph.op("LeakyRelu", x, alpha=slope)
        return self.graph.op(activation, x)

    def gated(
        self,
        x: str,
        weight: NDArray[np.float32],
        *,
        stride: int = 1,
        dilation: int = 1,
        activation: Activation = "Relu",
    ) -> str:
        """sigmoid(gate) * activation(value); `activation` is Relu, or LeakyRelu of slope 0.2."""
        half = weight.shape[0] // 2
        value = self.conv(
            x, weight[:half], stride=stride, dilation=dilation, activation=activation, slope=0.2
        )
        if not weight[half:].any():
            return self.graph.op("Mul", value, self.graph.floats(0.5))
        gate = self.conv(x, weight[half:], stride=stride, dilation=dilation, activation="Sigmoid")
        return self.graph.op("Mul", gate, value)

    def encoder(self, name: str, picture: str, mask: str) -> Pyramid:
        """Features of a picture (1, 3, H, W) whose hole is 0."""
        ones = self.graph.op(
            "Add", self.graph.op("Mul", mask, self.graph.floats(0.0)), self.graph.floats(1.0)
        )
        x = self.graph.op("Concat", picture, ones, mask, axis=1)

        def run(x: str, *layers: tuple[str, int]) -> str:
            for layer, stride in layers:
                x = self.gated(x, self.weight(f"{name}.{layer}.conv.weight"), stride=stride)
            return x

        s1 = run(x, ("ec0", 2 if self.variant == 512 else 1))
        s2 = run(s1, ("ec1", 2), ("ec2", 1))
        s4 = run(s2, ("ec3_1", 2), ("ec3_2", 1))
        s8 = run(s4, ("ec4_1", 2), ("ec4", 1), ("ec5", 1))
        return Pyramid(s1, s2, s4, s8)

    def enlarge(self, x: str, factor: int) -> str:
        """Bilinear, pixel centres at half pixels."""
        return self.graph.op(
            "Resize",
            x,
            "",
            self.graph.floats(1.0, 1.0, factor, factor),
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )


_SUMMED_FROM = 16
"""Channels from which the frames beside, where all count alike, are summed as they are moved."""


class _StepWriter(_Writer):
    """The step graph, part by part."""

    def __init__(self, network: VINet, weights: WeightFile, striped: bool) -> None:
        super().__init__("step", network, weights)
        self._striped = striped
        graph, scales, memory = self.graph, self.scales, self.channels["memory"]
        self._heard, self._composed = network.heard, network.composed
        self._guide = (
            {
                level: graph.input(f"guide_{level}", [STREAMS - 1, 3, *size_of(self.scales[level])])
                for level in ("s8", "s4", "s2")
            }
            if network.takes_flows
            else {}
        )
        # The previous output is moved before the step where flows are given: here it holds still.
        self._still = network.takes_flows or all(
            self._ends_in_zeros(f"flownet{_SUFFIX[level]}") for level in ("s8", "s4", "s2")
        )
        self._sources = {
            level: [
                graph.input(f"source_{i}_{level}", [*size_of(scales[level]), self.channels[level]])
                for i in range(STREAMS - 1)
            ]
            for level in ("s8", "s4", "s2")
        }
        self._hidden = graph.input("hidden_in", [1, memory, *size_of(scales["s8"])])
        self._cell = graph.input("cell_in", [1, memory, *size_of(scales["s8"])])
        self._output = graph.input("output_in", [1, 3, *size_of(1)])
        self._mask = graph.input("mask_in", [1, 1, *size_of(1)])
        self._going: list[int | str] = [1, 1, *size_of(scales["s1"])] if network.takes_flows else []
        self._feedback = graph.input("feedback_in", self._going)

    def build(self) -> onnx.ModelProto:
        target = self.encoder("encoder1", self.masked, self.mask)
        previous = self.encoder("encoder2", self._output, self._mask)
        for level in ("s8", "s4", "s2"):
            if not self._guide:
                last = self.graph.transpose(previous[level], 0, 2, 3, 1)
                self._sources[level].append(self.graph.op("Squeeze", last, self.graph.ints(0)))

        composed: dict[str, str] = {}
        flows: list[str] | None = None
        for level in ("s8", "s4", "s2"):
            if self._guide:
                flows, aggregated = self._follow(level, previous[level])
            else:
                align = self._hold if self._still else self._align
                flows, aggregated = align(level, target[level], flows)
            self._show(f"flow_{level}", self.graph.op("Concat", *flows, axis=0), [5, 2, *self._size(level)])
            wanted = self._picked(target[level], self._composed.get(level), 1)
            mask = self._composition_mask(level, wanted, aggregated)
            self._show(f"mask_{level}", mask, [1, 1, *self._size(level)])
            composed[level] = self._mix(mask, wanted, aggregated)
        assert flows is not None

        memory = self._bottleneck(target.s8, composed["s8"])
        hidden, cell = self._remember(memory)
        raw = self._decode(hidden, composed["s4"], composed["s2"])
        fill = self._feed_back(raw, target.s1, previous.s1, flows[-1])
        self._outputs(fill, hidden, cell, raw)
        return self.graph.model()

    def striped(self, level: str) -> bool:
        """Whether a level's large convolutions are done in stripes: its height must be a multiple of 4."""
        return self._striped and level in ("s1", "s2")

    def _size(self, level: str) -> tuple[str, str]:
        return size_of(self.scales[level])

    def _show(self, name: str, value: str, shape: list[int | str]) -> None:
        self.graph.output(name, value, shape)

    def _outputs(self, fill: str, hidden: str, cell: str, raw: str) -> None:
        graph = self.graph
        kept = graph.op("Mul", self.mask, graph.floats(0.5 if self.variant == 512 else 0.0))
        going = graph.op("Max", self._feedback, graph.floats(1.0))
        graph.output("fill", fill, [1, 3, *size_of(1)])
        graph.output("hidden_out", hidden, [1, self.channels["memory"], *self._size("s8")])
        graph.output("cell_out", cell, [1, self.channels["memory"], *self._size("s8")])
        graph.output("output_out", fill, [1, 3, *size_of(1)])
        graph.output("mask_out", kept, [1, 1, *size_of(1)])
        graph.output("feedback_out", going, self._going)
        self._show("raw", raw, [1, 3, *size_of(1)])

    def _align(self, level: str, target: str, coarser: list[str] | None) -> tuple[list[str], str]:
        """Flow to each source at one level, and the sources warped by it and aggregated."""
        channels = self.channels[level]
        net = _FlowNet(self, f"flownet{_SUFFIX[level]}", level, target)
        warp = Warp(self.graph, self.level(level), "zeros")
        flows, warped = [], []
        taken = len(self._heard.get(level, range(channels)))
        for number, source in enumerate(self._sources[level]):
            rows = warp.source(source, channels)
            heard = self._picked(rows, self._heard.get(level), 1)
            if coarser is None:
                flow = net.run(self.graph.reshape(source, -1, channels), None)
            else:
                incoming = self._finer(coarser[number], 2)
                seen = warp.sample(rows, warp.places(incoming), channels)
                flow = self.graph.op("Add", incoming, net.run(seen, incoming))
            flows.append(flow)
            warped.append(warp.sample(heard, warp.places(flow), taken))
        return flows, self._aggregate(level, warped)

    def _ends_in_zeros(self, flownet: str) -> bool:
        """Whether a flow net gives exactly zero whatever it is shown."""
        ends = (f"{flownet}.flow_estimator.{end}" for end in ("conv1", "convs_fine.convs.6.0"))
        return not any(self.weight(f"{end}.{part}").any() for end in ends for part in ("weight", "bias"))

    def _hold(self, level: str, target: str, coarser: list[str] | None) -> tuple[list[str], str]:
        """What `_align` gives where every flow is zero: the sources as they are, aggregated."""
        graph, channels = self.graph, self.channels[level]
        two = graph.op("Slice", target, graph.ints(0), graph.ints(2), graph.ints(1))
        flow = graph.op("Mul", two, graph.floats(0.0))
        rows = [graph.reshape(source, -1, channels) for source in self._sources[level]]
        sources = [self._picked(source, self._heard.get(level), 1) for source in rows]
        return [flow] * STREAMS, self._aggregate(level, sources)

    def _follow(self, level: str, previous: str) -> tuple[list[str], str]:
        """What `_align` gives where flows are given: the frames beside moved and weighted, aggregated."""
        graph, channels, size = self.graph, self.channels[level], self.level(level)
        heard = self._heard.get(level, tuple(range(channels)))
        flows, weights = (
            graph.op("Slice", self._guide[level], graph.ints(first), graph.ints(last), graph.ints(1))
            for first, last in ((0, 2), (2, 3))
        )
        sources = [self._picked(source, heard, 2, channels) for source in self._sources[level]]
        warp, kernel = Warp(graph, size, "zeros"), self._aggregator(level)
        if len(heard) >= _SUMMED_FROM and (kernel[:, :, :1] == kernel[:, :, 1 : STREAMS - 1]).all():
            kernel = kernel[:, :, -2:]
            weighted = warp.sample_sum(sources, flows, weights, len(heard))
        else:
            moved = warp.sample_each(sources, flows, len(heard))
            weighted = graph.op("Mul", moved, graph.reshape(weights, STREAMS - 1, 1, -1))
        beside = (kernel.shape[2] - 1) * len(heard)
        planes = graph.reshape(weighted, 1, beside, size.height, size.width)
        streams = graph.op("Concat", planes, self._picked(previous, heard, 1, channels), axis=1)
        # The previous output does not move; being constant, that flow and what is made of it costs nothing.
        still = graph.op("ConstantOfShape", graph.vector(1, 2, size.height, size.width))
        return [flows, still], self._aggregate_planes(level, streams, kernel)

    def _picked(self, x: str, channels: tuple[int, ...] | None, axis: int, all_of: int | None = None) -> str:
        """Some of a tensor's channels, in the given order; None for all."""
        if channels is None or (all_of is not None and channels == tuple(range(all_of))):
            return x
        return self.graph.op("Gather", x, self.graph.ints(*channels), axis=axis)

    def _finer(self, flow: str, factor: int) -> str:
        """A flow enlarged, its values with it."""
        return self.graph.op("Mul", self.enlarge(flow, factor), self.graph.floats(float(factor)))

    def _aggregate(self, level: str, warped: list[str]) -> str:
        """Gated 5x3x3 convolution over the streams: one 2-D convolution over 5 * C channels."""
        rows = self.graph.op("Concat", *warped, axis=1)
        channels = STREAMS * len(self._heard.get(level, range(self.channels[level])))
        planes = to_planes(self.graph, rows, channels, self.level(level))
        return self._aggregate_planes(level, planes, self._aggregator(level))

    def _aggregator(self, level: str) -> NDArray[np.float32]:
        """The aggregator's kernel (2 * C, C, streams, 3, 3), value and gate."""
        return self.weight(f"st_agg{_SUFFIX[level]}.stAgg.conv.weight")

    def _aggregate_planes(self, level: str, planes: str, kernel: NDArray[np.float32]) -> str:
        """The same of streams as planes (1, streams * C, h, w)."""
        merged = kernel.transpose(0, 2, 1, 3, 4).reshape(kernel.shape[0], -1, 3, 3)
        if not self.striped(level):
            return self.gated(planes, merged)
        stripes = self.winograd.gated(self.winograd.transform_planes(planes, merged.shape[1]), merged)
        return self.winograd.join(stripes, merged.shape[0] // 2, self.level(level))

    def _composition_mask(self, level: str, a: str, b: str) -> str:
        key = f"masknet{_SUFFIX[level]}.convs"
        x = self.graph.op("Abs", self.graph.op("Sub", a, b))
        for layer, activation in (("0.0", "LeakyRelu"), ("1.0", "LeakyRelu"), ("2", None)):
            x = self.conv(
                x,
                self.weight(f"{key}.{layer}.weight"),
                self.weight(f"{key}.{layer}.bias"),
                activation="LeakyRelu" if activation else "Sigmoid",
            )
        return x

    def _mix(self, mask: str, a: str, b: str) -> str:
        """(1 - mask) * a + mask * b."""
        keep = self.graph.op("Sub", self.graph.floats(1.0), mask)
        return self.graph.op("Add", self.graph.op("Mul", keep, a), self.graph.op("Mul", mask, b))

    def _bottleneck(self, target: str, composed: str) -> str:
        x = self.graph.op("Concat", target, composed, axis=1)
        for layer, dilation in (("bt0", 1), ("bt1", 2), ("bt2", 4), ("bt3", 8)):
            x = self.gated(x, self.weight(f"bottleneck.{layer}.conv.weight"), dilation=dilation)
        return x

    def _remember(self, x: str) -> tuple[str, str]:
        """ConvLSTM: the new hidden and cell state. Gate order is input, forget, output, cell."""
        graph = self.graph
        x = graph.op("Concat", x, self._hidden, axis=1)
        weight = np.split(self.weight("convlstm.Gates.weight"), 4)
        bias = np.split(self.weight("convlstm.Gates.bias"), 4)
        take, keep, show = (self.conv(x, weight[i], bias[i], activation="Sigmoid") for i in range(3))
        candidate = graph.op("Tanh", self.conv(x, weight[3], bias[3]))
        cell = graph.op("Add", graph.op("Mul", keep, self._cell), graph.op("Mul", take, candidate))
        return graph.op("Mul", show, graph.op("Tanh", cell)), cell

    def _decode(self, x: str, skip_s4: str, skip_s2: str) -> str:
        """The decoder's picture R_t, (1, 3, H, W)."""

        def plain(x: str, layer: str, dilation: int = 1) -> str:
            return self.gated(x, self.weight(f"decoder.{layer}.conv.weight")[:, :, 0], dilation=dilation)

        def up(x: str, layer: str) -> str:
            weight = self.weight(f"decoder.{layer}.conv.1.weight")[:, :, 0]
            return self.gated(self.enlarge(x, 2), weight, activation="LeakyRelu")

        x = up(plain(plain(x, "dc0"), "dc1"), "dc1_1")
        x = plain(self.graph.op("Concat", x, skip_s4, axis=1), "dc2_1")
        x = plain(plain(plain(x, "dc2_bt1", 2), "dc2_bt2", 4), "dc2_bt3", 8)
        if self.striped("s2"):
            x = self._decode_striped(x, skip_s2)
        else:
            x = up(x, "dc2_2")
            x = plain(self.graph.op("Concat", x, skip_s2, axis=1), "dc3_1")
            x = up(plain(x, "dc3_2"), "dc4")
        if self.variant == 512:
            x = self.enlarge(x, 2)
        return self.conv(plain(x, "dc5"), self.weight("decoder.dc6.weight")[:, :, 0])

    def _decode_striped(self, x: str, skip_s2: str) -> str:
        """Layers dc2_2 to dc4 of the decoder, whose pictures are large enough for stripes."""
        winograd = self.winograd

        def weight(key: str) -> NDArray[np.float32]:
            return self.weight(f"decoder.{key}.weight")[:, :, 0]

        first, merge, after, last = (
            weight(key) for key in ("dc2_2.conv.1", "dc3_1.conv", "dc3_2.conv", "dc4.conv.1")
        )
        coarse, merged, fine, finest = (kernel.shape[0] // 2 for kernel in (first, merge, after, last))
        stripes = winograd.gated(
            winograd.transform_planes(self.enlarge(x, 2), first.shape[1]), first, "LeakyRelu"
        )
        skips = winograd.transform_planes(skip_s2, merge.shape[1] - coarse)
        inputs = [
            self.graph.op("Concat", *pair, axis=1)
            for pair in zip(winograd.transform(stripes, coarse), skips, strict=True)
        ]
        stripes = winograd.gated(inputs, merge)
        stripes = winograd.gated(winograd.transform(stripes, merged), after)
        x = self.enlarge(winograd.join(stripes, fine, self.level("s2")), 2)
        stripes = winograd.gated(winograd.transform_planes(x, fine), last, "LeakyRelu")
        return winograd.join(stripes, finest, self.level("s1"))

    def _feed_back(self, raw: str, target: str, previous: str, flow_s2: str) -> str:
        """Blend the decoder's picture with the warped previous output."""
        graph, channels = self.graph, self.channels["s1"]
        holds = self._still and self.variant == 512
        flow = self._finer(flow_s2, 2)
        aligned, planes = "", previous
        if not holds:
            warp = Warp(graph, self.level("s1"), "border")
            rows = warp.source(
                graph.op("Squeeze", graph.transpose(previous, 0, 2, 3, 1), graph.ints(0)), channels
            )
            aligned = warp.sample(rows, warp.places(flow), channels)
            planes = to_planes(graph, aligned, channels, self.level("s1"))
        mask = self._composition_mask("s1", target, planes)
        self._show("mask_s1", mask, [1, 1, *self._size("s1")])
        mask = graph.op("Mul", mask, self._feedback)
        if self.variant == 512:
            flow = self._finer(flow_s2, 4)
            scales = graph.floats(1.0, 1.0, 2.0, 2.0)
            mask = graph.op(
                "Resize",
                mask,
                "",
                scales,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        else:
            net = _FlowNet(self, "flownet_256", "s1", target)
            flow = graph.op("Add", flow, net.run(aligned, flow))
        self._show("flow_output", flow, [1, 2, *size_of(1)])
        fed = self._output
        if not holds:
            fed = Warp(graph, self.levels[1], "border").sample_planes(self._output, flow, 3)
        return self._mix(mask, raw, fed)


class _FlowNet:
    """One flow sub-network for one target: what depends on the target alone is computed once."""

    def __init__(self, writer: _StepWriter, name: str, level: str, target: str) -> None:
        self._writer = writer
        self._name = f"{name}.flow_estimator"
        self._channels = channels = writer.channels[level]
        self._correlation = Correlation(writer.graph, writer.level(level))
        self._tiles = self._correlation.target(to_rows(writer.graph, target, channels), channels)
        self._size = writer.level(level)
        self._striped = writer.striped(level)
        weight = writer.weight(f"{self._name}.convs.0.0.weight")
        self._bias = writer.weight(f"{self._name}.convs.0.0.bias")
        self._first = _filled(weight[:, channels:], 1, _VOLUME_PLANES)
        if self._striped:
            inputs = writer.winograd.transform_planes(target, channels)
            self._shares = writer.winograd.products(inputs, weight[:, :channels])
        else:
            self._share = writer.conv(target, weight[:, :channels], self._bias)

    def run(self, source: str, incoming: str | None) -> str:
        """Flow (1, 2, h, w), as a change of the incoming one, to a source given as rows."""
        writer, graph = self._writer, self._writer.graph
        planes = _VOLUME_PLANES if incoming is None else _VOLUME_PLANES - 2
        x = self._correlation.volume(self._tiles, source, self._channels, planes)
        weight = self._first
        if incoming is not None:
            # The spare planes come before the flow's: their weights are zero.
            x = graph.op("Concat", x, incoming, axis=1)
            weight = np.concatenate((weight[:, :81], weight[:, 83:], weight[:, 81:83]), axis=1)
        if self._striped:
            return self._run_striped(x, weight)
        x = graph.op("Add", writer.conv(x, weight), self._share)
        x = writer.activate(x, "LeakyRelu")
        for layer in range(1, 5):
            x = self._layer(x, f"convs.{layer}.0")
        coarse = self._layer(x, "conv1", planes=_FLOW_PLANES, linear=True)
        fine = graph.op("Concat", x, coarse, axis=1)
        for layer, dilation in enumerate((1, 2, 4, 8, 16, 1)):
            fine = self._layer(fine, f"convs_fine.convs.{layer}.0", dilation=dilation)
        fine = self._layer(fine, "convs_fine.convs.6.0", planes=_FLOW_PLANES)
        return self._flow(graph.op("Add", coarse, fine))

    def _run_striped(self, x: str, weight: NDArray[np.float32]) -> str:
        """The same from the first layer's input on, in stripes."""
        graph, winograd = self._writer.graph, self._writer.winograd

        def layer(
            x: Stripes, key: str, *, planes: int = 0, dilation: int = 1, linear: bool = False
        ) -> Stripes:
            weight, bias = self._parameters(key, planes)
            activation: Activation | None = None if linear else "LeakyRelu"
            return winograd.conv(x, weight, bias, activation, level=self._size, dilation=dilation)

        products = winograd.products(winograd.transform_planes(x, _VOLUME_PLANES), weight, self._shares)
        y = winograd.combine(products, weight.shape[0], self._bias, "LeakyRelu")
        for number in range(1, 5):
            y = layer(y, f"convs.{number}.0")
        coarse = layer(y, "conv1", planes=_FLOW_PLANES, linear=True)
        a, b, c, d = (graph.op("Concat", *pair, axis=1) for pair in zip(y, coarse, strict=True))
        fine = (a, b, c, d)
        for number, dilation in enumerate((1, 2, 4, 8, 16, 1)):
            fine = layer(fine, f"convs_fine.convs.{number}.0", dilation=dilation)
        fine = layer(fine, "convs_fine.convs.6.0", planes=_FLOW_PLANES)
        a, b, c, d = (self._flow(graph.op("Add", *pair)) for pair in zip(coarse, fine, strict=True))
        return winograd.join((a, b, c, d), 2, self._size)

    def _flow(self, planes: str) -> str:
        graph = self._writer.graph
        return graph.op("Slice", planes, graph.ints(0), graph.ints(2), graph.ints(1))

    def _layer(self, x: str, key: str, *, planes: int = 0, dilation: int = 1, linear: bool = False) -> str:
        weight, bias = self._parameters(key, planes)
        activation: Activation | None = None if linear else "LeakyRelu"
        return self._writer.conv(x, weight, bias, dilation=dilation, activation=activation)

    def _parameters(self, key: str, planes: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A layer's weight and bias, filled up with zeros to `planes` outputs."""
        weight = self._writer.weight(f"{self._name}.{key}.weight")
        bias = self._writer.weight(f"{self._name}.{key}.bias")
        if key == "convs_fine.convs.0.0":
            weight = _filled(weight, 1, weight.shape[1] - 2 + _FLOW_PLANES)
        if planes:
            weight, bias = _filled(weight, 0, planes), _filled(bias, 0, planes)
        return weight, bias


def _filled(values: NDArray[np.float32], axis: int, size: int) -> NDArray[np.float32]:
    """Zeros added at the end of an axis up to `size`."""
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, size - values.shape[axis])
    return np.pad(values, widths)
