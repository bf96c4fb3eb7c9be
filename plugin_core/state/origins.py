"""Where a hole's pixels came from: how many of a frame's were found, painted, or are the network's guess.

Each stage that finds pixels names its own class; what none of them gave is `GUESSED`. A pixel that is a
mixture counts in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..clips.sequence import compact
from ..patch import Patch
from ..regions.hole import Hole

Origins = Mapping[str, int]
"""Pixels of a hole by class."""

GUESSED = "guessed"
LEFT = "left"
"""What the network filled, and what was left as the plate has it because nothing may be painted."""

_WORDS = {
    "referenced": "from reference frames",
    "found": "found in other frames",
    "painted": "painted",
    GUESSED: "guessed by the network",
    LEFT: "left as the plate has it",
}
"""How a class is told; one without a line here is told by its name."""


def counted(hole: Hole, patch: Patch | None, rest: str = GUESSED) -> dict[str, int]:
    """Return how many pixels of a frame's hole come from where; together they are all that it has.

    Args:
        hole: the frame's.
        patch: what was found for it.
        rest: the class of what was not.
    """
    inside = hole.alpha > 0
    pixels = int(inside.sum())
    origins = {} if patch is None else patch.origins
    counts = {name: round(float(share[inside].sum(dtype=float))) for name, share in origins.items()}
    counts = {name: count for name, count in counts.items() if count > 0}
    return {**counts, rest: max(0, pixels - sum(counts.values()))}


def total(frames: Iterable[Origins]) -> dict[str, int]:
    """Return the pixels of all frames by class, those that were guessed last."""
    sums: dict[str, int] = {}
    for frame in frames:
        for name, count in frame.items():
            sums[name] = sums.get(name, 0) + count
    last = GUESSED, LEFT
    return {name: sums[name] for name in sorted(sums, key=lambda name: (name in last, -sums[name]))}


def shares(origins: Origins) -> dict[str, float]:
    """Return parts of the whole, 0..1, by class; empty where there is no hole."""
    pixels = sum(origins.values())
    return {name: count / pixels for name, count in origins.items()} if pixels else {}


def in_words(frames: Mapping[int, Origins]) -> str:
    """Return one clause for a shot: `62 % found in other frames, 38 % guessed by the network (...)`.

    Args:
        frames: by number; those without a hole may be left out.

    Returns:
        Names the frames of which more than half was guessed or left, unless that is all of them; empty for no
        hole.
    """
    told = shares(total(frames.values()))
    if not told:
        return ""
    words = ", ".join(
        f"{share:.0%} {_WORDS.get(name, name)}".replace("%", " %") for name, share in told.items()
    )
    mostly = sorted(number for number, one in frames.items() if _unknown(one) > 0.5)
    there = sum(1 for one in frames.values() if shares(one))
    if 0 < len(mostly) < there:
        words += f" (more than half on {'frame' if len(mostly) == 1 else 'frames'} {compact(mostly)})"
    return words


def _unknown(origins: Origins) -> float:
    """Return the share of a hole of which nothing was known."""
    parts = shares(origins)
    return parts.get(GUESSED, 0) + parts.get(LEFT, 0)
