"""What a painted hole is held against: the loss in training, and the scores on what was held out.

Pictures are (B, 3, h, w), B, G, R, colors in 0..1, a cell a pixel; `missing` (B, 1, h, w) is the share of
each cell that is hole. A fill counts by that share.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_FLOOR = 1.0
"""Added to the heard fill's loss, which a sample's loss is divided by: easy samples must not count most."""


class Score(NamedTuple):
    """Scores of a set of fills.

    Attributes:
        mean: mean of the samples' hole PSNR, in dB.
        pooled: PSNR of all holes' mean squared error, in dB.
        likeness: mean cosine of the fill's and the truth's gradients in the hole; 0 for a flat fill.
    """

    mean: float
    pooled: float
    likeness: float

    def __str__(self) -> str:
        return f"{self.mean:.2f}/{self.pooled:.2f} g{self.likeness:.3f}"


def painting_loss(fill: Tensor, truth: Tensor, missing: Tensor) -> Tensor:
    """Each sample's loss, (B,): colors, their means over 2 and 4 cells, and differences of neighbors."""
    error = (fill - truth) * missing
    total = _rho(error)
    for cells in (2, 4):
        total = total + 0.5 * cells**2 * _rho(F.avg_pool2d(error, cells))
    across, down = error[..., :, 1:] - error[..., :, :-1], error[..., 1:, :] - error[..., :-1, :]
    total = total + across.abs().sum(dim=(1, 2, 3)) + down.abs().sum(dim=(1, 2, 3))
    return total / (3 * missing.sum(dim=(1, 2, 3))).clamp(min=1)


def relative_loss(loss: Tensor, heard: Tensor) -> Tensor:
    """Losses as a share of those of the heard fill."""
    return loss / (heard + _FLOOR)


class Scores:
    """Gathers scores over batches."""

    def __init__(self) -> None:
        self._errors: list[Tensor] = []
        self._areas: list[Tensor] = []
        self._cosines: list[Tensor] = []

    @torch.no_grad()
    def add(self, fill: Tensor, truth: Tensor, missing: Tensor) -> None:
        """Count a batch of fills; colors outside 0..1 are clamped, as they are on display."""
        fill = fill.clamp(0, 1)
        self._errors.append(((fill - truth).square().mean(dim=1, keepdim=True) * missing).sum(dim=(1, 2, 3)))
        self._areas.append(missing.sum(dim=(1, 2, 3)).clamp(min=1e-3))
        pasted = truth + (fill - truth) * missing
        self._cosines.append(_likeness(pasted, truth, missing))

    def result(self) -> Score:
        """The scores of all that was added."""
        errors, areas, cosines = map(torch.cat, (self._errors, self._areas, self._cosines))
        each = -10 * torch.log10((errors / areas).clamp(min=1e-6))
        pooled = -10 * torch.log10(errors.sum() / areas.sum())
        return Score(float(each.mean()), float(pooled), float(cosines.nanmean()))


def _rho(error: Tensor) -> Tensor:
    return (error.abs() + 4 * error.square()).sum(dim=(1, 2, 3))


def _likeness(fill: Tensor, truth: Tensor, missing: Tensor) -> Tensor:
    """Cosine of gradients between cells that are mostly hole, (B,); not a number where the truth is flat."""
    hole = (missing > 0.5).float()
    products = [fill.new_zeros(len(fill))] * 3
    for dim in (2, 3):
        size = fill.shape[dim] - 1
        inside = hole.narrow(dim, 0, size) * hole.narrow(dim, 1, size)
        ours, theirs = (p.narrow(dim, 1, size) - p.narrow(dim, 0, size) for p in (fill, truth))
        for number, (a, b) in enumerate(((ours, theirs), (ours, ours), (theirs, theirs))):
            products[number] = products[number] + (a * b * inside).sum(dim=(1, 2, 3))
    joint, own, true = products
    cosine = joint / (own * true).sqrt().clamp(min=1e-9)
    return torch.where(true > 1e-4, cosine, torch.full_like(cosine, float("nan")))
