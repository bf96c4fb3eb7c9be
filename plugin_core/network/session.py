"""Runs a bundle through ONNX Runtime. The only module that imports it.

The graphs take any size; when a size is first met they are opened for that size, which lets ONNX Runtime fold
every index tensor and choose its kernels. Four sizes are kept open, as many as a shot may have crops at once;
on a processor they share one pool of memory.

On CUDA the carry and the features stay on the device between calls, and opening fails if any node would run
on the CPU. That path has not been run yet: no GPU was at hand.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import platform
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ..errors import CleanplateError, DeviceError, InputError, ModelError, StateError
from .bundle import Bundle, CarryTensor, find_bundle
from .contract import Carry, Features, Mask, Picture, StepOutput
from .working_size import installed_memory, working_size_for

log = logging.getLogger(__name__)

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_KEPT_SIZES = 4
_OUT_OF_MEMORY = re.compile(r"allocat|out of memory|bad_alloc", re.IGNORECASE)


@dataclass(frozen=True)
class Device:
    """Where the graphs run: "cpu", or "cuda" with the card's number."""

    kind: str
    number: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.number}"


class Session:
    """A bundle opened on a device: implements `network.Network`.

    Every method is a pure function of its arguments; one session serves any number of shots. Results are the
    same for the same machine, device and thread count. Not for use from several threads at once.
    """

    def __init__(self, bundle: Bundle, device: Device, threads: int | None = None) -> None:
        """Use `open`, which chooses the device and checks that it is really used."""
        self.bundle = bundle
        self.device = device
        self._threads = threads
        self._sizes: OrderedDict[tuple[int, int], _Graphs] = OrderedDict()

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
        asked = parse_device(device)
        if asked is not None:
            session = cls(opened, asked, threads)
            session._try()
            return session
        if _cuda_cards():
            session = cls(opened, Device("cuda"), threads)
            try:
                session._try()
                return session
            except DeviceError as error:
                log.warning("using the CPU: %s", error)
        return cls(opened, Device("cpu"), threads)

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
    def working_size(self) -> int:
        """Side of the largest square, in pixels, that it works on unless told: by its device and memory."""
        if self.device.kind == "cpu":
            return working_size_for("cpu", installed_memory())
        return working_size_for("cuda", _card_memory(self.device.number))

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        return self.bundle.manifest.size_multiple

    @property
    def hole_reach(self) -> int | None:
        """Pixels that a hole may be deep: nothing reaches what lies deeper. None where that is not known."""
        return self.bundle.manifest.hole_reach

    def encode(self, frame: Picture, mask: Mask) -> Features:
        """Encode one frame (3, H, W) RGB with its mask (1, H, W) as a source."""
        frame, mask = self._checked(frame, mask)
        graphs = self._graphs(frame)
        names = [feature.name for feature in self.bundle.manifest.features]
        feeds = {"frame": self._send(frame), "mask": self._send(mask)}
        found = graphs.run(graphs.encode, feeds, names)
        return Features(tuple(found[name] for name in names))

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
        debug: bool = False,
    ) -> StepOutput:
        """Fill one frame from its sources (in the order of `source_offsets`) and the carry.

        With `debug` the result also holds the manifest's debug outputs: flows and composition masks.

        Raises:
            InputError: sizes differ or are not multiples of `size_multiple`, or there is not one source per
                offset.
            ModelError: the result is not finite.
        """
        frame, mask = self._checked(frame, mask)
        manifest = self.bundle.manifest
        if len(sources) != len(self.source_offsets):
            raise InputError(f"A step takes {len(self.source_offsets)} sources, got {len(sources)}.")
        feeds = {"frame": self._send(frame), "mask": self._send(mask)}
        feeds |= self._recurrent_feeds(frame.shape[-2], frame.shape[-1], sources, carry)
        shown = manifest.debug if debug else ()
        wanted = [manifest.fill, *(tensor.output for tensor in manifest.carry), *shown]
        graphs = self._graphs(frame)
        found = graphs.run(graphs.step, feeds, wanted)
        fill = np.ascontiguousarray(self._flip(found[manifest.fill].numpy()[0]))
        if not np.isfinite(fill).all():
            raise ModelError(
                f"The model {manifest.name} gave values that are not finite: check the plate here."
            )
        return StepOutput(
            fill,
            Carry({tensor.name: found[tensor.output] for tensor in manifest.carry}),
            {name: found[name].numpy() for name in shown},
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

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        """Copy a carry to host memory. Pictures in it keep the model's own channel order."""
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
            expected, found = _carry_shape(tensor, height, width), arrays[name].shape
            if found != expected or arrays[name].dtype != np.float32:
                raise StateError(
                    f"The state's {name} is {arrays[name].dtype} {found}; at {width}x{height} the model "
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
        return picture[::-1] if self.bundle.manifest.channel_order == "BGR" else picture

    def _send(self, array: NDArray[np.float32]) -> Any:
        contiguous = np.asarray(array, order="C")
        return ort.OrtValue.ortvalue_from_numpy(contiguous, self.device.kind, self.device.number)

    def _graphs(self, frame: NDArray[np.float32]) -> _Graphs:
        """The graphs opened for a frame's size."""
        size = (frame.shape[-2], frame.shape[-1])
        if size not in self._sizes:
            while len(self._sizes) >= _KEPT_SIZES:
                self._sizes.popitem(last=False)
            self._sizes[size] = _Graphs(self.bundle, self.device, self._threads, size)
        self._sizes.move_to_end(size)
        return self._sizes[size]

    def _try(self) -> None:
        """Open the smaller graph once, so that a device that can't be used is told before any work."""
        if self.device.kind == "cuda":
            size = (8 * self.size_multiple,) * 2
            _open_graph(self.bundle.encode_path, self.bundle, self.device, self._threads, size)


class _Graphs:
    """Both graphs, opened for one size."""

    def __init__(self, bundle: Bundle, device: Device, threads: int | None, size: tuple[int, int]) -> None:
        self._device = device
        self.encode = _open_graph(bundle.encode_path, bundle, device, threads, size)
        step = bundle.step_path(x86=device.kind == "cpu" and _is_x86())
        self.step = _open_graph(step, bundle, device, threads, size)

    def run(
        self, graph: ort.InferenceSession, feeds: Mapping[str, Any], wanted: Iterable[str]
    ) -> dict[str, Any]:
        """Run a graph; values stay on the device."""
        names = list(wanted)
        binding = graph.io_binding()
        try:
            for name, value in feeds.items():
                binding.bind_ortvalue_input(name, value)
            for name in names:
                binding.bind_output(name, self._device.kind, self._device.number)
            graph.run_with_iobinding(binding)
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise _translated(error, "run") from error
        return dict(zip(names, binding.get_outputs(), strict=True))


def parse_device(text: str) -> Device | None:
    """The device that "cpu", "cuda" or "cuda:N" names; None for "auto".

    Raises:
        DeviceError: the text names none, or a card that is not there.
    """
    match = re.fullmatch(r"(auto|cpu|cuda)(?::(\d+))?", text)
    if match is None or (match[2] and match[1] != "cuda"):
        raise DeviceError(f"Unknown device {text!r}: available are {', '.join(available_devices())}.")
    if match[1] == "auto":
        return None
    if match[1] == "cpu":
        return Device("cpu")
    number, cards = int(match[2] or 0), _cuda_cards()
    if _CUDA not in ort.get_available_providers():
        raise DeviceError("This ONNX Runtime has no CUDA: install cleanplate[cuda], or use --device cpu.")
    if number >= cards:
        raise DeviceError(f"There is no {text}: available are {', '.join(available_devices())}.")
    return Device("cuda", number)


def available_devices() -> list[str]:
    """Names that `parse_device` takes on this machine."""
    cards = _cuda_cards() if _CUDA in ort.get_available_providers() else 0
    return ["auto", "cpu", *(f"cuda:{number}" for number in range(cards))]


def _cuda_cards() -> int:
    """How many CUDA cards the driver knows; asked of the driver, since ONNX Runtime would write to stderr."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _card_memory(number: int) -> int:
    """Bytes of memory of a CUDA card."""
    driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    card, size = ctypes.c_int(0), ctypes.c_size_t(0)
    driver.cuInit(0)
    failed = driver.cuDeviceGet(ctypes.byref(card), number)
    if failed or driver.cuDeviceTotalMem_v2(ctypes.byref(size), card):
        raise DeviceError(f"The driver does not say how much memory cuda:{number} has; give --working-size.")
    return size.value


def _is_x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def _open_graph(
    path: Path, bundle: Bundle, device: Device, threads: int | None, size: tuple[int, int]
) -> ort.InferenceSession:
    """Open a graph for one size, and check that it runs where it was asked to."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    # Threads that wait must not burn the processor: reading and writing run beside the network.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    for scale in bundle.manifest.scales:
        options.add_free_dimension_override_by_name(f"height_{scale}", size[0] // scale)
        options.add_free_dimension_override_by_name(f"width_{scale}", size[1] // scale)
    if device.kind == "cuda":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        ort.preload_dlls()
        providers: list[Any] = [(_CUDA, {"device_id": device.number})]
    else:
        _share_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        providers = [_CPU]
    try:
        graph = ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors have no common base
        if device.kind == "cuda":
            raise DeviceError(f"{path.name} can't run on {device}: {_first_line(error)}.") from error
        raise _translated(error, f"open {path}") from error
    used = graph.get_providers()
    if device.kind == "cuda" and used[:1] != [_CUDA]:
        raise DeviceError(
            f"ONNX Runtime does not use {device} but {', '.join(used)}: is cleanplate[cuda] installed?"
        )
    return graph


@functools.cache
def _share_memory() -> None:
    """Make the pool that all graphs of this process take their memory from, once."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, None)


def _translated(error: Exception, doing: str) -> CleanplateError:
    """An error of ours for one of ONNX Runtime's."""
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
        return DeviceError(f"Out of memory while trying to {doing} the network: use a smaller working size.")
    return ModelError(f"ONNX Runtime could not {doing} the network: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


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
