"""One run of training, whatever its step learns: optimizer, rate, running average, checkpoint, loop and log.

A subclass says what a step is shown and how far off it is. What a step is shown depends on the seed and the
step's number alone, so a run that is broken off and resumed gives the same weights, bit for bit.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from ..network.tensor_folder import optimizer_tensors, read_folder, restore_optimizer, write_folder
from ..painter.stopping import listening
from .pace import Limits, RunningAverage, Schedule

BatchT = TypeVar("BatchT")
log = logging.getLogger("models.training")


@dataclass(frozen=True)
class Recipe:
    """How a network learns, and how long.

    Attributes:
        optimizer: over its parameters; a group's own `share` multiplies the rate.
        limits: how long the run is.
        schedule: of the rate.
        average: follows the network's weights.
        clip: largest norm of the gradient.
    """

    optimizer: torch.optim.Optimizer
    limits: Limits
    schedule: Schedule
    average: RunningAverage
    clip: float


class Trainer(ABC, Generic[BatchT]):
    """A network, its optimizer, its running average, and how far they are."""

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self.step, self.minutes = 0, 0.0
        self.average, self.limits = recipe.average, recipe.limits
        self._network, self._optimizer = network, recipe.optimizer
        self._schedule, self._clip = recipe.schedule, recipe.clip

    @abstractmethod
    def batch(self, step: int) -> BatchT:
        """What a step is shown; called from another thread while the step before is taken."""

    @abstractmethod
    def backward(self, shown: BatchT) -> dict[str, float]:
        """Leave the coming step's gradients with the parameters; returns what the log has of its loss."""

    @abstractmethod
    def check(self) -> str:
        """Score the averaged network, for the log."""

    @abstractmethod
    def save(self) -> None:
        """Keep the run, to go on exactly, and write what others take; a reader never sees half of either."""

    def edit_gradients(self) -> None:
        """Change the gradients before they are clipped."""

    def after_step(self) -> None:
        """Do what a run wants done after each step."""

    @property
    def over(self) -> bool:
        """Whether the steps or the minutes are used up."""
        return self.limits.over(self.step, self.minutes)

    def rate(self) -> float:
        """The coming step's learning rate."""
        return self._schedule.at(self.step, self.limits.done(self.step, self.minutes))

    def learn(self, shown: BatchT) -> dict[str, float]:
        """Take a step; returns what the log has of its loss, and the gradient's norm."""
        self._optimizer.zero_grad(set_to_none=True)
        told = self.backward(shown)
        self.edit_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate() * group.get("share", 1.0)
        if bool(torch.isfinite(norm)):
            self._optimizer.step()
        self.step += 1
        self.average.follow(self._network.state_dict(), self.step)
        self.after_step()
        return told | {"norm": float(norm)}


class FolderTrainer(Trainer[BatchT]):
    """A run with one loss, kept in a folder: `checkpoint/` in it holds everything needed to go on exactly."""

    def __init__(self, network: nn.Module, recipe: Recipe, folder: Path) -> None:
        super().__init__(network, recipe)
        self._checkpoint = folder / "checkpoint"

    @abstractmethod
    def loss(self, shown: BatchT) -> tuple[Tensor, dict[str, float]]:
        """The loss of the coming step, and its parts for the log."""

    @abstractmethod
    def write(self) -> None:
        """Write what others take of the run: the averaged weights."""

    def backward(self, shown: BatchT) -> dict[str, float]:
        """Leave the loss's gradients with the parameters."""
        loss, parts = self.loss(shown)
        if loss.requires_grad:
            torch.autograd.backward(loss)
        return {"loss": float(loss.detach())} | parts

    def save(self) -> None:
        """Write the checkpoint, and what others take."""
        tensors = {f"network.{key}": value for key, value in self._network.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.tensors.items()}
        tensors |= {f"adam.{key}": value for key, value in optimizer_tensors(self._optimizer).items()}
        write_folder(self._checkpoint, tensors, {"step": self.step, "minutes": self.minutes})
        self.write()

    def resume(self) -> None:
        """Go on with the run in the folder. Raises FileNotFoundError when there is none."""
        tensors, state = read_folder(self._checkpoint)
        self._network.load_state_dict(_part(tensors, "network."))
        for key, value in _part(tensors, "average.").items():
            self.average.tensors[key].copy_(value)
        restore_optimizer(self._optimizer, _part(tensors, "adam."))
        self.step, self.minutes = state["step"], state["minutes"]


def run(trainer: Trainer[BatchT], *, log_every: int, check_minutes: float) -> None:
    """Train until the run is over, or is told to stop, and save.

    What the next step is shown is made while one is taken.

    Args:
        trainer: a new run's, or one that was resumed.
        log_every: steps between two lines of the log.
        check_minutes: minutes between two checkpoints, each with a check; 0 for the last checkpoint alone.
    """
    before, start = trainer.minutes, time.monotonic()
    checked, pace = start, _Pace()
    with ThreadPoolExecutor(1) as ahead, listening() as asked:
        coming = ahead.submit(trainer.batch, trainer.step)
        while not (trainer.over or asked.to_stop):
            batch = pace.waiting_for(coming)
            coming = ahead.submit(trainer.batch, trainer.step + 1)
            pace.add(trainer.learn(batch))
            now = time.monotonic()
            trainer.minutes = before + (now - start) / 60
            if trainer.step % log_every == 0:
                log.info(
                    "step %d  min %.1f  %s  lr %.1e", trainer.step, trainer.minutes, pace, trainer.rate()
                )
                pace = _Pace()
            if check_minutes and now - checked > 60 * check_minutes:
                checked = now
                trainer.save()
                log.info("step %d  %s", trainer.step, trainer.check())
    trainer.save()
    if check_minutes and not asked.to_stop:
        log.info("step %d, the last  %s", trainer.step, trainer.check())


class _Pace:
    """Means of the losses since the last line of the log, and what the time went into."""

    def __init__(self) -> None:
        self._begun, self._waited, self._steps = time.monotonic(), 0.0, 0
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def waiting_for(self, coming: Future[BatchT]) -> BatchT:
        start = time.monotonic()
        batch = coming.result()
        self._waited += time.monotonic() - start
        return batch

    def add(self, losses: Mapping[str, float]) -> None:
        self._steps += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def __str__(self) -> str:
        spent = time.monotonic() - self._begun
        means = "  ".join(f"{name} {self._sums[name] / self._counts[name]:.3f}" for name in self._sums)
        return f"{means}  {self._steps / spent:.2f} steps/s  waited {self._waited / spent:.0%}"


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors below a name, by the rest of theirs."""
    return {key.removeprefix(name): value for key, value in tensors.items() if key.startswith(name)}
