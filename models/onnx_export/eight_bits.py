"""A step graph that convolves in 8 bits, for x86 CPUs: quicker, and a little off.

ONNX Runtime's static quantization: weights of each channel in 7 bits (with 8, sums overflow where a CPU has
no VNNI instructions) and activations in 8, their ranges taken from runs over procedural shots. It is done to
what most of the work is in: flow nets, aggregation and composition masks. Encoders, bottleneck, memory and
decoder stay as they are, since what they round is seen; so do convolutions that give few channels.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from plugin_core.errors import ModelError

from ..network.vinet import SOURCE_OFFSETS, VINet
from ..synthetic.pictures import Pictures
from ..synthetic.shot import ShotSettings, make_shot
from .graph import WeightFile
from .graph_vinet import encode_graph, step_graph

_SEED = 990_006
_FRAMES = 7
_FEW_GIVEN, _FEW_TAKEN = 16, 5
"""Convolutions with at most so many channels out, or in, stay in floating point."""
_ENCODERS = 2 * 2 * 8
"""A step's first convolutions are the encoders': two of them, eight layers, values and gates."""

Feeds = dict[str, NDArray[np.float32]]


def eight_bit_step(network: VINet, *, shots: int = 2, size: int = 128) -> bytes:
    """The step graph in 8 bits, its weights in it.

    Args:
        network: one that finds its own flows, as published ones do.
        shots, size: how many procedural shots its ranges are taken from, and their side in pixels.

    Raises:
        ModelError: the network takes flows.
    """
    if network.takes_flows:
        raise ModelError("A network that is given flows has no form in 8 bits: leave --int8 out.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = WeightFile("weights.bin", "float32")
        for graph, model in (("encode", encode_graph(network, store)), ("step", step_graph(network, store))):
            (folder / f"{graph}.onnx").write_bytes(model.SerializeToString())
        (folder / store.name).write_bytes(store.data)
        step = folder / "step.onnx"
        before = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # it advises a pass that free sizes do not get through
        try:
            quantize_static(
                step,
                folder / "eight.onnx",
                _Ranges(_feeds(folder, network, shots, size)),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=_exact(step),
            )
        finally:
            logging.getLogger().setLevel(before)
        made = onnx.load(folder / "eight.onnx")
    return bytes(made.SerializeToString(deterministic=True))


def _exact(step: Path) -> list[str]:
    """Names of the convolutions that stay as they are."""
    graph = onnx.load(step, load_external_data=False).graph
    sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    # What follows from the mask at s8: the composed features, and what is made of them.
    composed = {node.input[0] for node in graph.node if node.output[0] == "mask_s8"}
    kept: list[str] = []
    before = 0
    for node in graph.node:  # in the order of their values
        paints = not composed.isdisjoint(node.input)
        if paints:
            composed.update(node.output)
        if node.op_type == "Conv":
            given, taken = sizes[node.input[1]][:2]
            if before < _ENCODERS or paints or given <= _FEW_GIVEN or taken <= _FEW_TAKEN:
                kept.append(node.name)
            before += 1
    return kept


class _Ranges(CalibrationDataReader):  # type: ignore[misc]
    """Hands out what a step was fed with."""

    def __init__(self, feeds: Iterator[Feeds]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


def _feeds(folder: Path, network: VINet, shots: int, size: int) -> Iterator[Feeds]:
    """What every step of some shots takes, as they are rendered: in order, with what it remembers."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    encode, step = (ort.InferenceSession(folder / f"{name}.onnx", options) for name in ("encode", "step"))
    pictures = Pictures(procedural=4)
    memory = size // network.size_multiple
    for number in range(shots):
        shot = make_shot(pictures, ShotSettings(size, _FRAMES), _SEED, number)
        frames, masks = shot.seen.numpy()[:, None], shot.masks.numpy()[:, None]
        sources = [
            _run(encode, {"frame": frame, "mask": mask}) for frame, mask in zip(frames, masks, strict=True)
        ]
        channels = next(each.shape[1] for each in step.get_inputs() if each.name == "hidden_in")
        empty = np.zeros((1, channels, memory, memory), np.float32)
        carry: Feeds = {
            "hidden": empty,
            "cell": empty,
            "output": frames[0] * (1 - masks[0]),
            "mask": masks[0],
        }
        carry["feedback"] = np.zeros((), np.float32)
        for t in range(_FRAMES):
            feeds = {"frame": frames[t], "mask": masks[t]}
            feeds |= {f"{name}_in": np.ascontiguousarray(value) for name, value in carry.items()}
            for stream, offset in enumerate(SOURCE_OFFSETS):
                beside = sources[_mirrored(t + offset)]
                feeds |= {f"source_{stream}_{level}": values for level, values in beside.items()}
            yield feeds
            given = _run(step, feeds)
            carry = {name: given[f"{name}_out"] for name in carry}
            carry["feedback"] = carry["feedback"].reshape(())


def _run(graph: ort.InferenceSession, feeds: Feeds) -> Feeds:
    names = [output.name for output in graph.get_outputs()]
    return dict(zip(names, graph.run(names, feeds), strict=True))


def _mirrored(frame: int) -> int:
    frame %= 2 * _FRAMES - 2
    return min(frame, 2 * _FRAMES - 2 - frame)
