"""Running a network that takes flows over moving shots as the core does: its memory and output move along.

PyTorch alone, so that a card's job can use it. The core measures flows; here they are exact, or a little off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.vinet import SOURCE_OFFSETS, Carry, Features, Guide, StepResult, VINet, upsample, warp
from .losses import masked_l1, picture_loss

_SHARES = (0.122, 0.343, 0.343, 0.122)
"""How much the frames beside count where all of them show a cell."""
_CELL = 4
"""Pixels of a cell of s2."""
_STEADY, _SQUARED = 20.0, 10.0
"""Weights of what flickers, and of squared errors: what errs by much costs the picture most."""
_SAME = 0.05
"""Colors this near one another, along the exact flow, show the same unoccluded point."""


class MovingShots(Protocol):
    """A batch of shots: seen and clean (B, N, 3, H, W) in -1..1, masks (B, N, 1, H, W)."""

    @property
    def seen(self) -> Tensor: ...

    @property
    def clean(self) -> Tensor: ...

    @property
    def masks(self) -> Tensor: ...

    def flow(self, target: int, source: int, stride: int) -> tuple[Tensor, Tensor]:
        """Exact flow (B, 2, H / stride, W / stride) in cells, and where the source shows it (B, 1, ...)."""
        ...


class Guided(NamedTuple):
    """One frame of a rollout."""

    frame: int
    first: bool
    result: StepResult


def mirrored(index: int, count: int) -> int:
    """`index` folded back into 0..count-1 about the end frames: -3 is 3."""
    if count == 1:
        return 0
    index = index % (2 * count - 2)
    return index if index < count else 2 * count - 2 - index


def guide_of(flows: Tensor, visible: Tensor) -> Guide:
    """What a step is given: flows at s2 (B, 4, 2, h, w), shown or not (B, 4, 1, h, w), as the core does."""
    guide = {}
    shares = flows.new_tensor(_SHARES).view(1, -1, 1, 1, 1)
    for level, cells in (("s2", 1), ("s4", 2), ("s8", 4)):
        moved, shown = (
            torch.unflatten(F.avg_pool2d(part.flatten(0, 1), cells), 0, part.shape[:2])
            for part in (flows / cells, visible)
        )
        weights = shares * shown
        together = weights.sum(dim=1, keepdim=True).clamp(min=1e-4)
        best = 1 - (1 - shown).prod(dim=1, keepdim=True)
        guide[level] = torch.cat((moved, weights / together * best), dim=2)
    return guide


def moved(carry: Carry, flow: Tensor) -> Carry:
    """The carry along a flow at s2 to the frame before, (B, 2, h, w)."""
    fine = _CELL * upsample(flow, _CELL)
    coarse = F.avg_pool2d(flow, 4) / 4
    half = 2 * upsample(flow, 2)
    inside = warp(torch.ones_like(half[:, :1]), half, "zeros")
    return Carry(
        warp(carry.hidden, coarse, "zeros"),
        warp(carry.cell, coarse, "zeros"),
        warp(carry.output, fine, "border"),
        warp(carry.mask, fine, "border"),
        carry.feedback * inside,
    )


def wandering(flow: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """A flow (..., h, w) off by a smooth error of up to about `most` cells, differently in every picture."""
    height, width = flow.shape[-2:]
    drawn = torch.randn(
        (flow[..., 0, 0].numel() // 2, 2, max(2, height // 8), max(2, width // 8)),
        generator=generator,
        device=flow.device,
    )
    amount = most * torch.rand((len(drawn), 1, 1, 1), generator=generator, device=flow.device)
    error = F.interpolate(drawn, size=(height, width), mode="bicubic", align_corners=False)
    return flow + (amount * error).view(flow.shape)


def roll_guided(
    network: VINet,
    shots: MovingShots,
    begin: int,
    warm: int,
    learn: int,
    *,
    off: float = 0.0,
    generator: torch.Generator | None = None,
) -> list[Guided]:
    """Start at frame `begin`, run `warm` frames without gradients, then `learn` frames with them.

    Args:
        off: by up to how many cells of s2 the flows are wrong; needs a `generator`.
    """
    count = shots.seen.shape[1]

    def flow(t: int, s: int) -> tuple[Tensor, Tensor]:
        exact, visible = shots.flow(t, s, _CELL)
        return (wandering(exact, off, generator) if off and generator is not None else exact), visible

    carry = network.start(shots.seen[:, begin], shots.masks[:, begin])
    encoded: dict[int, Features] = {}
    rolled = []
    for number in range(warm + learn):
        t = mirrored(begin + number, count)
        if number == warm:
            encoded = {}  # what was encoded without gradients can't be learned from
        with torch.set_grad_enabled(torch.is_grad_enabled() and number >= warm):
            sources = [mirrored(t + offset, count) for offset in SOURCE_OFFSETS]
            for s in set(sources) - encoded.keys():
                encoded[s] = network.encode_source(shots.seen[:, s], shots.masks[:, s])
            pairs = [flow(t, s) for s in sources]
            guide = guide_of(*(torch.stack(part, dim=1) for part in zip(*pairs, strict=True)))
            if number:
                carry = moved(carry, flow(t, mirrored(begin + number - 1, count))[0])
            beside = [encoded[s] for s in sources]
            result = network.step(shots.seen[:, t], shots.masks[:, t], beside, carry, guide=guide)
        carry = result.carry
        if number >= warm:
            rolled.append(Guided(t, number == 0, result))
    return rolled


def guided_loss(shots: MovingShots, rolled: Sequence[Guided]) -> tuple[Tensor, dict[str, float]]:
    """The loss of a rollout, mean over its frames, and its parts for the log.

    A fill is held against the truth, and against the one before it along the exact flow.
    """
    total = shots.seen.new_zeros(())
    parts: dict[str, float] = {}
    before: Guided | None = None
    for now in rolled:
        clean, mask = shots.clean[:, now.frame], shots.masks[:, now.frame]
        output = now.result.output.float()
        losses = {"output": picture_loss(output, clean, mask)}
        if not now.first:
            losses["raw"] = 0.5 * picture_loss(now.result.raw.float(), clean, mask)
        losses["squared"] = _SQUARED * _squared(output, clean, mask)
        if before is not None:
            losses["steady"] = _STEADY * _steadiness(shots, before, now)
        total = total + sum(losses.values(), torch.zeros_like(total))
        parts |= {name: float(value.detach()) for name, value in losses.items()}
        parts["hole"] = float(masked_l1(output.detach(), clean, mask))
        before = now
    return total / len(rolled), parts


def _squared(output: Tensor, clean: Tensor, mask: Tensor) -> Tensor:
    error = (output - clean).square().mean(dim=1, keepdim=True)
    return (error * mask).sum() / mask.sum().clamp(min=1)


def _steadiness(shots: MovingShots, before: Guided, now: Guided) -> Tensor:
    flow, _ = shots.flow(now.frame, before.frame, 1)
    carried = warp(before.result.output.float(), flow, "border")
    exact = warp(shots.clean[:, before.frame], flow, "border")
    same = (exact - shots.clean[:, now.frame]).abs().mean(dim=1, keepdim=True) < _SAME
    return masked_l1(now.result.output.float(), carried, shots.masks[:, now.frame] * same)


@torch.no_grad()
def hole_scores(shots: MovingShots, rolled: Sequence[Guided]) -> tuple[float, float]:
    """Hole PSNR in dB of all frames together, and the mean steadiness loss; lower is steadier."""
    missed, area, unsteady = 0.0, 0.0, []
    for number, now in enumerate(rolled):
        clean, mask = shots.clean[:, now.frame], shots.masks[:, now.frame]
        error = (now.result.output.float().clamp(-1, 1) - clean) / 2
        missed += float((error.square().mean(dim=1, keepdim=True) * mask).sum())
        area += float(mask.sum())
        if number:
            unsteady.append(float(_steadiness(shots, rolled[number - 1], now)))
    psnr = -10 * torch.log10(torch.tensor(max(missed, 1e-9) / max(area, 1.0)))
    return float(psnr), sum(unsteady) / max(1, len(unsteady))
