"""A small writer of ONNX graphs: names nodes, stores weights once, checks the result.

The graphs are written by hand rather than traced, so that what is computed (and what is not) is chosen, and
so that index tensors are functions of the input's shape: ONNX Runtime folds them into constants when it is
told the shape as the session opens, and computes them otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WeightType = Literal["float16", "float32"]

OPSET = 17
IR_VERSION = 8

_ELEMENT = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}


class GraphWriter:
    """Collects nodes, weights, inputs and outputs of one ONNX graph. Values are handled by their names."""

    def __init__(self, name: str, weights: WeightType) -> None:
        self._name = name
        self._weights = np.dtype(weights)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._stored: dict[str, str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare a float32 input; strings name dimensions that are known when the graph is run."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, name: str, value: str, shape: Sequence[int | str]) -> None:
        """Declare `value` as the float32 output called `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"out_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        self._count += 1
        name = f"{kind}_{self._count}"
        names = [f"{name}.{i}" for i in range(outputs)] if outputs > 1 else [name]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names

    def weight(self, value: NDArray[np.float32]) -> str:
        """A trained weight, stored in the bundle's weight type and float32 from there on."""
        stored = self._store(np.ascontiguousarray(value, dtype=self._weights), "weight")
        if self._weights == np.float32:
            return stored
        cast = f"{stored}.float32"
        if cast not in self._stored:
            self._stored[cast] = cast
            self._nodes.append(helper.make_node("Cast", [stored], [cast], name=cast, to=TensorProto.FLOAT))
        return cast

    def floats(self, *values: float) -> str:
        """A constant float32 vector; a scalar when there is one value."""
        return self._store(np.asarray(values[0] if len(values) == 1 else values, dtype=np.float32), "const")

    def scalar(self, value: int) -> str:
        """A constant int64 scalar."""
        return self._store(np.asarray(value, dtype=np.int64), "const")

    def ints(self, *values: int) -> str:
        """A constant int64 vector."""
        return self._store(np.asarray(values, dtype=np.int64), "const")

    def cast(self, value: str, element: Literal["float32", "int64", "int32"]) -> str:
        """Convert a tensor's element type."""
        return self.op("Cast", value, to=_ELEMENT[element])

    def vector(self, *parts: int | str) -> str:
        """An int64 vector from constants and int64 scalars, for shapes."""
        pieces = [
            self.ints(part) if isinstance(part, int) else self.op("Unsqueeze", part, self.ints(0))
            for part in parts
        ]
        return self.op("Concat", *pieces, axis=0)

    def reshape(self, value: str, *shape: int | str) -> str:
        """Reshape; a shape's parts are constants (-1: what is left) or int64 scalars."""
        if all(isinstance(part, int) for part in shape):
            return self.op("Reshape", value, self.ints(*(int(part) for part in shape)))
        return self.op("Reshape", value, self.vector(*shape))

    def transpose(self, value: str, *order: int) -> str:
        """Reorder axes."""
        return self.op("Transpose", value, perm=list(order))

    def model(self, producer: str = "cleanplate") -> onnx.ModelProto:
        """The finished and checked model."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._initializers.values())
        )
        model = helper.make_model(
            graph,
            producer_name=producer,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _store(self, value: NDArray[Any], prefix: str) -> str:
        """Add an initializer, or find the equal one already there."""
        key = hashlib.sha256(f"{value.dtype}{value.shape}".encode() + value.tobytes()).hexdigest()
        if key not in self._stored:
            name = f"{prefix}_{len(self._initializers)}"
            self._initializers[name] = numpy_helper.from_array(value, name)
            self._stored[key] = name
        return self._stored[key]
