"""3x3 convolutions with half the multiplications, for CPUs whose convolutions are bound by arithmetic.

Winograd's minimal filtering F(4, 3) along y (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin
and Gray, CVPR 2016): four rows of output take six products of rows instead of twelve. Along x the convolution
stays as it is, so the products are convolutions of kernel (1, 3), and the transforms before and after are
depthwise ones of one column: all of it stays in ONNX Runtime's blocked channel layout.

A picture is held as four *stripes*, (1, C, h/4, w) each: stripe r has the rows y with y mod 4 = r. A layer's
stripes are the next one's input as they are. A convolution whose dilation is a multiple of 4 acts within each
stripe; one of dilation 2 uses F(2, 3), which needs four products instead of six.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .graph import GraphWriter
from .graph_ops import Level

STRIPES = 4
Stripes = tuple[str, str, str, str]
Activation = Literal["Relu", "Sigmoid", "LeakyRelu"]
Weight = NDArray[np.float32]

# Lavin and Gray's matrices for the points 0, 1, -1, 2, -2, infinity.
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_FILTER_4 = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=np.float32,
)
_FILTER_2 = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], dtype=np.float32)


class Winograd:
    """Writes striped convolutions into a graph."""

    def __init__(self, graph: GraphWriter) -> None:
        self._graph = graph
        self._filters: dict[tuple[str, str], list[str]] = {}

    def transform_planes(self, planes: str, channels: int) -> list[str]:
        """The six inputs of the products from a picture (1, C, h, w), h a multiple of 4."""
        return [self._column(planes, channels, taps, pads=(1, 1), stride=STRIPES) for taps in _INPUT]

    def transform(self, stripes: Stripes, channels: int) -> list[str]:
        """The six inputs of the products from stripes."""

        def column(x: str, *taps: float, plus: str | None = None, pads: tuple[int, int] = (0, 0)) -> str:
            return self._column(x, channels, taps, pads=pads, plus=plus)

        # Rows 4i-1 ... 4i+4 of the picture are d0 ... d5; d0 and d5 come from the stripes' neighbours.
        d1, d2, d3, d4 = stripes
        even, odd = column(d2, -4, plus=d4), column(d1, -4, plus=d3)
        even_2, odd_2 = column(d2, -1, plus=d4), column(d1, -1, plus=d3)
        return [
            column(d4, 4, 1, pads=(1, 0), plus=column(d2, -5)),
            column(odd, 1, plus=even),
            column(odd, -1, plus=even),
            column(odd_2, 2, plus=even_2),
            column(odd_2, -2, plus=even_2),
            column(d1, 4, 1, pads=(0, 1), plus=column(d3, -5)),
        ]

    def products(
        self,
        inputs: Sequence[str],
        weight: Weight,
        plus: Sequence[str] | None = None,
        *,
        dilation: int = 1,
    ) -> list[str]:
        """The six products with a filter (O, I, 3, 3), added to `plus`."""
        filters = self._filter(weight, _FILTER_4)
        return [
            self._row(
                x, kernel, weight.shape[0], plus=None if plus is None else plus[number], dilation=dilation
            )
            for number, (x, kernel) in enumerate(zip(inputs, filters, strict=True))
        ]

    def combine(
        self,
        products: Sequence[str],
        channels: int,
        bias: Weight | None = None,
        activation: Activation | None = None,
        slope: float = 0.1,
    ) -> Stripes:
        """Stripes of the convolution's result from the six products."""

        def column(x: str, tap: float, plus: str) -> str:
            return self._column(x, channels, (tap,), plus=plus)

        def last(x: str, tap: float, plus: str) -> str:
            return self._column(x, channels, (tap,), plus=plus, bias=bias, activation=activation, slope=slope)

        first, m1, m2, m3, m4, final = products
        near, far = column(m2, 1, plus=m1), column(m4, 1, plus=m3)
        near_odd, far_odd = column(m2, -1, plus=m1), column(m4, -1, plus=m3)
        return (
            last(far, 1, column(first, 1, plus=near)),
            last(far_odd, 2, near_odd),
            last(far, 4, near),
            last(far_odd, 8, column(final, 1, plus=near_odd)),
        )

    def conv(
        self,
        stripes: Stripes,
        weight: Weight,
        bias: Weight | None = None,
        activation: Activation | None = None,
        *,
        level: Level,
        dilation: int = 1,
        slope: float = 0.1,
    ) -> Stripes:
        """A 3x3 convolution of stripes; the dilation is 1, 2 or a multiple of 4."""
        if dilation == 1:
            inputs = self.transform(stripes, weight.shape[1])
            products = self.products(inputs, weight)
            return self.combine(products, weight.shape[0], bias, activation, slope)
        if dilation == 2:
            pairs = [self._conv_2(stripes, start, weight, bias, activation, slope) for start in (0, 1)]
            return pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]
        if dilation == STRIPES:
            return self._each(lambda x: self._within(x, level, weight, bias, activation, slope), stripes)
        kernel = self._graph.weight(weight)
        return self._each(
            lambda x: self._fused(
                x,
                kernel,
                weight.shape[0],
                bias=bias,
                activation=activation,
                slope=slope,
                kernel_shape=[3, 3],
                dilations=[dilation // STRIPES, dilation],
                pads=[dilation // STRIPES, dilation] * 2,
            ),
            stripes,
        )

    def gated(self, inputs: Sequence[str], weight: Weight, activation: Activation = "Relu") -> Stripes:
        """A gated convolution from the products' inputs; `activation` as for `_Writer.gated`."""
        half = weight.shape[0] // 2
        value = self.combine(self.products(inputs, weight[:half]), half, None, activation, 0.2)
        gate = self.combine(self.products(inputs, weight[half:]), half, None, "Sigmoid")
        a, b, c, d = (self._graph.op("Mul", *pair) for pair in zip(gate, value, strict=True))
        return a, b, c, d

    def join(self, stripes: Stripes, channels: int, level: Level) -> str:
        """The picture (1, C, h, w) that the stripes make up."""
        apart = [self._graph.op("Unsqueeze", stripe, self._graph.ints(3)) for stripe in stripes]
        together = self._graph.op("Concat", *apart, axis=3)
        return self._graph.reshape(together, 1, channels, level.height, level.width)

    def _within(
        self,
        stripe: str,
        level: Level,
        weight: Weight,
        bias: Weight | None,
        activation: Activation | None,
        slope: float,
    ) -> str:
        """A convolution of dilation 4, which keeps to its stripe: that is taken apart and put together."""
        graph = self._graph
        # Rows of zeros are added below, so that a stripe of any height gives whole groups of four rows.
        inputs = [self._column(stripe, weight.shape[1], taps, pads=(1, 4), stride=STRIPES) for taps in _INPUT]
        products = self.products(inputs, weight, dilation=STRIPES)
        parts = self.combine(products, weight.shape[0], bias, activation, slope)
        apart = [graph.op("Unsqueeze", part, graph.ints(3)) for part in parts]
        whole = graph.reshape(graph.op("Concat", *apart, axis=3), 1, weight.shape[0], -1, level.width)
        rows = graph.op("Div", level.height, graph.scalar(STRIPES))
        return graph.op("Slice", whole, graph.ints(0), graph.vector(rows), graph.ints(2))

    def _conv_2(
        self,
        stripes: Stripes,
        start: int,
        weight: Weight,
        bias: Weight | None,
        activation: Activation | None,
        slope: float,
    ) -> tuple[str, str]:
        """Stripes `start` and `start + 2` of a convolution of dilation 2."""
        channels = weight.shape[1]
        here, there = stripes[start], stripes[start + 2]
        inputs = (
            self._column(there, channels, (1, -1), pads=(1, 0)),
            self._column(there, channels, (1,), plus=here),
            self._column(here, channels, (-1,), plus=there),
            self._column(here, channels, (1, -1), pads=(0, 1)),
        )
        filters = self._filter(weight, _FILTER_2)
        m0, m1, m2, m3 = (
            self._row(x, kernel, weight.shape[0], dilation=2)
            for x, kernel in zip(inputs, filters, strict=True)
        )
        channels = weight.shape[0]

        def last(x: str, plus: str) -> str:
            return self._column(x, channels, (1,), plus=plus, bias=bias, activation=activation, slope=slope)

        odd = self._column(m2, channels, (-1,), plus=m1)
        return (
            last(m0, self._column(m2, channels, (1,), plus=m1)),
            last(self._column(m3, channels, (-1,)), odd),
        )

    def _filter(self, weight: Weight, matrix: NDArray[np.float32]) -> list[str]:
        """The products' kernels (O, I, 1, 3), computed from the stored weight as the graph is opened."""
        graph = self._graph
        stored = graph.weight(weight)
        key = (stored, f"F{len(matrix)}")
        if key not in self._filters:
            out, channels = weight.shape[:2]
            taps = graph.reshape(graph.transpose(stored, 2, 0, 1, 3), 3, -1)
            products = graph.op("MatMul", graph.constant(matrix), taps)
            kernels = graph.ops("Split", len(matrix), products, axis=0)
            self._filters[key] = [graph.reshape(kernel, out, channels, 1, 3) for kernel in kernels]
        return self._filters[key]

    def _row(self, x: str, kernel: str, outputs: int, *, plus: str | None = None, dilation: int = 1) -> str:
        """A convolution along x alone."""
        return self._fused(
            x,
            kernel,
            outputs,
            plus=plus,
            kernel_shape=[1, 3],
            dilations=[1, dilation],
            pads=[0, dilation, 0, dilation],
        )

    def _column(
        self,
        x: str,
        channels: int,
        taps: Sequence[float],
        *,
        pads: tuple[int, int] = (0, 0),
        stride: int = 1,
        plus: str | None = None,
        bias: Weight | None = None,
        activation: Activation | None = None,
        slope: float = 0.1,
    ) -> str:
        """The same few taps along y for every channel, added to `plus`."""
        kernel = np.tile(np.array(taps, dtype=np.float32).reshape(1, 1, -1, 1), (channels, 1, 1, 1))
        return self._fused(
            x,
            self._graph.constant(kernel),
            channels,
            plus=plus,
            bias=bias,
            activation=activation,
            slope=slope,
            group=channels,
            kernel_shape=[len(taps), 1],
            strides=[stride, 1],
            pads=[pads[0], 0, pads[1], 0],
        )

    def _fused(
        self,
        x: str,
        kernel: str,
        outputs: int,
        *,
        plus: str | None = None,
        bias: Weight | None = None,
        activation: Activation | None = None,
        slope: float = 0.1,
        **shape: int | list[int],
    ) -> str:
        """activation(convolution + bias + plus), as one node of ONNX Runtime's."""
        inputs = [x, kernel]
        if bias is not None:
            inputs.append(self._graph.weight(bias))
        elif plus is not None:
            # Left out, a bias between other inputs keeps ONNX Runtime from its fast layout.
            inputs.append(self._graph.constant(np.zeros(outputs, dtype=np.float32)))
        if plus is not None:
            inputs.append(plus)
        fused: dict[str, object] = {}
        if activation:
            fused["activation"] = activation
        if activation == "LeakyRelu":
            fused["activation_params"] = [slope]
        return self._graph.op("FusedConv", *inputs, domain="com.microsoft", **shape, **fused)

    @staticmethod
    def _each(change: Callable[[str], str], stripes: Stripes) -> Stripes:
        a, b, c, d = stripes
        return change(a), change(b), change(c), change(d)
