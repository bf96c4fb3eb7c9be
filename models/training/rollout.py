"""Running the network over synthetic shots as it runs in use: in order, with its own output fed back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import SOURCE_OFFSETS, Carry, Features, StepResult, VINet, estimated_flow, upsample
from ..synthetic.shot import Shot

_LEVELS = {"s8": 8, "s4": 4, "s2": 2}


def mirrored(index: int, count: int) -> int:
    """`index` folded back into 0..count-1 about the end frames: -3 is 3."""
    if count == 1:
        return 0
    index = index % (2 * count - 2)
    return index if index < count else 2 * count - 2 - index


class Teacher:
    """An aligner that knows the exact flows, lets some flow nets estimate, and keeps both for the loss.

    Args:
        exact: flows at s2 of all streams, (B * 5, 2, h, w), in pixels of s2; None: nothing moves.
        estimated: scales (8, 4, 2) whose flow nets run; at the others the coarser flow is passed on.
        teach: warp by the exact flows instead of the estimated ones.
    """

    def __init__(self, exact: Tensor | None, estimated: frozenset[int], teach: bool) -> None:
        self.exact: dict[int, Tensor] = {}
        self.guess: dict[int, Tensor] = {}
        self._estimated, self._teach, self._level = estimated, teach, 8
        if exact is not None:
            self.exact = {2: exact, 4: F.avg_pool2d(exact, 2) / 2, 8: F.avg_pool2d(exact, 4) / 4}

    def __call__(self, flownet: nn.Module, target: Tensor, source: Tensor, incoming: Tensor | None) -> Tensor:
        self._level = level = 8 if incoming is None else self._level // 2
        if level in self._estimated:
            guess = estimated_flow(flownet, target, source, incoming).float()
            self.guess[level] = guess
        elif incoming is not None:
            guess = incoming
        else:
            guess = target.new_zeros(target.shape[0], 2, *target.shape[2:], dtype=torch.float32)
        return self.exact[level] if self._teach and self.exact else guess


@dataclass(frozen=True)
class Batch:
    """Shots of one length as tensors: seen and clean (B, N, 3, H, W), masks (B, N, 1, H, W)."""

    shots: list[Shot]
    seen: Tensor
    clean: Tensor
    masks: Tensor

    @classmethod
    def of(cls, shots: Iterable[Shot]) -> Batch:
        """Stack shots of equal size and length."""
        shots = list(shots)
        seen, clean, masks = (
            torch.stack([getattr(shot, name) for shot in shots]) for name in ("seen", "clean", "masks")
        )
        return cls(shots, seen, clean, masks)

    @property
    def frames(self) -> int:
        """Length of the shots."""
        return self.seen.shape[1]

    def sources_of(self, t: int) -> list[int]:
        """Frames that serve frame t as sources."""
        return [mirrored(t + offset, self.frames) for offset in SOURCE_OFFSETS]

    def flows(self, t: int, first: bool) -> tuple[Tensor, Tensor]:
        """Exact s2 flows (B * 5, 2, h, w) and visibility (B, 5, 1, h, w) of the five streams at frame t.

        The fifth stream is the previous output, at a shot's first frame the frame itself.
        """
        sources = [*self.sources_of(t), t if first else mirrored(t - 1, self.frames)]
        pairs = [[shot.flow(t, s, 4) for s in sources] for shot in self.shots]
        flows = torch.stack([flow for shot in pairs for flow, _ in shot])
        visible = torch.stack([torch.stack([seen for _, seen in shot]) for shot in pairs])
        return flows, visible


@dataclass
class Stepped:
    """One frame of a rollout, with what its loss needs."""

    frame: int
    first: bool
    result: StepResult
    teacher: Teacher
    visible: Tensor | None


def roll(
    network: VINet,
    batch: Batch,
    begin: int,
    warm: int,
    learn: int,
    *,
    estimated: frozenset[int],
    teach: bool,
) -> list[Stepped]:
    """Start at frame `begin`, run `warm` frames without gradients, then `learn` frames with them."""
    carry = network.start(batch.seen[:, begin], batch.masks[:, begin])
    stepped: list[Stepped] = []
    encoded: dict[int, Features] = {}
    for n in range(warm + learn):
        learning = n >= warm
        if n == warm:
            encoded = {}  # what was encoded without gradients can't be learned from
        t = mirrored(begin + n, batch.frames)
        with nullcontext() if learning else torch.no_grad():
            step = _step(network, batch, t, n == 0, carry, encoded, estimated, teach)
        carry = step.result.carry
        if learning:
            stepped.append(step)
    return stepped


def _step(
    network: VINet,
    batch: Batch,
    t: int,
    first: bool,
    carry: Carry,
    encoded: dict[int, Features],
    estimated: frozenset[int],
    teach: bool,
) -> Stepped:
    for s in batch.sources_of(t):
        if s not in encoded:
            encoded[s] = network.encode_source(batch.seen[:, s], batch.masks[:, s])
    exact, visible = batch.flows(t, first) if batch.frames > 1 else (None, None)
    teacher = Teacher(exact, estimated, teach)
    sources = [encoded[s] for s in batch.sources_of(t)]
    result = network.step(batch.seen[:, t], batch.masks[:, t], sources, carry, teacher)
    return Stepped(t, first, result, teacher, visible)


def estimate_flows(network: VINet, batch: Batch, t: int, estimated: frozenset[int]) -> Teacher:
    """Run the flow nets alone for frame t, with gradients for them and for nothing else.

    The previous output is stood in for by the clean previous frame, marked as one that is fed back.
    """
    sources = batch.sources_of(t)
    exact, _ = batch.flows(t, first=False)
    teacher = Teacher(exact, estimated, teach=False)
    with torch.no_grad():
        mask = batch.masks[:, t]
        target = network.encoder1(batch.seen[:, t] * (1 - mask), mask)
        streams = [network.encode_source(batch.seen[:, s], batch.masks[:, s]) for s in sources]
        before = mirrored(t - 1, batch.frames)
        streams.append(network.encoder2(batch.clean[:, before], 0.5 * batch.masks[:, before]))
    incoming = None
    for level, flownet in (("s8", network.flownet), ("s4", network.flownet_64), ("s2", network.flownet_128)):
        if _LEVELS[level] not in estimated:
            break
        wanted = getattr(target, level).repeat_interleave(len(streams), dim=0)
        stacked = torch.stack([getattr(stream, level) for stream in streams], dim=1).flatten(0, 1)
        flow = teacher(flownet, wanted, stacked, incoming)
        incoming = 2 * upsample(flow.detach(), 2)
    return teacher
