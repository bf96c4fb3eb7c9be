"""What the core finds to look at, in sentences, each with the frame of the timeline to go to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_NUMBERS = r"\d+(?:-\d+)?(?:(?:, | and )\d+(?:-\d+)?)*"
_FRAMES = re.compile(
    rf"(?:\bframes? (?:from )?\(?|\bworst on |\bmissing: |\bused: |\binfinite on ){_NUMBERS}"
)
"""Frame numbers as the core's sentences and its checks write them."""

_HEADS = {"FAULT": "Fault", "look": "Worth a look"}
"""What a check's verdict is called, the worse first."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes:
        text: a sentence.
        frame: of the timeline; None where it names none.
    """

    text: str
    frame: int | None = None


def in_timeline(text: str, shift: int) -> str:
    """Return a sentence of the core's with `shift` added to the frame numbers in it."""

    def moved(found: re.Match[str]) -> str:
        return re.sub(r"\d+", lambda number: str(int(number[0]) + shift), found[0])

    return _FRAMES.sub(moved, text)


def warned(message: str, shift: int) -> Finding:
    """Return a warning of the core's; its frame is the first that it names."""
    named = _FRAMES.search(message)
    first = re.search(r"\d+", named[0]) if named else None
    return Finding(in_timeline(message, shift), int(first[0]) + shift if first else None)


def found(report: dict[str, Any], shift: int) -> list[Finding]:
    """Return what `cleanplate qc --json` reports, faults first."""
    return list(_found(report, shift))


def _found(report: dict[str, Any], shift: int) -> Iterator[Finding]:
    for verdict, head in _HEADS.items():
        for check in report["checks"]:
            if check["verdict"] == verdict:
                told = in_timeline(check["found"], shift).rstrip(".")
                first = check["frames"][0] + shift if check["frames"] else None
                yield Finding(f"{head}: {check['name']}: {told}.", first)
