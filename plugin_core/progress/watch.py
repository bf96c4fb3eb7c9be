"""What is called while something takes long: it tells how that gets on, and stops it.

Whatever may take longer than a second is given a `Watch` and calls it in its innermost long loop, several
times a second where it can: with the `Phase`, how much of it is done and how much there is, or with nothing
where there is nothing to tell of. The call is cheap: whoever is told thins it out. It raises where a stop is
asked for: let it through, and leave nothing half-written behind.

A new phase is a line in `Phase` and one in `DOING`. Every reporter, farm dialect and host shows it from there
by its words and its count; nothing else has to know of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """What a command is at, as machines read it."""

    FRAMES = "frames"
    MODEL = "model"
    MATTES = "mattes"
    COMPARING = "comparing"
    PLATES = "plates"
    PAINTING = "painting"
    SEARCHING = "searching"
    FILLING = "filling"
    DELIVERING = "delivering"
    CLEANING = "cleaning"
    CUTS = "cuts"
    EDGES = "edges"
    TIMING = "timing"
    TRYING = "trying"
    REACHING = "reaching"
    REFERENCES = "references"


DOING = {
    Phase.FRAMES: "looking for frames",
    Phase.MODEL: "opening the model",
    Phase.MATTES: "reading mattes",
    Phase.COMPARING: "comparing with what is there",
    Phase.PLATES: "looking at plates",
    Phase.PAINTING: "painting key frames",
    Phase.SEARCHING: "searching in other frames",
    Phase.FILLING: "filling",
    Phase.DELIVERING: "making the movie",
    Phase.CLEANING: "rendering the clean plate",
    Phase.CUTS: "looking for cuts",
    Phase.EDGES: "looking at the matte's edge",
    Phase.TIMING: "timing a few frames",
    Phase.TRYING: "trying frames",
    Phase.REFERENCES: "reading reference frames",
    Phase.REACHING: "looking how far references reach",
}
"""The same for people."""


class Watch(Protocol):
    """Called again and again while something takes long; raises to stop it."""

    def __call__(self, phase: Phase | None = None, done: int = 0, total: int = 0) -> None:
        """Take note.

        Args:
            phase: what is being done; None for nothing to tell of.
            done, total: how much of it; 0 of 0 where that is not known.

        Raises:
            Interrupted: a stop was asked for.
        """
        ...


def unwatched(phase: Phase | None = None, done: int = 0, total: int = 0) -> None:
    """Do nothing; a `Watch`."""


def counted(phase: Phase, done: int, total: int) -> str:
    """Return a phase and its count for people: ``reading mattes 12/90``."""
    return f"{DOING[phase]} {done}/{total}" if total else DOING[phase]
