"""Worker processes that share a batch's tasks."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import IO, Any

from ..job.job import Job
from ..progress.text import Event
from .state import Task

WORKER = (sys.executable, "-m", "plugin_core.cli", "worker", "--stop-at-eof")


@dataclass(frozen=True)
class Seat:
    """Where a worker runs.

    Attributes:
        device: `cpu` or `cuda:N`; given to jobs that leave theirs to `auto`.
        threads: processor threads, for jobs that name none.
    """

    device: str
    threads: int | None


@dataclass(frozen=True)
class Told:
    """What a worker told: an event, or None when its process has ended."""

    worker: PoolWorker
    event: Event | None


class PoolWorker:
    """One worker process.

    Attributes:
        task: what it is at.
        ready: whether its process has started up.
    """

    def __init__(self, seat: Seat, inbox: queue.SimpleQueue[Told]) -> None:
        self.task: Task | None = None
        self._seat = seat
        self._inbox = inbox
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            WORKER, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace"
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        self._last_words: deque[str] = deque(maxlen=5)
        self._listeners = [
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._last_words.extend, args=(self._process.stderr,), daemon=True),
        ]
        for listener in self._listeners:
            listener.start()

    def give(self, task: Task) -> None:
        """Begin a task."""
        self.task = task
        task.tries += 1
        task.shot.begin()
        job = self._seated(task.job, again=task.tries > 1)
        self._send({"id": task.name, "job": job.model_dump(mode="json", exclude_unset=True)})

    def dismiss(self) -> None:
        """Tell it to end: now, with its state saved, if it is at work."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self, patience_seconds: float) -> None:
        """Wait for its end, and kill it if it doesn't come."""
        self.dismiss()
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def died_of(self) -> str:
        """Say how its process ended."""
        code = self._process.wait()
        self._listeners[1].join(2)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = " ".join(line.strip() for line in self._last_words)
        return f"Its worker {how}{': ' + said if said else ''}."

    def _seated(self, job: Job, *, again: bool) -> Job:
        run = job.run
        update: dict[str, Any] = {"overwrite": False, "resume": True} if again else {}
        if run.device == "auto":
            update["device"] = self._seat.device
        if run.threads is None and self._seat.threads is not None:
            update["threads"] = self._seat.threads
        return job.model_copy(update={"run": run.model_copy(update=update)})

    def _send(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # A worker that has died is told of by its other pipe.
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            with contextlib.suppress(ValueError):
                self._inbox.put(Told(self, json.loads(line)))
        self._inbox.put(Told(self, None))


def seats(jobs: int | None, device: str, cores: int) -> list[Seat]:
    """Choose where the workers run: one for each card, else a few that share the processor.

    Args:
        jobs: how many workers; None for one a card, or one for every two cores.
        device: `auto`, `cpu`, or cards with commas between them.
        cores: of the processor.

    Raises:
        DeviceError: a device is unknown or not there.
    """
    from ..network.device import available_devices, parse_device

    if device == "auto":
        cards = [name for name in available_devices() if name.startswith("cuda:")]
    else:
        named = [parse_device(part.strip()) for part in device.split(",")]
        cards = [str(part) for part in named if part is not None and part.kind == "cuda"]
    if cards:
        return [Seat(cards[number % len(cards)], None) for number in range(jobs or len(cards))]
    count = jobs or max(1, cores // 2)
    return [Seat("cpu", max(1, cores // count))] * count
