"""A run of the painter's training: what a step does, and how it is kept.

The numbers of step n depend on the settings, the photographs, the interpolation and n alone: never on when
the run was broken off and gone on with, since Adam's moments are rounded to what a checkpoint holds at every
step at which one may be written, whether it is or not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plugin_core.errors import InputError

from ..synthetic.pictures import Pictures
from ..wiring.interpolation import Interpolation
from .checkpoint import read_checkpoint, write_checkpoint
from .fit import correct_by_whole
from .hearing import Hearing, interpolation_of
from .kept import kept_interpolation, kept_painter, part
from .losses import cell_losses, learned_from
from .network import Painter, Widths, seen_by_painter
from .samples import draw_batch, draw_beside
from .start import begin

_START = 32
"""Samples that the start is settled on."""
_FITTED = 12
"""Batches of as many that the correction is begun on, from the whole picture."""
_WARM = 150
"""Steps over which the rate rises."""


@dataclass(frozen=True)
class Settings:
    """What a run's numbers depend on, besides the photographs and the interpolation.

    Attributes:
        seed: of everything random.
        steps: at whose end the rate is a hundredth; see `rate`.
        small_steps: the first ones, which have samples of the smallest side alone: they cost the least.
        deaf: share of a step's samples that hear nothing and are held to the whole picture alone. Without
            them the last layers copy the fill they hear, and all below s2 dies.
        hard: share of samples whose hole is of whole cells.
        beside: share of samples with a source beside that shows more, or less; with 0 the painter sees
            stills, and in the network the frame alone.
        half: whether layers compute in bfloat16: much quicker where a CPU has it, and not the same numbers.
        rate: Adam's, at its highest.
        batch: samples of a step, by cells a side.
        shares: how often a step has samples of that side.
        average: decay of the running average, which is what is scored.
        clip: largest norm of the gradient.
        grid: checkpoints may be written at multiples of so many steps; Adam's moments are rounded there.
        widths: the painter's channels.
    """

    seed: int = 1
    steps: int = 100_000
    small_steps: int = 5_000
    deaf: float = 0.5
    hard: float = 0.25
    beside: float = 0.0
    half: bool = False
    rate: float = 5e-4
    batch: dict[int, int] = field(default_factory=lambda: {32: 16, 64: 8, 96: 4})
    shares: dict[int, float] = field(default_factory=lambda: {32: 0.45, 64: 0.33, 96: 0.22})
    average: float = 0.999
    clip: float = 3.0
    grid: int = 10
    widths: Widths = field(default_factory=Widths)

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Settings:
        """The settings of a checkpoint."""
        sides = {
            name: {int(side): value for side, value in told[name].items()} for name in ("batch", "shares")
        }
        return cls(**(told | sides | {"widths": Widths(*told["widths"])}))


class Trainer:
    """The painter, its optimizer, its running average, and how far they are.

    Args:
        settings: of a new run.
        pictures: what samples are cut from.
        interpolation: what the painter hears.
        resumed: tensors and state of a checkpoint to go on with; `settings` must be those in it, but for
            `steps`, `deaf`, `hard`, `beside` and `half`.
    """

    def __init__(
        self,
        settings: Settings,
        pictures: Pictures,
        interpolation: Interpolation,
        resumed: tuple[dict[str, Tensor], dict[str, Any]] | None = None,
    ) -> None:
        self.settings, self.pictures = settings, pictures
        self.hearing = Hearing(interpolation)
        self.painter = self._made()
        self.step, self.samples, self.seconds = 0, 0, 0.0
        if resumed is None:
            self._begin()
        else:
            self.painter.load_state_dict(part(resumed[0], "painter"))
        self._optimizer = torch.optim.Adam(self.painter.parameters(), settings.rate, (0.9, 0.98), 1e-6)
        self.average = {key: value.clone() for key, value in self.painter.state_dict().items()}
        if resumed is not None:
            self._resume(*resumed)

    def _begin(self) -> None:
        rng = np.random.default_rng([self.settings.seed])
        batch = draw_batch(rng, self.pictures, _START, min(self.settings.batch))
        begin(self.painter, seen_by_painter(*batch), self.hearing(*batch), self.settings.seed)

    def _resume(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        self.step, self.samples, self.seconds = state["step"], state["samples"], state["seconds"]
        for key, value in part(tensors, "average").items():
            self.average[key].copy_(value)
        if not state["taken"]:
            return
        moments = {name: part(tensors, name) for name in ("exp_avg", "exp_avg_sq")}
        for key, parameter in self.painter.named_parameters():
            kept = {name: torch.empty_like(parameter).copy_(of[key]) for name, of in moments.items()}
            self._optimizer.state[parameter] = {"step": torch.tensor(float(state["taken"]))} | kept

    def learn(self) -> dict[str, float]:
        """Take a step; returns its mean relative losses, the heard fill's too, and the gradient's norm."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, self.step])
        sides = sorted(settings.batch)
        if self.step < settings.small_steps:
            sides = sides[:1]
        chances = np.array([settings.shares[side] for side in sides])
        side = sides[int(rng.choice(len(sides), p=chances / chances.sum()))]
        batch = draw_batch(rng, self.pictures, settings.batch[side], side, hard=settings.hard)
        beside = draw_beside(rng, *batch, settings.beside) if settings.beside else None
        losses = cell_losses(
            self.painter, self.hearing, *batch, beside, deaf=settings.deaf, half=settings.half
        )
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate()
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(learned_from(losses))
        norm = torch.nn.utils.clip_grad_norm_(self.painter.parameters(), settings.clip)
        if bool(torch.isfinite(norm)):
            self._optimizer.step()
        self.step += 1
        self.samples += settings.batch[side]
        self._follow()
        if self.may_save():
            self._round_moments()
        return {name: float(value.detach()) for name, value in losses.items()} | {"norm": float(norm)}

    def rate(self) -> float:
        """The coming step's rate: flat up to half of the steps, then falling to a hundredth."""
        settings = self.settings
        left = (settings.steps - self.step) / (settings.steps / 2)
        return settings.rate * min(1.0, (self.step + 1) / _WARM) * min(1.0, max(0.01, left))

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.settings.average, self.step / (self.step + 10))
        for key, value in self.painter.state_dict().items():
            self.average[key].lerp_(value, 1 - decay)

    @torch.no_grad()
    def correct_by_whole(self) -> None:
        """Begin the correction anew from the whole picture; average and moments follow."""
        averaged = self.averaged()
        rng = np.random.default_rng([self.settings.seed, self.step])
        samples = [draw_batch(rng, self.pictures, _START, _START, hard=0.5) for _ in range(_FITTED)]
        for painter in (self.painter, averaged):
            correct_by_whole(painter, self.hearing, samples)
        for key, value in averaged.state_dict().items():
            self.average[key].copy_(value)
        for output in (self.painter.correction, self.painter.gate):
            for parameter in output.parameters():
                kept = self._optimizer.state.get(parameter, {})
                for name in ("exp_avg", "exp_avg_sq"):
                    if name in kept:
                        kept[name].zero_()

    def may_save(self) -> bool:
        """Whether a checkpoint of this step can be gone on with exactly."""
        return self.step % self.settings.grid == 0

    @torch.no_grad()
    def _round_moments(self) -> None:
        for kept in self._optimizer.state.values():
            for name in ("exp_avg", "exp_avg_sq"):
                kept[name].copy_(kept[name].bfloat16())

    def averaged(self) -> Painter:
        """A painter with the averaged weights."""
        painter = self._made()
        painter.load_state_dict(self.average)
        return painter.eval()

    def _made(self) -> Painter:
        painter = Painter(self.settings.widths, self.hearing.carriers)
        for conv in painter.modules():  # a third faster on a CPU
            if isinstance(conv, torch.nn.Conv2d):
                conv.weight.data = conv.weight.data.contiguous(memory_format=torch.channels_last)
        return painter

    def save(self, path: Path) -> None:
        """Write the checkpoint. Only at a step that `may_save`. Raises WriteError."""
        assert self.may_save()
        names = [name for name, _ in self.painter.named_parameters()]
        moments = self._optimizer.state_dict()["state"]
        tensors = {f"painter.{key}": value for key, value in self.painter.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.items()}
        for number, kept in moments.items():
            for name in ("exp_avg", "exp_avg_sq"):
                tensors[f"{name}.{names[number]}"] = kept[name].bfloat16()
        tensors |= {
            f"interpolation.{key}": value for key, value in self.hearing.interpolation.state_dict().items()
        }
        taken = int(moments[0]["step"]) if moments else 0
        state = {"step": self.step, "taken": taken, "samples": self.samples, "seconds": self.seconds}
        write_checkpoint(path, tensors, state | {"settings": self.settings.to_json()})


def open_trainer(checkpoint: Path, pictures: Pictures, settings: Settings, **changed: Any) -> Trainer:
    """The run in `checkpoint` if there is one, else a new one with `settings`.

    `changed`: settings that replace those, a run's own too: `steps`, `deaf`, `hard`, `beside` and `half` may
    change as it goes.

    Raises:
        InputError: the file is no checkpoint of the painter in cells.
        ModelError: there is none, and the bundle that ships has no interpolation to hear.
    """
    if not checkpoint.exists():
        return Trainer(replace(settings, **changed), pictures, interpolation_of())
    tensors, state = read_checkpoint(checkpoint)
    if "whole" in state:
        raise InputError(
            f"{checkpoint} is of a painter that was trained in the network: go on with it by "
            "`python -m models.training.train_whole`, or name a checkpoint in cells."
        )
    settings = replace(Settings.from_json(state["settings"]), **changed)
    return Trainer(settings, pictures, kept_interpolation(tensors), (tensors, state))


def open_averaged(checkpoint: Path) -> tuple[Painter, Hearing]:
    """The painter of a run as it is scored, and what it hears. Raises InputError."""
    painter, hearing = kept_painter(*read_checkpoint(checkpoint))
    return painter.eval(), hearing
