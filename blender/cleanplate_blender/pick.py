"""Which of two strips is the plate, and which the matte."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MATTE = re.compile(r"(?<![a-z])(mattes?|masks?|roto(?:scope)?|alpha|holdout|key|keyed|m)(?![a-z])", re.I)
_PLATE = re.compile(r"(?<![a-z])(plates?|bg|background|src|source|beauty|footage|scan)(?![a-z])", re.I)


@dataclass(frozen=True)
class Candidate:
    """A strip that may be plate or matte.

    Attributes:
        name: the strip's.
        kind: its type, as Blender calls it.
        file: name of its file or folder; empty where it has none.
        gray: whether its file has one channel only.
        channel: its channel in the sequencer.
    """

    name: str
    kind: str
    file: str = ""
    gray: bool = False
    channel: int = 1


def tell_apart(one: Candidate, other: Candidate) -> tuple[Candidate, Candidate]:
    """Return plate and matte.

    A mask strip is the matte, else names decide, then a picture without color; where nothing tells, the matte
    is the upper strip.
    """
    plate, matte = sorted((one, other), key=lambda strip: (_matteness(strip), strip.channel, strip.name))
    return plate, matte


def _matteness(strip: Candidate) -> int:
    score = 8 if strip.kind == "MASK" else 0
    for text, weight in ((strip.name, 4), (strip.file, 3)):
        score += weight * (bool(_MATTE.search(text)) - bool(_PLATE.search(text)))
    return score + 2 * strip.gray
