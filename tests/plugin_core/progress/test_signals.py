"""A signal is answered at once in every phase, and a second one ends the process whatever it computes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ..shots import leftovers, make_shot

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]

SOON = 60.0
"""Seconds; on an idle machine all is over in one, the network's step would take minutes."""


class Command:
    """A render with a slow phase, and when its error stream said what."""

    def __init__(self, phase: str, arguments: list[str], events: Path) -> None:
        self._events = events
        command = [sys.executable, "-m", "tests.plugin_core.progress.slowed", phase, *arguments]
        self._process = subprocess.Popen(
            [*command, "--progress-file", str(events)], text=True, stderr=subprocess.PIPE
        )
        self._lines: list[tuple[float, str]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append((time.monotonic(), line.strip()))

    def wait_for(self, phase: str) -> None:
        end = time.monotonic() + 120
        while f'"{phase}"' not in (self._events.read_text("utf-8") if self._events.exists() else ""):
            assert time.monotonic() < end and self._process.poll() is None, self._lines
            time.sleep(0.02)

    def wait_to_hear(self, words: str) -> None:
        end = time.monotonic() + 120
        while not any(words in line for _, line in self._lines):
            assert time.monotonic() < end and self._process.poll() is None, self._lines
            time.sleep(0.02)

    def signal(self, number: int) -> float:
        self._process.send_signal(number)
        return time.monotonic()

    def answered(self, since: float) -> str:
        while not (later := [line for at, line in self._lines if at >= since]):
            assert time.monotonic() - since < SOON, "nothing was said"
            time.sleep(0.01)
        return later[0]

    def end(self) -> tuple[int, str]:
        code = self._process.wait(SOON)
        self._reader.join()
        return code, self._lines[-1][1]


def test_every_phase_is_left_soon_and_the_network_at_the_second_signal(tmp_path, bundle_512):
    shot = make_shot(tmp_path, 1, 12)
    running = {}
    for phase in ("mattes", "plates", "searching", "filling"):
        more = ["--propagate", "0" if phase == "filling" else "4", "--model", str(bundle_512)]
        arguments = [*shot.arguments(phase, *more), "--progress", "none"]
        running[phase] = Command(phase, arguments, tmp_path / f"{phase}.jsonl")
    said = {"mattes": "Stopped while reading mattes", "plates": "--resume", "searching": "--resume"}
    for number, (phase, words) in zip(
        (signal.SIGINT, signal.SIGTERM, signal.SIGINT), said.items(), strict=True
    ):
        command = running[phase]
        command.wait_for(phase)
        line = command.answered(command.signal(number))
        assert line.startswith("cleanplate: stopping…; ")
        code, last = command.end()
        assert code == 128 + number and words in last
        told = [json.loads(line) for line in (tmp_path / f"{phase}.jsonl").read_text("utf-8").splitlines()]
        assert told[-1]["event"] == "error" and told[-1]["exit_code"] == code
    network = running["filling"]
    network.wait_for("filling")
    network.wait_to_hear("computing")
    assert "press Ctrl-C again" in network.answered(network.signal(signal.SIGINT))
    network.signal(signal.SIGTERM)
    code, last = network.end()
    assert code == 130, "the first signal's"
    assert last == "cleanplate: Stopped at once; go on with --resume from the last saved state."
    assert leftovers(shot.folder) == []
