"""Steps a second of the shipped network on a card, in half precision, and how far it then is from the CPU.

    python -m models.training.card_speed

It needs PyTorch alone: the network is wired again from the constants in the painter's checkpoint, the very
weights that the shipped bundle was exported from, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from ..network.prune import pruned
from ..network.vinet import Guide, VINet
from ..painter.kept import IN_CELLS, kept_interpolation
from ..wiring.interpolation import wire_interpolation
from ..wiring.start import lean_network
from .plain_tensors import read_tensors

_FRAMES = 6
_WARM = 3


def shipped_network(checkpoint: Path = IN_CELLS) -> VINet:
    """The network of the shipped bundle, pruned. Raises OSError, ValueError."""
    network = lean_network(512, takes_flows=True)
    wire_interpolation(network.state_dict(), kept_interpolation(read_tensors(checkpoint)[0]))
    return pruned(network)


def measure(network: VINet, device: torch.device, side: int, steps: int) -> dict[str, float | str]:
    """Run frames on the CPU in full and on a device in half precision; a CPU stays in full."""
    kind = torch.float16 if device.type == "cuda" else torch.float32
    frame, mask, guide = _frame(side, network)
    with torch.no_grad():
        exact = _rolled(network, frame, mask, guide, _FRAMES)
        there = copy.deepcopy(network).to(device, kind)
        moved = frame.to(device, kind), mask.to(device, kind)
        guided = {level: given.to(device, kind) for level, given in guide.items()}
        rough = _rolled(there, *moved, guided, _FRAMES)
        _rolled(there, *moved, guided, _WARM)
        _wait(device)
        began = time.perf_counter()
        _rolled(there, *moved, guided, steps)
        _wait(device)
        seconds = time.perf_counter() - began
    off = (rough.float().cpu() - exact).abs()[mask.expand_as(exact) > 0]
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "type": str(kind).removeprefix("torch."),
        "side": side,
        "steps_per_second": round(steps / seconds, 2),
        "largest_difference": round(float(off.max()), 5),
        "mean_difference": round(float(off.mean()), 6),
    }


def _frame(side: int, network: VINet) -> tuple[Tensor, Tensor, Guide]:
    """A smooth picture, a hole in its middle, and sources that pan."""
    line = torch.linspace(-3, 3, side)
    waves = [torch.sin(line[None] * n + line[:, None] * (4 - n)) for n in (1, 2, 3)]
    mask = torch.zeros(1, 1, side, side)
    mask[..., side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = 1
    guide = {}
    for level, scale in (("s2", 4), ("s4", 8), ("s8", 16)):
        given = torch.zeros(1, 4, 3, side // scale, side // scale)
        given[:, :, 0] = 12 / scale
        given[:, :, 2] = 0.25
        guide[level] = given
    return torch.stack(waves)[None], mask, guide


def _rolled(network: VINet, frame: Tensor, mask: Tensor, guide: Guide, count: int) -> Tensor:
    """Encode and step `count` times, as a render does; the last output."""
    carry = network.start(frame, mask)
    output = frame
    for _ in range(count):
        source = network.encode_source(frame, mask * 0)
        result = network.step(frame, mask, [source] * 4, carry, guide=guide)
        output, carry = result.output, result.carry
    return output


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.card_speed", description=__doc__)
    parser.add_argument("--side", type=int, default=512, help="of the picture, a multiple of 16 (512)")
    parser.add_argument("--steps", type=int, default=60, help="that are timed (60)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    print(json.dumps(measure(shipped_network(), torch.device(options.device), options.side, options.steps)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
