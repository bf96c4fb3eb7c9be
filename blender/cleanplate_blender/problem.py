"""What goes wrong, in one sentence that can be shown to an artist."""

from __future__ import annotations

from pathlib import Path


class InpaintError(RuntimeError):
    """A strip can't be inpainted.

    Attributes:
        log: the log that says more; None where there is none.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


class Cancelled(InpaintError):  # noqa: N818 - it was asked for, it is no failure
    """The user stopped it; what was rendered is kept."""
