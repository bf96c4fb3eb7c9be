"""What goes wrong, in one sentence that can be shown to an artist."""

from __future__ import annotations


class InpaintError(RuntimeError):
    """A node can't be rendered.

    Attributes:
        log: path of the log that says more; None where there is none yet.
    """

    def __init__(self, message: str, log: str | None = None) -> None:
        super().__init__(message if log is None else f"{message}\nLog: {log}")
        self.log = log


class Cancelled(InpaintError):  # noqa: N818 - it was asked for, it is no failure
    """The user stopped it; what was rendered is kept."""
