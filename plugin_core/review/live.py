"""The page of a shot that is still rendered: renewed from the journal as frames come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..qc.check import Tell
from ..qc.report import Report
from ..state.noted import noted_entries
from .build import Review

RENEW_SECONDS = 5.0
"""How often the page is written anew, and shows itself anew, while frames come."""

PATIENCE_SECONDS = 120.0
"""So long nothing may come before the render is taken for ended."""


@dataclass(frozen=True)
class Clock:
    """Time, which tests have pass as they like."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow(
    review: Review, tell: Tell, *, patience: float = PATIENCE_SECONDS, clock: Clock | None = None
) -> Report | None:
    """Write a shot's page while it is rendered, until all of it is there, nothing comes, or Ctrl-C.

    Returns what was found; None where no frame came.
    """
    clock = clock or Clock()
    waiting = list(review.shot.frames)
    total, came, written = len(waiting), clock.now(), -RENEW_SECONDS
    try:
        while waiting and clock.now() - came < patience:
            there = _noted(review)
            if waiting[0] not in there:
                tell(f"waiting for frame {waiting[0]}")
                clock.sleep(RENEW_SECONDS / 5)
                continue
            tell(f"frame {waiting[0]}")
            review.look(waiting.pop(0))
            came = clock.now()
            if waiting and came - written >= RENEW_SECONDS:
                review.write(_live(total - len(waiting), total, every=RENEW_SECONDS))
                written = clock.now()
    except KeyboardInterrupt:
        tell("stopped")
    if len(waiting) == total:
        return None
    return review.write(_live(total - len(waiting), total, every=0) if waiting else None)


def _live(done: int, total: int, every: float) -> dict[str, Any]:
    return {"done": done, "total": total, "every": every}


def _noted(review: Review) -> set[int]:
    output = review.shot.sources.output
    return {entry.frame for entry in noted_entries(output) if output.path(entry.frame).is_file()}
