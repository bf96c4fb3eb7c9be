"""Losses of a rollout: the picture's, those between frames, and the flow nets'."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.vinet import warp
from .losses import flow_loss, masked_l1, picture_loss
from .rollout import Batch, Stepped, Teacher

_SAME = 0.05
"""Colors this near one another, along the exact flow, show the same unoccluded point."""
_HOLE_FLOW = 4.0
"""How much more a flow in the hole counts: there it fetches what the fill is made of."""


def rollout_loss(batch: Batch, steps: list[Stepped], flow_weight: float) -> tuple[Tensor, dict[str, float]]:
    """The loss of a rollout, mean over its frames, and its parts for the log.

    The warping losses hold a fill against the one before it (short term) and against the rollout's first
    (long term), weight 1 each, as published.
    """
    total = batch.seen.new_zeros(())
    parts: dict[str, float] = {}
    for n, step in enumerate(steps):
        clean, mask = batch.clean[:, step.frame], batch.masks[:, step.frame]
        output = step.result.output.float()
        losses = {"output": picture_loss(output, clean, mask)}
        if not step.first:
            losses["raw"] = 0.5 * picture_loss(step.result.raw.float(), clean, mask)
        if n > 0:
            losses["short"] = steadiness(batch, steps[n - 1], step)
        if n > 1:
            losses["long"] = steadiness(batch, steps[0], step)
        if step.teacher.guess and flow_weight:
            losses["flow"] = flow_weight * guess_loss(step.teacher, mask)
        total = total + sum(losses.values(), torch.zeros_like(total))
        parts |= {name: float(value.detach()) for name, value in losses.items()}
        parts["hole"] = float(masked_l1(output.detach(), clean, mask))
    return total / len(steps), parts


def steadiness(batch: Batch, before: Stepped, now: Stepped) -> Tensor:
    """L1 between a fill and an earlier output carried along the exact flow, in the hole, where unoccluded."""
    flow = torch.stack([shot.flow(now.frame, before.frame)[0] for shot in batch.shots])
    carried = warp(before.result.output.float(), flow, "border")
    exact = warp(batch.clean[:, before.frame], flow, "border")
    same = (exact - batch.clean[:, now.frame]).abs().mean(dim=1, keepdim=True) < _SAME
    return masked_l1(now.result.output.float(), carried, batch.masks[:, now.frame] * same)


def guess_loss(teacher: Teacher, mask: Tensor) -> Tensor:
    """End-point error at every estimated scale: everywhere, and more in the hole."""
    total = mask.new_zeros(())
    for level, guess in teacher.guess.items():
        weight = 1 + _HOLE_FLOW * _share(mask, guess)
        total = total + level * flow_loss(guess, teacher.exact[level], weight)
    return total


def flow_errors(teacher: Teacher, mask: Tensor) -> dict[str, float]:
    """Mean end-point error in the hole in pixels of the 512 variant's picture, and that of no flow at all."""
    finest = min(teacher.guess)
    hole, exact = _share(mask, teacher.guess[finest]), teacher.exact[finest]
    missed = ((teacher.guess[finest].detach() - exact) ** 2).sum(dim=1, keepdim=True).sqrt()
    moved = (exact**2).sum(dim=1, keepdim=True).sqrt()
    return {
        name: 2 * finest * float((error * hole).sum() / hole.sum().clamp(min=1))
        for name, error in (("missed", missed), ("moved", moved))
    }


def _share(mask: Tensor, flow: Tensor) -> Tensor:
    """The share of hole in each cell of a level, for every stream."""
    return F.avg_pool2d(mask, mask.shape[-1] // flow.shape[-1]).repeat_interleave(5, dim=0)
