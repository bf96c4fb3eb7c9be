"""The real command: in a process of its own, to be signalled and killed, or here, to end well."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plugin_core.cli import main
from tests.held import Held

from .shots import ShotOnDisk

TIMEOUT = 240


class Told:
    """What a `cleanplate render` of a small shot tells in its progress file.

    Attributes:
        arguments: the command's, with a file for its progress.
    """

    def __init__(self, shot: ShotOnDisk, bundle: Path, name: str, *options: str) -> None:
        self._events = shot.folder / f"{name}.events.jsonl"
        self._events.unlink(missing_ok=True)
        progress = "--progress-file", str(self._events)
        self.arguments = shot.arguments(name, "--model", str(bundle), *progress, *options)

    def events(self) -> list[dict]:
        """What was told so far; a line that is being written does not count."""
        if not self._events.exists():
            return []
        return [
            json.loads(line) for line in self._events.read_text("utf-8").splitlines(True) if line[-1:] == "\n"
        ]

    def frames(self) -> list[int]:
        return [event["frame"] for event in self.events() if event["event"] == "frame"]


class Render(Told):
    """`cleanplate render` of a small shot, running in a process of its own; held before frame `hold`."""

    def __init__(
        self, shot: ShotOnDisk, bundle: Path, name: str, *options: str, hold: int = 0, **pipes: object
    ) -> None:
        super().__init__(shot, bundle, name, *options)
        command = [sys.executable, "-m", "plugin_core.cli", *self.arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
        self.held = Held(Path(tempfile.mkdtemp(dir=shot.folder)), f"*/{shot.written(hold, name).name}")
        environ = self.held.environ() if hold else None
        self.process = subprocess.Popen(command, text=True, env=environ, **streams)
        if hold:
            self.held.wait(self.process)

    def wait_for_frames(self, count: int) -> None:
        """Return once so many frames are written, or the process has ended."""
        self._wait(lambda: len(self.frames()) >= count)

    def wait_for_signal_handler(self, number: int) -> None:
        """Return once the process handles a signal itself (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status")

        def handles() -> bool:
            lines = (line.split() for line in status.read_text().splitlines())
            caught = next((int(words[1], 16) for words in lines if words[0] == "SigCgt:"), 0)
            return bool(caught >> (number - 1) & 1)

        self._wait(handles)

    def _wait(self, ready) -> None:
        end = time.monotonic() + TIMEOUT
        while self.process.poll() is None and not ready():
            assert time.monotonic() < end, "the render does not get on"
            time.sleep(0.005)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end; returns the exit code and what was written to stderr."""
        _, err = self.process.communicate(timeout=TIMEOUT)
        assert "Traceback" not in err and "Exception ignored" not in err, err
        return self.process.returncode, err


def render(shot: ShotOnDisk, bundle: Path, name: str, *options: str) -> Told:
    """Render to the end, which must be a good one; in this process, which has everything loaded."""
    told = Told(shot, bundle, name, *options)
    assert main(told.arguments) == 0, told.events()[-1:]
    return told
