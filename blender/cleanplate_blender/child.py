"""A process that this Blender starts, and that never outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .problem import InpaintError


class Child:
    """A started process. What it says is appended to a log.

    Args:
        words: the command.
        env: its environment; None for this one's.
        log: file for its error stream, and for its output unless `output` is given.
        output: file for its output, which is emptied first.
        own_group: whether it gets a process group of its own: a Ctrl-C in the terminal that Blender was
            started from does not reach it then. On a farm it must: the engine ends the task by its group.
    """

    def __init__(
        self, words: list[str], env: dict[str, str] | None, log: Path, output: Path | None, own_group: bool
    ) -> None:
        self.log = log
        self._own_group = own_group
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors, (output or Path(os.devnull)).open("wb") as out:
            errors.write(
                f"\n{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(words)}\n".encode("utf-8", "replace")
            )
            errors.flush()
            self._said = errors.tell()
            try:
                self._process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=errors if output is None else out,
                    stderr=errors,
                    env=env,
                    start_new_session=own_group and os.name == "posix",
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                raise InpaintError(f"{words[0]} can't be started: {error.strerror or error}.", log) from None

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it and all it has started, and wait until it has ended."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._kill()
        self._process.wait()

    def _kill(self) -> None:
        if sys.platform == "win32":
            end = ["taskkill", "/T", "/F", "/PID", str(self._process.pid)]
            subprocess.run(end, capture_output=True, check=False, timeout=30)
            self._process.kill()
        elif self._own_group:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def last_words(self) -> str:
        """Return the last line of its log, without its name before it."""
        with self.log.open("rb") as stream:
            stream.seek(self._said)
            lines = stream.read().decode("utf-8", "replace").splitlines()
        told = [line.strip() for line in lines if line.strip() and not line.startswith("{")]
        return told[-1].removeprefix("cleanplate: ") if told else ""
