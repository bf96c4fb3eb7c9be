"""A bundle run by ONNX Runtime: the network's contract on a device.

When a size is first met the graphs are opened for that size; as many sizes are kept open as a shot may have
crops at once. On CUDA the carry and the features stay on the device between calls.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceError, InputError, ModelError, StateError
from ..memory import installed_memory
from .bundle import Bundle, CarryTensor, find_bundle
from .channel_order import ChannelOrder
from .contract import SIZES_AT_ONCE, Carry, Features, Guide, Mask, Picture, StepOutput
from .device import Device, automatic_device, card_memory, parse_device
from .graphs import Graphs, on_device, open_graph
from .working_size import working_size_for

log = logging.getLogger("cleanplate.network")


class Session:
    """A bundle opened on a device: implements `contract.Network`.

    Every method is a pure function of its arguments; one session serves any number of shots. Results are the
    same for the same machine, device and thread count. Not for use from several threads at once.
    """

    def __init__(self, bundle: Bundle, device: Device, threads: int | None = None) -> None:
        """Use `open`, which chooses the device and checks that it is really used."""
        self.bundle = bundle
        self.device = device
        # More than there are cores only take memory, and ONNX Runtime starts them all.
        self._threads = None if threads is None else min(threads, os.cpu_count() or 1)
        self._sizes: OrderedDict[tuple[int, int], Graphs] = OrderedDict()

    @classmethod
    def open(
        cls, bundle: Bundle | str | os.PathLike[str], *, device: str = "auto", threads: int | None = None
    ) -> Self:
        """Open a bundle, or the one of that name or path.

        Args:
            bundle: a bundle, its folder or its name.
            device: "auto" (a CUDA card where one works, else the CPU), "cpu", "cuda" or "cuda:N".
            threads: CPU threads; None for one per core.

        Raises:
            ModelError: there is no such bundle, or it is damaged.
            DeviceError: the device is unknown, not there or not usable.
        """
        opened = bundle if isinstance(bundle, Bundle) else Bundle.open(find_bundle(bundle))
        chosen = parse_device(device)
        session = cls(opened, chosen or automatic_device(), threads)
        try:
            session._try()
        except DeviceError as error:
            if chosen is not None:
                raise
            log.warning("using the CPU: %s", error)
            return cls(opened, Device("cpu"), threads)
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the graphs. The session may be used again; it then opens them anew."""
        self._sizes.clear()

    @property
    def model_id(self) -> str:
        """Identifies the model's numbers (hash of its graphs)."""
        return self.bundle.model_id

    @property
    def source_offsets(self) -> tuple[int, ...]:
        """Frames beside the target used as sources, in stream order."""
        return self.bundle.manifest.source_offsets

    @property
    def channel_order(self) -> ChannelOrder:
        """Order of the channels of pictures in a carry: the model's own."""
        return self.bundle.manifest.channel_order

    @property
    def working_size(self) -> int:
        """Side of the largest square, in pixels, that it works on unless told: by its device and memory."""
        if self.device.kind == "cpu":
            return working_size_for("cpu", installed_memory())
        return working_size_for("cuda", card_memory(self.device.number))

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        return self.bundle.manifest.size_multiple

    @property
    def hole_reach(self) -> int | None:
        """Pixels that a hole may be deep: nothing reaches what lies deeper. None where that is not known."""
        return self.bundle.manifest.hole_reach

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """Scales at which a step takes flows; none where it takes none."""
        return self.bundle.manifest.guide_scales

    def encode(self, frame: Picture, mask: Mask) -> Features:
        """Encode one frame (3, H, W) RGB with its mask (1, H, W) as a source."""
        frame, mask = self._checked(frame, mask)
        graphs = self._graphs(frame)
        names = [feature.name for feature in self.bundle.manifest.features]
        feeds = {"frame": self._send(frame), "mask": self._send(mask)}
        outputs = graphs.run(graphs.encode, feeds, names)
        return Features(tuple(outputs[name] for name in names))

    def start(self, frame: Picture, mask: Mask) -> Carry:
        """Return the carry before a shot's first frame (or the first after a cut)."""
        frame, mask = self._checked(frame, mask)
        height, width = frame.shape[-2:]

        def begin(tensor: CarryTensor) -> NDArray[np.float32]:
            if tensor.start == "masked_frame":
                return frame * (1 - mask)
            if tensor.start == "mask":
                return mask.copy()
            return np.zeros(_carry_shape(tensor, height, width), dtype=np.float32)

        return Carry({tensor.name: self._send(begin(tensor)) for tensor in self.bundle.manifest.carry})

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
        debug: bool = False,
    ) -> StepOutput:
        """Fill one frame from its sources (in the order of `source_offsets`) and the carry.

        `guide` is what the manifest's inputs of that name take; None: the sources count alike, unmoved.
        With `debug` the result also holds the manifest's debug outputs: flows and composition masks.

        Raises:
            InputError: sizes differ or are not multiples of `size_multiple`, there is not one source per
                offset, or the guide is not of this model's shapes.
            ModelError: the result is not finite.
        """
        frame, mask = self._checked(frame, mask)
        manifest = self.bundle.manifest
        if len(sources) != len(self.source_offsets):
            raise InputError(f"A step takes {len(self.source_offsets)} sources, got {len(sources)}.")
        feeds = {"frame": self._send(frame), "mask": self._send(mask)}
        feeds |= self._recurrent_feeds(frame.shape[-2], frame.shape[-1], sources, carry)
        feeds |= self._guide_feeds(frame.shape[-2], frame.shape[-1], guide)
        extras = manifest.debug if debug else ()
        names = [manifest.fill, *(tensor.output for tensor in manifest.carry), *extras]
        graphs = self._graphs(frame)
        outputs = graphs.run(graphs.step, feeds, names)
        fill = np.ascontiguousarray(self._flip(outputs[manifest.fill].numpy()[0]))
        if not np.isfinite(fill).all():
            raise ModelError(
                f"The model {manifest.name} gave values that are not finite: check the plate here."
            )
        return StepOutput(
            fill,
            Carry({tensor.name: outputs[tensor.output] for tensor in manifest.carry}),
            {name: outputs[name].numpy() for name in extras},
        )

    def _recurrent_feeds(
        self, height: int, width: int, sources: Sequence[Features], carry: Carry
    ) -> dict[str, Any]:
        """Sources and carry by the step graph's input names; InputError when they are of another size."""
        feeds: dict[str, Any] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for level, feature in enumerate(self.bundle.manifest.features):
            for name, source in zip(feature.inputs, sources, strict=True):
                feeds[name] = source.tensors[level]
                shapes[name] = (height // feature.scale, width // feature.scale, feature.channels)
        for tensor in self.bundle.manifest.carry:
            feeds[tensor.input] = carry.tensors[tensor.name]
            shapes[tensor.input] = _carry_shape(tensor, height, width)
        for name, value in feeds.items():
            if tuple(value.shape()) != shapes[name]:
                raise InputError(
                    f"At {width}x{height}, {name} is {tuple(value.shape())}, expected {shapes[name]}: "
                    "sources and carry must come from frames of the same size."
                )
        return feeds

    def _guide_feeds(self, height: int, width: int, guide: Guide | None) -> dict[str, Any]:
        """Given flows by the step graph's input names; InputError when they are of other shapes."""
        tensors, sources = self.bundle.manifest.guide, len(self.source_offsets)
        shapes = [(sources, 3, height // tensor.scale, width // tensor.scale) for tensor in tensors]
        if guide is None:
            guide = tuple(_resting(shape) for shape in shapes)
        if [given.shape for given in guide] != shapes:
            raise InputError(
                f"At {width}x{height}, the guide is {[given.shape for given in guide]}, expected {shapes}."
            )
        pairs = zip(tensors, guide, strict=True)
        return {tensor.input: self._send(np.asarray(given, np.float32)) for tensor, given in pairs}

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        """Copy a carry to host memory; pictures in it keep `channel_order`."""
        return {name: np.array(value.numpy()) for name, value in carry.tensors.items()}

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        """Bring a fetched carry back.

        Raises:
            StateError: the names, shapes or element types are not this model's.
        """
        tensors = {tensor.name: tensor for tensor in self.bundle.manifest.carry}
        if set(arrays) != set(tensors):
            raise StateError(
                f"The state holds {', '.join(sorted(arrays)) or 'nothing'}; the model "
                f"{self.bundle.manifest.name} takes {', '.join(sorted(tensors))}."
            )
        height, width = _carry_size(arrays, tensors.values())
        for name, tensor in tensors.items():
            expected, shape = _carry_shape(tensor, height, width), arrays[name].shape
            if shape != expected or arrays[name].dtype != np.float32:
                raise StateError(
                    f"The state's {name} is {arrays[name].dtype} {shape}; at {width}x{height} the model "
                    f"{self.bundle.manifest.name} takes float32 {expected}."
                )
        # Copied: on the CPU ONNX Runtime would otherwise go on using the caller's memory.
        return Carry({name: self._send(arrays[name].copy()) for name in tensors})

    def _checked(self, frame: Picture, mask: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A batch of one of each, in the model's channel order."""
        height, width = frame.shape[-2:]
        multiple = self.size_multiple
        if frame.shape != (3, height, width) or mask.shape != (1, height, width):
            raise InputError(
                f"The network takes a frame (3, H, W) and its mask (1, H, W), got {frame.shape} and "
                f"{mask.shape}."
            )
        if not (height and width) or height % multiple or width % multiple:
            raise InputError(f"The network takes sizes in multiples of {multiple}, got {width}x{height}.")
        picture = np.ascontiguousarray(self._flip(frame), dtype=np.float32)
        return picture[None], np.ascontiguousarray(mask, dtype=np.float32)[None]

    def _flip(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """RGB to the model's channel order and back."""
        return picture[::-1] if self.channel_order == "BGR" else picture

    def _send(self, array: NDArray[np.float32]) -> Any:
        return on_device(array, self.device)

    def _graphs(self, frame: NDArray[np.float32]) -> Graphs:
        """The graphs opened for a frame's size."""
        size = (frame.shape[-2], frame.shape[-1])
        if size not in self._sizes:
            while len(self._sizes) >= SIZES_AT_ONCE:
                self._sizes.popitem(last=False)
            self._sizes[size] = Graphs(self.bundle, self.device, self._threads, size)
        self._sizes.move_to_end(size)
        return self._sizes[size]

    def _try(self) -> None:
        """Open the smaller graph once, so that a device that can't be used is told before any work."""
        if self.device.kind == "cuda":
            size = (8 * self.size_multiple,) * 2
            open_graph(self.bundle.encode_path, self.bundle, self.device, self._threads, size)


def _resting(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A guide along which nothing moves and every source counts alike."""
    guide = np.zeros(shape, np.float32)
    guide[:, 2] = 1 / shape[0]
    return guide


def _carry_shape(tensor: CarryTensor, height: int, width: int) -> tuple[int, ...]:
    if tensor.scale is None:
        return ()
    return (1, tensor.channels, height // tensor.scale, width // tensor.scale)


def _carry_size(arrays: Mapping[str, NDArray[np.float32]], tensors: Iterable[CarryTensor]) -> tuple[int, int]:
    """Height and width of the frames that a carry belongs to: those of its finest tensor."""
    finest = min(
        (tensor for tensor in tensors if tensor.scale is not None), key=lambda tensor: tensor.scale or 1
    )
    shape = arrays[finest.name].shape
    if len(shape) != 4:
        raise StateError(f"The state's {finest.name} has shape {shape}; it should have 4 axes.")
    return shape[2] * (finest.scale or 1), shape[3] * (finest.scale or 1)
