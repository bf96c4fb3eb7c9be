"""How long a run is, how its learning rate goes, and the running average that follows its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Fall = Callable[[float], float]
"""A share of the highest rate, by what share of the run (0..1) is done."""


@dataclass(frozen=True)
class Limits:
    """How long a run is, over all its resumes.

    Attributes:
        minutes: of wall-clock time.
        steps: it ends after so many too; None for no limit.
        schedule: steps over which the rate falls; None: over the minutes, and only then does it depend on
            how quick the machine is.
    """

    minutes: float
    steps: int | None = None
    schedule: int | None = None

    def over(self, step: int, minutes: float) -> bool:
        """Whether nothing is left to do."""
        return minutes >= self.minutes or (self.steps is not None and step >= self.steps)

    def done(self, step: int, minutes: float) -> float:
        """What share of the rate's schedule is behind the run, 0..1."""
        share = step / self.schedule if self.schedule else minutes / self.minutes
        return min(share, 1.0)


@dataclass(frozen=True)
class Schedule:
    """A learning rate that rises over the first steps and falls over the run.

    Attributes:
        rate: the highest.
        warm: steps over which it rises.
        fall: its share later on.
    """

    rate: float
    warm: int
    fall: Fall

    def at(self, step: int, done: float) -> float:
        """The rate of step `step` (from 0), with `done` of the run behind it."""
        return self.rate * min(1.0, (step + 1) / self.warm) * self.fall(done)


def cosine(floor: float) -> Fall:
    """Half a cosine, down to a share of `floor`."""
    return lambda done: floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


class RunningAverage:
    """An exponential average of a network's tensors; early on, when they move most, a shorter one.

    Args:
        start: the tensors by name, from a network's `state_dict`.
        decay: what an average keeps of itself at each step.
        early: for the first steps it keeps ``step / (step + early)``, where that is less.
    """

    def __init__(self, start: Mapping[str, Tensor], decay: float, early: int) -> None:
        self.tensors = {key: value.clone() for key, value in start.items()}
        self._least, self._early = 1 - decay, early

    @torch.no_grad()
    def follow(self, state: Mapping[str, Tensor], step: int) -> None:
        """Move towards the tensors as they are after `step` steps."""
        share = max(self._least, self._early / (step + self._early))
        for key, value in state.items():
            self.tensors[key].lerp_(value, share)
