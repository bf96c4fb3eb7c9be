"""What share of a device's own rate training reaches: measure before you train.

The device's rate is the better of a large matrix product and a large convolution, in the element type that
training uses. Training's rate is the work of its convolutions and products, counted by PyTorch, over the time
of whole steps, data included.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode


def device_rate(device: torch.device, element: torch.dtype, seconds: float = 2.0) -> float:
    """Floating-point operations a second that the device reaches on work that suits it."""
    side = 4096 if device.type == "cuda" else 1024
    a, b = (torch.randn(side, side, device=device, dtype=element) for _ in range(2))
    batch, extent = (32, 128) if device.type == "cuda" else (2, 64)
    x = torch.randn(batch, 128, extent, extent, device=device, dtype=element)
    x = x.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(128, 128, 3, 3, device=device, dtype=element)
    product = rate(lambda: a @ b, 2 * side**3, device, seconds / 2)
    convolution = rate(
        lambda: F.conv2d(x, weight, padding=1), 2 * 9 * 128**2 * batch * extent**2, device, seconds / 2
    )
    return max(product, convolution)


def rate(work: Callable[[], object], operations: float, device: torch.device, seconds: float) -> float:
    """Operations a second of `work`, the best of several rounds that fill the given time."""
    work()
    best, begun = 0.0, time.monotonic()
    while time.monotonic() - begun < seconds:
        before = now(device)
        work()
        best = max(best, operations / max(now(device) - before, 1e-9))
    return best


def counted(work: Callable[[], object]) -> float:
    """Floating-point operations of the convolutions and matrix products in `work`, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def now(device: torch.device) -> float:
    """Seconds, after the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
