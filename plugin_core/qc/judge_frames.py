"""Judge what is wrong frame by frame: softness, outlines, intruders, texture that swims.

A few frames beyond a limit ask for a look; many are a fault. Something that is there for a single frame is a
fault on one frame already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..clips.sequence import compact
from .report import Check, FrameFound, Limits

FAULT_SHARE = 0.05
"""More of a shot's frames than this, and more than one, are a fault. Untouched footage stays below 0.02."""

SHOWN_FRAMES = 5
"""Of the frames that a check names, so many of the worst."""


@dataclass(frozen=True)
class Rule:
    """How one measure is judged and told.

    Attributes:
        name: of the check, of the field of `FrameFound` and of `Limits`.
        bad: what is told of frames beyond the limit.
        good: what is told where none is.
        unit: what the number counts.
        least: the limit is the least that passes, not the most.
        once: one frame is a fault.
    """

    name: str
    bad: str
    good: str
    unit: str
    least: bool = False
    once: bool = False

    def is_beyond(self, value: float, limit: float) -> bool:
        """Whether a frame does not pass."""
        return value < limit if self.least else value > limit


RULES = (
    Rule(
        "detail",
        "part of the fill is softer than anything that surrounds it",
        "the fill is as detailed as what surrounds it",
        "of the least detail there",
        least=True,
    ),
    Rule(
        "outline",
        "a line or step follows the matte's edge, as what is left of an object does",
        "no line or step follows the matte's edge",
        "times those beside it",
    ),
    Rule(
        "intruder",
        "something shows that neither the frame before nor the one after has",
        "nothing comes for a single frame",
        "of the range from black to white",
        once=True,
    ),
    Rule(
        "swim",
        "the fill's texture does not go along with the motion",
        "the fill's texture goes along with the motion",
        "of it, beyond what is so around it",
    ),
)


def judge_frames(found: Sequence[FrameFound], limits: Limits) -> list[Check]:
    """Return a check for each of `RULES`."""
    return [_check(rule, found, getattr(limits, rule.name)) for rule in RULES]


def _check(rule: Rule, found: Sequence[FrameFound], limit: float) -> Check:
    known = {one.frame: value for one in found if math.isfinite(value := getattr(one, rule.name))}
    if not known:
        why = "nothing to measure: the matte is too small, or no frame has its neighbors"
        return Check(rule.name, "-", why, limit=limit)
    ranked = sorted(known, key=lambda frame: known[frame], reverse=not rule.least)
    worst, shown = known[ranked[0]], tuple(ranked[:SHOWN_FRAMES])
    bound = f"({'at least' if rule.least else 'limit'} {limit:g})"
    beyond = sorted(frame for frame in known if rule.is_beyond(known[frame], limit))
    if not beyond:
        words = f"{rule.good}; nearest to it frame {ranked[0]}: {worst:.2f} {rule.unit} {bound}"
        return Check(rule.name, "ok", words, worst, shown, limit)
    where = f"on {len(beyond)} of {len(known)} frames ({compact(beyond)})"
    where += f", worst on {ranked[0]}" if len(beyond) > 1 else ""
    words = f"{rule.bad}: {where}: {worst:.2f} {rule.unit} {bound}"
    many = rule.once or len(beyond) > max(1, FAULT_SHARE * len(known))
    frames = tuple(frame for frame in ranked if frame in set(beyond))
    return Check(rule.name, "FAULT" if many else "look", words, worst, frames, limit)
