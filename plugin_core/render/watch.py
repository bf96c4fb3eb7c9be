"""What is called while something takes long."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Called every second or so while something takes long; may raise to stop it."""

    def __call__(self, what: str = "", done: int = 0, total: int = 0) -> None:
        """Take note.

        Args:
            what: is done, as "looking at plates"; empty for nothing to tell of.
            done, total: how much of it.
        """
        ...


def unwatched(what: str = "", done: int = 0, total: int = 0) -> None:
    """Do nothing; a `Watch`."""
