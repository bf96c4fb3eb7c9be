"""What was found of a shot as sentences, the worst first, each with the frames to look at."""

from __future__ import annotations

import math
from typing import Any

from ..qc.report import Check, Limits, Report

_URGENT = ("FAULT", "look")
_AROUND_FRAMES = 12
_LONGEST_LOOP = 96

MEASURES: dict[str, tuple[str, bool, str]] = {
    "seam": ("Seam", False, "step across the matte's edge, times that around it"),
    "flicker": ("Flicker", False, "change beyond motion, times that around it"),
    "detail": ("Detail", True, "the softest part's detail, times the least around it"),
    "outline": ("Outline", False, "lines along the matte's edge, times those beside it"),
    "intruder": ("Intruder", False, "what shows for a single frame, 0 to 1"),
    "swim": ("Swim", False, "texture that follows no motion, beyond that around it"),
}
"""Measures that are plotted: title, whether the limit is the least that passes, what the number is."""


def faults(report: Report) -> list[dict[str, Any]]:
    """Return the checks that found something: name, verdict, sentence, frames (worst first), loop range."""
    bad = [check for check in report.checks if check.verdict in _URGENT]
    bad.sort(key=lambda check: (_URGENT.index(check.verdict), -_excess(check)))
    shown = [found.frame for found in report.frames]
    return [
        {
            "name": check.name,
            "verdict": check.verdict,
            "sentence": check.found,
            "frames": list(check.frames),
            "loop": _loop(check.frames, shown),
        }
        for check in bad
    ]


def limits_of(limits: Limits) -> dict[str, float]:
    """Return the limit of each measure that is plotted."""
    return {name: float(getattr(limits, name)) for name in MEASURES}


def _excess(check: Check) -> float:
    """How many times a value is beyond its limit; what has none, such as a missing frame, comes first."""
    if math.isnan(check.limit) or math.isnan(check.value):
        return math.inf
    ratio = check.value / check.limit if check.limit else math.inf
    return max(ratio, 1 / ratio if ratio > 0 else math.inf)


def _loop(frames: tuple[int, ...], shown: list[int]) -> list[int]:
    """Return the range to loop over: all flagged frames, or those around the worst where they are many."""
    if not frames:
        return []
    first, last = min(frames), max(frames)
    if last - first > _LONGEST_LOOP:
        first = last = frames[0]
    if last - first < _AROUND_FRAMES:
        first, last = first - _AROUND_FRAMES // 2, last + _AROUND_FRAMES // 2
    return [max(first, shown[0]), min(last, shown[-1])]
