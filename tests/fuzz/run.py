"""Give targets many examples, others each time, and count what came of them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, given, settings

from .targets import TARGETS, Target, in_folder

DEADLINE_SECONDS = 20
HEADER = (
    "| what is read | tried | taken | refused with a sentence | slowest | faults |\n|---|---|---|---|---|---|"
)


@dataclass
class Tried:
    """What came of one target's examples.

    Attributes:
        name: the target's.
        taken, refused: how many were.
        slowest: seconds of the one that took longest.
    """

    name: str
    taken: int = 0
    refused: int = 0
    slowest: float = 0.0

    def row(self) -> str:
        """A row of the table."""
        tried, slowest = self.taken + self.refused, f"{self.slowest:.2f} s"
        return f"| {self.name} | {tried} | {self.taken} | {self.refused} | {slowest} | 0 |"


def try_target(target: Target, examples: int, folder: Path, *, seed: int | None) -> Tried:
    """Give a target its share of examples; raises what a user would see as a traceback, or a wait.

    Args:
        target: which.
        examples: of all targets together.
        folder: to work in.
        seed: makes the same examples again; None: those of every test run.
    """
    tried, take = Tried(target.name), in_folder(target, folder)

    @settings(
        max_examples=max(1, examples * target.share // 100),
        derandomize=seed is None,
        database=None,
        deadline=DEADLINE_SECONDS * 1000,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.examples)
    def hold(example: Any) -> None:
        began = time.monotonic()
        was_taken = take(example)
        tried.slowest = max(tried.slowest, time.monotonic() - began)
        tried.taken += was_taken
        tried.refused += not was_taken

    (hold if seed is None else hypothesis.seed(seed)(hold))()
    return tried


def try_all(examples: int, folder: Path, seed: int) -> None:
    """Give all targets examples and print the table of docs/reliability.md."""
    logging.getLogger("plugin_core").setLevel(logging.ERROR)  # locks and states are warned of by the thousand
    print(HEADER, flush=True)
    for target in TARGETS:
        print(try_target(target, examples, folder, seed=seed).row(), flush=True)
