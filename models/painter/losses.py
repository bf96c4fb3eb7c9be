"""What a step in cells is held to: the correction, the whole picture, and coarse ones of both halves.

PyTorch alone, so that a card's job can use it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from .beside import Beside
from .hearing import Hearing
from .measures import painting_loss, relative_loss
from .network import COARSE, Painter, seen_by_painter

_WHOLE, _COARSE = 0.5, 0.5
"""Weights of the whole picture's loss, and of the coarse ones' mean, beside the correction's."""


def cell_losses(
    painter: Painter,
    hearing: Hearing,
    picture: Tensor,
    known: Tensor,
    beside: Beside | None = None,
    *,
    deaf: float,
    half: bool,
) -> dict[str, Tensor]:
    """Mean relative losses of a batch in cells.

    Args:
        painter: in training.
        hearing: what it hears.
        picture, known: of `samples.Batch`.
        beside: what lies beside the frames, if anything does.
        deaf: share of the samples, the first ones, that hear nothing and are held to the whole picture alone.
        half: compute the layers in bfloat16.

    Returns:
        `heard`, the fill that is heard; `correction`, `whole` and `coarse`, what is learned; `deaf`, the
        whole picture of the deaf, if there are any.
    """
    with torch.no_grad():
        heard = hearing(picture, known, beside)
    seen = seen_by_painter(picture, known).contiguous(memory_format=torch.channels_last)
    deafened = int(deaf * len(picture))
    with torch.autocast(picture.device.type, torch.bfloat16, enabled=half):
        painted = painter(seen, heard.deafened(deafened), beside=beside)
    missing = 1 - known
    without = painting_loss(heard.fill, picture, missing)

    def relative(fill: Tensor, cells: int = 1) -> Tensor:
        truth, hole = (F.avg_pool2d(whole, cells) for whole in (picture, missing))
        return relative_loss(painting_loss(fill.float(), truth, hole), without)

    corrected, whole = relative(heard.fill + painted.correction.float()), relative(painted.whole)
    losses = {
        "heard": relative_loss(without, without)[deafened:],
        "correction": corrected[deafened:],
        "whole": whole,
    }
    if deafened:
        losses["deaf"] = whole[:deafened]
    coarse = zip(painted.coarse, COARSE.values(), strict=True)
    losses["coarse"] = torch.cat([relative(fill, cells) for fill, cells in coarse])
    return {name: values.mean() for name, values in losses.items()}


def learned_from(losses: Mapping[str, Tensor]) -> Tensor:
    """The losses together, as a step learns from them."""
    return losses["correction"] + _WHOLE * losses["whole"] + _COARSE * losses["coarse"]
