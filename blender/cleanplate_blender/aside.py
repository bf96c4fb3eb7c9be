"""One call of the core beside Blender: a check, or pictures to look at. Polled as `job.Job` is.

Knows nothing of bpy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .child import Child
from .findings import Finding
from .problem import Cancelled, InpaintError


class Aside:
    """A call of `cleanplate` that prints JSON.

    Args:
        subject: the plate strip's name.
        text: what it is at, for the artist.
        words: the command.
        env: its environment.
        log: for what it says.
        own_group: see `Child`.
        also_fine: exit codes beside 0 that are no failure.

    Attributes:
        told: what it printed, once it has ended well.
        text, fraction, done, error, findings, newest: as of a `Job`.
    """

    def __init__(
        self,
        subject: str,
        text: str,
        words: list[str],
        env: dict[str, str],
        log: Path,
        *,
        own_group: bool,
        also_fine: tuple[int, ...] = (),
    ) -> None:
        self.subject = subject
        self.text = text
        self.log = log
        self.fraction = 0.0
        self.done = ""
        self.error: InpaintError | None = None
        self.findings: list[Finding] = []
        self.newest: Path | None = None
        self.told: dict[str, Any] = {}
        self._fine = (0, *also_fine)
        self._output = log.with_name("told.json")
        self._child = Child(words, env, log, self._output, own_group)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.done and self.error is None

    def poll(self) -> bool:
        """Look whether it has ended; returns whether it is still running."""
        code = self._child.exit_code()
        if self.running and code is not None:
            self._ended(code)
        return self.running

    def cancel(self) -> None:
        """Stop it at once: nothing is lost by that."""
        self.stop()

    def stop(self) -> None:
        """Stop at once, and wait until its process has ended."""
        if self.running:
            self._child.kill()
            self.error = Cancelled("Stopped.", self.log)

    def _ended(self, code: int) -> None:
        if code not in self._fine:
            why = self._child.last_words() or f"The core ended unexpectedly (exit code {code})."
            self.error = InpaintError(why, self.log)
            return
        try:
            self.told = json.loads(self._output.read_text("utf-8"))
        except (OSError, ValueError):
            self.error = InpaintError("The core did not say what it found.", self.log)
            return
        self.done = "Done."
