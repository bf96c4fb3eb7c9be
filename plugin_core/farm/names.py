"""Names that no two things of a job share, on any file system and in any engine."""

from __future__ import annotations

_DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
"""What Windows takes for a device, whatever ends the file's name."""


class Names:
    """Gives every name out once.

    Upper and lower case are alike to some file systems and to OpenCue, and OpenCue takes a dash for an
    underscore: names that differ in no more than these are one name here. Who asks first gets what he wants,
    later ones get a number behind it.

    Args:
        shortest, longest: letters of a name.
    """

    def __init__(self, shortest: int = 1, longest: int = 160) -> None:
        self._shortest = shortest
        self._longest = longest
        self._given: set[str] = set()
        self._numbers: dict[str, int] = {}

    def give(self, wanted: str) -> str:
        """Return `wanted`, or the name nearest to it that is free."""
        if wanted.casefold().partition(".")[0] in _DEVICES:
            wanted = f"shot_{wanted}"
        wanted = wanted.ljust(self._shortest, "_")[: self._longest]
        name, number = wanted, self._numbers.get(_alike(wanted), 1)
        while _alike(name) in self._given:
            number += 1
            end = f"_{number}"
            name = f"{wanted[: self._longest - len(end)]}{end}"
        self._numbers[_alike(wanted)] = number
        self._given.add(_alike(name))
        return name


def _alike(name: str) -> str:
    return name.casefold().replace("-", "_")
