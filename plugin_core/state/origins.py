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
ENTERED = "entered"
LEFT = "left"
"""What the network filled; of this, what paint left to it because something enters the hole there; and what
was left as the plate has it because nothing may be painted."""

_TOLD = 0.02
"""Less than this share of a frame's hole is not worth a class of its own."""

_WORDS = {
    "referenced": "from reference frames",
    "found": "found in other frames",
    "painted": "painted",
    ENTERED: "left to the network where something enters the hole",
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
    unknown = max(0, pixels - sum(counts.values()))
    if patch is not None and patch.entered is not None and rest == GUESSED:
        entered = min(unknown, round(float(patch.entered[inside].sum(dtype=float))))
        if entered >= _TOLD * pixels:
            counts[ENTERED] = entered
            unknown -= entered
    return {**counts, rest: unknown}


def total(frames: Iterable[Origins]) -> dict[str, int]:
    """Return the pixels of all frames by class, those that were guessed last."""
    sums: dict[str, int] = {}
    for frame in frames:
        for name, count in frame.items():
            sums[name] = sums.get(name, 0) + count
    last = ENTERED, GUESSED, LEFT
    place = {name: number for number, name in enumerate(last, 1)}
    return {name: sums[name] for name in sorted(sums, key=lambda name: (place.get(name, 0), -sums[name]))}


def shares(origins: Origins) -> dict[str, float]:
    """Return parts of the whole, 0..1, by class; empty where there is no hole."""
    pixels = sum(origins.values())
    return {name: count / pixels for name, count in origins.items()} if pixels else {}


def in_words(frames: Mapping[int, Origins]) -> str:
    """Return one clause for a shot: `62 % found in other frames, 38 % guessed by the network (...)`.

    Args:
        frames: by number; those without a hole may be left out.

    Returns:
        Names the frames that something enters, and those of which more than half was guessed or left, unless
        that is all of them; empty for no hole.
    """
    told = shares(total(frames.values()))
    if not told:
        return ""
    entered = sorted(number for number, one in frames.items() if one.get(ENTERED))
    words = ", ".join(
        f"{share:.0%} {_WORDS.get(name, name)}".replace("%", " %")
        + (f" ({_on(entered)})" if name == ENTERED else "")
        for name, share in told.items()
    )
    mostly = sorted(number for number, one in frames.items() if _unknown(one) > 0.5)
    there = sum(1 for one in frames.values() if shares(one))
    if 0 < len(mostly) < there:
        words += f" (more than half on {_on(mostly)})"
    return words


def _on(frames: list[int]) -> str:
    return f"{'frame' if len(frames) == 1 else 'frames'} {compact(frames)}"


def _unknown(origins: Origins) -> float:
    """Return the share of a hole of which nothing was known."""
    parts = shares(origins)
    return sum(parts.get(name, 0) for name in (ENTERED, GUESSED, LEFT))
