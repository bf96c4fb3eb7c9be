"""A bundle's graphs opened in ONNX Runtime, the memory that they share, and its errors in our words.

The graphs take any size and are opened for one, which lets ONNX Runtime fold every index tensor and choose
its kernels. On a processor all of them share one pool of memory; on CUDA opening fails if any node would run
on the processor. CUDA has not been run yet: no GPU was at hand.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ..errors import CleanplateError, DeviceError, ModelError
from .bundle import Bundle
from .device import CUDA, Device, is_x86

_CPU = "CPUExecutionProvider"
_OUT_OF_MEMORY = re.compile(r"allocat|out of memory|bad_alloc", re.IGNORECASE)


class Graphs:
    """Both graphs, opened for one size."""

    def __init__(self, bundle: Bundle, device: Device, threads: int | None, size: tuple[int, int]) -> None:
        self._device = device
        self.encode = open_graph(bundle.encode_path, bundle, device, threads, size)
        step = bundle.step_path(x86=device.kind == "cpu" and is_x86())
        self.step = open_graph(step, bundle, device, threads, size)

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
            raise translated(error, "run") from error
        return dict(zip(names, binding.get_outputs(), strict=True))


def on_device(array: NDArray[np.float32], device: Device) -> Any:
    """An array as a value of ONNX Runtime's; on the CPU it may go on using the array's memory."""
    return ort.OrtValue.ortvalue_from_numpy(np.asarray(array, order="C"), device.kind, device.number)


def open_graph(
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
        providers: list[Any] = [(CUDA, {"device_id": device.number})]
    else:
        _share_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        providers = [_CPU]
    try:
        graph = ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors have no common base
        if device.kind == "cuda":
            raise DeviceError(f"{path.name} can't run on {device}: {_first_line(error)}.") from error
        raise translated(error, f"open {path}") from error
    used = graph.get_providers()
    if device.kind == "cuda" and used[:1] != [CUDA]:
        raise DeviceError(
            f"ONNX Runtime does not use {device} but {', '.join(used)}: is cleanplate[cuda] installed?"
        )
    return graph


@functools.cache
def _share_memory() -> None:
    """Make the pool that all graphs of this process take their memory from, once."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, None)


def translated(error: Exception, doing: str) -> CleanplateError:
    """An error of ours for one of ONNX Runtime's."""
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
        return DeviceError(f"Out of memory while trying to {doing} the network: use a smaller working size.")
    return ModelError(f"ONNX Runtime could not {doing} the network: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
