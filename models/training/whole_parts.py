"""What a step of training the painter whole is shown: moving shots, plain ones, and stills in cells.

Each part is drawn by itself and has a loss of its own, so that parts can be learned from side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..painter.beside import Beside
from ..painter.hearing import Hearing
from ..painter.kept import kept_interpolation
from ..painter.losses import cell_losses, learned_from
from ..painter.samples import Batch, draw_batch, draw_beside
from ..painter.trainer import Settings
from ..painter.whole import Whole, whole_of
from ..synthetic.pictures import Pictures
from ..synthetic.shot import Shot, ShotSettings, make_shot
from .guided import guided_loss, roll_guided
from .losses import masked_l1

FRAMES = 13
"""Of a shot."""
_WARM, _LEARN = 4, 4
"""Most frames that are run without gradients; those with them."""
_OFF = 0.5
"""Half of the shots have flows that are wrong by up to so many cells of s2."""
_LARGEST_HOLE = 0.6

_HEIGHT, _LENGTH, _SHOWN = 128, 384, 32
"""Pixels of a plain shot, and how much of its beginning is shown, at least."""
_PLAIN_WARM, _PLAIN_LEARN = 6, 2
_PLAIN = 10.0
"""Weight of a plain shot's error."""

_STILLS = 3.0
"""Weight of the stills' loss."""
_CELLS = Settings()
"""Of stills: how many of which size, and how often, as a run in cells has them."""
_DEAF, _HARD, _BESIDE = 0.25, 0.33, 0.3
"""Shares of the stills; see `painter.trainer.Settings`."""


class Learner:
    """The painter in the network, and what it hears in cells; each thread has one of its own.

    Args:
        tensors, state: of a checkpoint of the painter.
        sources: see `whole.whole_of`.
    """

    def __init__(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any], sources: bool | None) -> None:
        self.whole: Whole = whole_of(tensors, state, sources=sources)
        self.hearing = Hearing(kept_interpolation(tensors))


class Part(Protocol):
    """Something that a step is shown."""

    def loss(self, learner: Learner) -> tuple[Tensor, dict[str, float]]:
        """Its loss, with gradients, and what the log has of it."""
        ...


class ShotBatch:
    """Synthetic shots of one length, stacked; see `guided.MovingShots`."""

    def __init__(self, shots: Iterable[Shot]) -> None:
        self._shots = list(shots)
        self.seen, self.clean, self.masks = (
            torch.stack([getattr(shot, name) for shot in self._shots]) for name in ("seen", "clean", "masks")
        )

    def flow(self, target: int, source: int, stride: int) -> tuple[Tensor, Tensor]:
        """Exact flow from one frame to another, and where it is shown."""
        flows, visible = zip(*(shot.flow(target, source, stride) for shot in self._shots), strict=True)
        return torch.stack(flows), torch.stack(visible)


def draw_shots(pictures: Pictures, size: int, seed: int, numbers: range) -> ShotBatch:
    """The moving shots of these numbers, `size` pixels a side."""
    settings = ShotSettings(size, FRAMES, largest_hole=_LARGEST_HOLE)
    return ShotBatch(make_shot(pictures, settings, seed, number) for number in numbers)


@dataclass(frozen=True)
class MovingPart:
    """Moving shots: some frames without gradients, then four with them.

    Attributes:
        shots: what is rolled over.
        begin: the frame to start at.
        warm: frames without gradients.
        off: by up to how many cells of s2 the flows are wrong.
        seed: of how they are.
    """

    shots: ShotBatch
    begin: int
    warm: int
    off: float
    seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, shots: ShotBatch) -> MovingPart:
        """How shots are rolled over."""
        off = _OFF if rng.random() < 0.5 else 0.0
        return cls(
            shots,
            int(rng.integers(FRAMES)),
            int(rng.integers(_WARM + 1)),
            off,
            int(rng.integers(2**31)),
        )

    def loss(self, learner: Learner) -> tuple[Tensor, dict[str, float]]:
        """The loss of a rollout, mean over its frames."""
        generator = torch.Generator().manual_seed(self.seed)
        rolled = learner.whole.run(
            lambda network: roll_guided(
                network, self.shots, self.begin, self.warm, _LEARN, off=self.off, generator=generator
            )
        )
        return guided_loss(self.shots, rolled)


@dataclass(frozen=True)
class PlainPart:
    """A flat color of which the beginning is shown, in every frame the same: deep in a hole it must keep.

    The core shows a network no deeper a hole than it keeps a flat color for (`network.reach`). Without such
    shots training lets the painter tint what is far from all that it sees.

    Attributes:
        clean: the color, (1, 1, 3, h, w) in -1..1.
        masks: (1, 1, 1, h, w).
        warm: frames without gradients.
    """

    clean: Tensor
    masks: Tensor
    warm: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> PlainPart:
        """A strip that lies or stands, grey or of any color, shown from one end or the other."""
        color = np.full(3, rng.uniform(-1, 1)) if rng.random() < 0.5 else rng.uniform(-1, 1, 3)
        shown = _SHOWN * int(rng.integers(1, 3))
        masks = torch.ones(1, 1, 1, _HEIGHT, _LENGTH)
        masks[..., :shown] = 0
        if rng.random() < 0.5:
            masks = masks.flip(-1)
        if rng.random() < 0.5:
            masks = masks.transpose(-1, -2).contiguous()
        clean = torch.tensor(color, dtype=torch.float32).view(1, 1, 3, 1, 1) + torch.zeros_like(masks)
        return cls(clean, masks, int(rng.integers(_PLAIN_WARM + 1)))

    @property
    def seen(self) -> Tensor:
        """What the network is shown; it takes the hole away itself."""
        return self.clean

    def flow(self, _target: int, _source: int, stride: int) -> tuple[Tensor, Tensor]:
        """Nothing moves, and all is shown alike."""
        height, width = (side // stride for side in self.masks.shape[-2:])
        return torch.zeros(1, 2, height, width), torch.ones(1, 1, height, width)

    def loss(self, learner: Learner) -> tuple[Tensor, dict[str, float]]:
        """The mean error in the hole."""
        rolled = learner.whole.run(lambda network: roll_guided(network, self, 0, self.warm, _PLAIN_LEARN))
        error = torch.stack(
            [masked_l1(now.result.output.float(), self.clean[:, 0], self.masks[:, 0]) for now in rolled]
        ).mean()
        return _PLAIN * error, {"plain": float(error.detach())}


@dataclass(frozen=True)
class StillsPart:
    """Stills in cells, as the painter learned on before: what it knows must not be forgotten."""

    stills: Batch
    beside: Beside

    @classmethod
    def drawn(cls, rng: np.random.Generator, pictures: Pictures) -> StillsPart:
        """A batch of one size."""
        side = int(rng.choice(list(_CELLS.shares), p=list(_CELLS.shares.values())))
        stills = draw_batch(rng, pictures, _CELLS.batch[side], side, hard=_HARD)
        return cls(stills, draw_beside(rng, *stills, _BESIDE))

    def loss(self, learner: Learner) -> tuple[Tensor, dict[str, float]]:
        """The loss of the painter's training in cells."""
        losses = cell_losses(
            learner.whole.painter, learner.hearing, *self.stills, self.beside, deaf=_DEAF, half=False
        )
        return _STILLS * learned_from(losses), {"stills": float(losses["correction"].detach())}
