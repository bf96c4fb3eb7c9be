"""Where the network can run: the processor, and the CUDA cards that the driver knows."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from dataclasses import dataclass

import onnxruntime as ort

from ..errors import DeviceError

CUDA = "CUDAExecutionProvider"
"""ONNX Runtime's name for a card."""


@dataclass(frozen=True)
class Device:
    """Where the graphs run: "cpu", or "cuda" with the card's number."""

    kind: str
    number: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.number}"


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
    number, cards = int(match[2] or 0), cuda_cards()
    if CUDA not in ort.get_available_providers():
        raise DeviceError("This ONNX Runtime has no CUDA: install cleanplate[cuda], or use --device cpu.")
    if number >= cards:
        raise DeviceError(f"There is no {text}: available are {', '.join(available_devices())}.")
    return Device("cuda", number)


def available_devices() -> list[str]:
    """Names that `parse_device` takes on this machine."""
    cards = cuda_cards() if CUDA in ort.get_available_providers() else 0
    return ["auto", "cpu", *(f"cuda:{number}" for number in range(cards))]


def automatic_device() -> Device:
    """The device that is tried first for "auto": the first CUDA card, else the CPU."""
    return Device("cuda") if cuda_cards() else Device("cpu")


def cuda_cards() -> int:
    """How many CUDA cards the driver knows; asked of the driver, since ONNX Runtime would write to stderr."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def card_memory(number: int) -> int:
    """Bytes of memory of a CUDA card. Raises DeviceError when the driver does not say."""
    driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    card, size = ctypes.c_int(0), ctypes.c_size_t(0)
    driver.cuInit(0)
    failed = driver.cuDeviceGet(ctypes.byref(card), number)
    if failed or driver.cuDeviceTotalMem_v2(ctypes.byref(size), card):
        raise DeviceError(f"The driver does not say how much memory cuda:{number} has; give --working-size.")
    return size.value


def is_x86() -> bool:
    """Whether this machine's processor is an x86 of 64 bits."""
    return platform.machine().lower() in ("x86_64", "amd64")
