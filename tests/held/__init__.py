"""Programs that wait in the middle of their work, so that a kill or a signal is sure to meet them there."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

HELD_BY = "PYTHONPATH", "CLEANPLATE_TEST_HELD"
"""Variables of the environment, for a program whose other ones are not ours."""

_SECONDS = 240


class Held:
    """A moment that every program started with its `environ` waits at: before a file takes its name.

    Args:
        folder: for the marks by which this is told.
        pattern: of the file's path, such as ``*/sh010/out/clean.0003.exr``.
    """

    def __init__(self, folder: Path, pattern: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._held, self._go = folder / "held", folder / "go"
        self.hold()
        self._told = os.pathsep.join((pattern, str(folder)))

    def environ(self, *more: Held) -> dict[str, str]:
        """What a program is started with, to be held here and there."""
        told = os.pathsep.join(each._told for each in (self, *more))
        return {**os.environ, **dict(zip(HELD_BY, (str(Path(__file__).parent / "path"), told), strict=True))}

    def hold(self) -> None:
        """Let programs wait again; as it is at first."""
        self._held.unlink(missing_ok=True)
        self._go.unlink(missing_ok=True)

    def wait(self, process: subprocess.Popen | None = None) -> None:
        """Return once a program waits; fails when the process has ended without."""
        end = time.monotonic() + _SECONDS
        while not self._held.exists():
            assert process is None or process.poll() is None, "it ended before"
            assert time.monotonic() < end, "it does not get on"
            time.sleep(0.01)

    def go(self) -> None:
        """Let it go on, and all that come after it."""
        self._go.touch()
