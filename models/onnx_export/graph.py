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

_ALIGNMENT = 64
_ELEMENT = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}


class WeightFile:
    """Trained weights of one or more graphs, each stored once, in a file beside them."""

    def __init__(self, name: str, element: WeightType) -> None:
        self.name = name
        self.element = np.dtype(element)
        self._places: dict[str, tuple[int, int]] = {}
        self._data = bytearray()

    @property
    def data(self) -> bytes:
        """What the file holds."""
        return bytes(self._data)

    def add(self, value: NDArray[np.float32]) -> onnx.TensorProto:
        """Store a weight, or find the equal one, and return the tensor that refers to it."""
        stored = np.ascontiguousarray(value, dtype=self.element)
        key = _key(stored)
        if key not in self._places:
            self._data += bytes(-len(self._data) % _ALIGNMENT)
            self._places[key] = (len(self._data), stored.nbytes)
            self._data += stored.tobytes()
        offset, length = self._places[key]
        tensor = onnx.TensorProto(
            data_type=helper.np_dtype_to_tensor_dtype(self.element),
            dims=stored.shape,
            name=f"weight_{offset}_{'x'.join(map(str, stored.shape))}",
            data_location=TensorProto.EXTERNAL,
        )
        for entry, text in (("location", self.name), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=entry, value=text)
        return tensor


class GraphWriter:
    """Collects nodes, weights, inputs and outputs of one ONNX graph. Values are handled by their names."""

    def __init__(self, name: str, weights: WeightFile) -> None:
        self._name = name
        self._weights = weights
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
        tensor = self._weights.add(value)
        self._initializers[tensor.name] = tensor
        if self._weights.element == np.float32:
            return str(tensor.name)
        cast = f"{tensor.name}.float32"
        if cast not in self._stored:
            self._stored[cast] = cast
            self._nodes.append(
                helper.make_node("Cast", [tensor.name], [cast], name=cast, to=TensorProto.FLOAT)
            )
        return cast

    def floats(self, *values: float) -> str:
        """A constant float32 vector; a scalar when there is one value."""
        return self._store(np.asarray(values[0] if len(values) == 1 else values, dtype=np.float32))

    def scalar(self, value: int) -> str:
        """A constant int64 scalar."""
        return self._store(np.asarray(value, dtype=np.int64))

    def ints(self, *values: int) -> str:
        """A constant int64 vector."""
        return self._store(np.asarray(values, dtype=np.int64))

    def constant(self, value: NDArray[np.float32]) -> str:
        """A constant float32 tensor that is no trained weight."""
        return self._store(value)

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
        """The finished model, to be checked where its weights are: `onnx.checker.check_model(path)`."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._initializers.values())
        )
        return helper.make_model(
            graph,
            producer_name=producer,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
            ir_version=IR_VERSION,
        )

    def _store(self, value: NDArray[Any]) -> str:
        """Add an initializer, or find the equal one already there."""
        key = _key(value)
        if key not in self._stored:
            name = f"const_{len(self._initializers)}"
            self._initializers[name] = numpy_helper.from_array(value, name)
            self._stored[key] = name
        return self._stored[key]


def _key(value: NDArray[Any]) -> str:
    return hashlib.sha256(f"{value.dtype}{value.shape}".encode() + value.tobytes()).hexdigest()
