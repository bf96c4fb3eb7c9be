"""A run of the painter's training in the network as one file: what is exported, and all that is gone on with.

The averaged weights stand where those of a run in cells do, so that whoever reads a painter reads this one;
beside them the weights as they are, and Adam's moments in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .checkpoint import read_checkpoint, write_checkpoint
from .kept import part
from .whole import Whole, whole_tensors

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class WholeProgress:
    """How far a run in the network is.

    Attributes:
        step: steps that were taken.
        taken: those that Adam took: one whose gradient is no number is left out.
        shots: moving shots that were shown; those of the runs before that it began from, too.
        seconds: processor time, likewise.
        seed: of all that is shown.
    """

    step: int = 0
    taken: int = 0
    shots: int = 0
    seconds: float = 0.0
    seed: int = 1


def progress_of(state: Mapping[str, Any]) -> WholeProgress | None:
    """How far the run of a checkpoint is; None for one in cells."""
    return WholeProgress(**state["whole"]) if "whole" in state else None


def write_whole(
    path: Path,
    whole: Whole,
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    progress: WholeProgress,
) -> None:
    """Write the run's file; what was there is replaced whole.

    Args:
        path: a `.safetensors` file.
        whole: as it is.
        average: its averaged tensors, as `state_dict` names them.
        optimizer: Adam over its parameters, its moments rounded by `round_moments`.
        state: of the checkpoint that it began from.
        progress: how far it is.

    Raises:
        WriteError: the folder or the disk does not take the file.
    """
    tensors = whole_tensors(whole, average)
    tensors |= {f"now.{key}": value for key, value in whole.state_dict().items()}
    names = [name for name, _ in whole.named_parameters()]
    for number, kept in optimizer.state_dict()["state"].items():
        tensors |= {f"{name}.{names[number]}": kept[name].bfloat16() for name in _MOMENTS}
    told = dict(state) | {"sources": whole.sources, "whole": vars(progress)}
    write_checkpoint(path, tensors, told)


def read_whole(
    path: Path, whole: Whole, average: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> WholeProgress:
    """Bring a run back into what `write_whole` was given; returns how far it is.

    Raises:
        InputError: the file can't be read, or is something else.
        ValueError: it is of a run in cells.
    """
    tensors, state = read_checkpoint(path)
    progress = progress_of(state)
    if progress is None:
        raise ValueError(f"{path} is of a run in cells")
    whole.load_state_dict(part(tensors, "now"))
    with torch.no_grad():
        for key, value in average.items():
            name = key.removeprefix("painter.")
            value.copy_(tensors[key if name == key else f"average.{name}"])
    moments = {name: part(tensors, name) for name in _MOMENTS}
    for key, parameter in whole.named_parameters():
        if key in moments["exp_avg"]:
            kept = {name: torch.empty_like(parameter).copy_(of[key]) for name, of in moments.items()}
            optimizer.state[parameter] = {"step": torch.tensor(float(progress.taken))} | kept
    return progress


@torch.no_grad()
def round_moments(optimizer: torch.optim.Optimizer) -> None:
    """Round Adam's moments to what a file holds, so that a run that is resumed has the same numbers."""
    for kept in optimizer.state.values():
        for name in _MOMENTS:
            kept[name].copy_(kept[name].bfloat16())
