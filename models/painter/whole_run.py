"""A run of the painter's training in the network as one file: what is exported, and all that is gone on with.

The averaged weights stand where those of a run in cells do, so that whoever reads a painter reads this one;
beside them the weights as they are, and Adam's moments in bfloat16. PyTorch alone, so that a card's job can
go on with a run, and leave one that is gone on with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

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


def kept_of(
    whole: Whole,
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    progress: WholeProgress,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the state that a run's file holds.

    Args:
        whole: as it is.
        average: its averaged tensors, as `state_dict` names them.
        optimizer: Adam over its parameters, its moments rounded by `round_moments`.
        state: of the checkpoint that it began from.
        progress: how far it is.
    """
    tensors = whole_tensors(whole, average)
    tensors |= {f"now.{key}": value for key, value in whole.state_dict().items()}
    names = [name for name, _ in whole.named_parameters()]
    for number, kept in optimizer.state_dict()["state"].items():
        tensors |= {f"{name}.{names[number]}": kept[name].bfloat16() for name in _MOMENTS}
    return tensors, dict(state) | {"sources": whole.sources, "whole": vars(progress)}


def bring_back(
    tensors: Mapping[str, Tensor],
    state: Mapping[str, Any],
    whole: Whole,
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> WholeProgress:
    """Write what `kept_of` gave into what that was given; returns how far the run is."""
    progress = progress_of(state)
    assert progress is not None
    whole.load_state_dict(part(tensors, "now"))
    with torch.no_grad():
        for key, value in average.items():
            name = key.removeprefix("painter.")
            value.copy_(tensors[key if name == key else f"average.{name}"])
    moments = {name: part(tensors, name) for name in _MOMENTS}
    for key, parameter in whole.named_parameters():
        if key in moments["exp_avg"]:
            kept = {name: torch.empty_like(parameter).copy_(of[key]) for name, of in moments.items()}
            taken = torch.tensor(float(progress.taken), device=parameter.device)
            optimizer.state[parameter] = {"step": taken} | kept
    return progress


@torch.no_grad()
def round_moments(optimizer: torch.optim.Optimizer) -> None:
    """Round Adam's moments to what a file holds, so that a run that is resumed has the same numbers."""
    for kept in optimizer.state.values():
        for name in _MOMENTS:
            kept[name].copy_(kept[name].bfloat16())
