"""What a checkpoint of the painter holds, read with PyTorch alone: a card's machine has nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..wiring.interpolation import Interpolation
from .hearing import Hearing
from .network import Painter, Widths

IN_CELLS = Path(__file__).with_name("checkpoint.safetensors")
"""The committed checkpoint of the painter's training in cells, and below that of the one in the network."""
IN_NETWORK = Path(__file__).with_name("whole.safetensors")

FORMAT = "cleanplate-painter-2"
"""In files of the one before, the correction stood in front of the network's last layers."""


def part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors below a name, by the rest of theirs."""
    return {
        key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")
    }


def kept_interpolation(tensors: Mapping[str, Tensor]) -> Interpolation:
    """The interpolation that is heard."""
    kept = part(tensors, "interpolation")
    carriers = len(kept["mix.memory.value"])
    interpolation = Interpolation(carriers, carriers)
    interpolation.load_state_dict(kept)
    return interpolation.eval()


def kept_painter(tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> tuple[Painter, Hearing]:
    """The painter with its averaged weights, and what it hears."""
    hearing = Hearing(kept_interpolation(tensors))
    painter = Painter(Widths(*state["settings"]["widths"]), hearing.carriers)
    painter.load_state_dict(part(tensors, "average"))
    return painter, hearing
