"""Render many shots: tasks are handed to warm workers as these come free, and no shot stops another."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from ..errors import BatchError
from ..progress.stop import Stop
from .pool import PoolWorker, Seat, Told
from .state import Progress, ShotProgress, Task

TRIES = 2
"""How often a task is begun whose worker dies under it."""

_STOPPED = (130, 143)
_TICK_SECONDS = 0.25
_PATIENCE_SECONDS = 600.0


class View(Protocol):
    """Shows a batch while it runs."""

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Show how far it is; called several times a second."""
        ...

    def ended(self, shot: ShotProgress) -> None:
        """A shot has ended."""
        ...

    def warned(self, shot: ShotProgress, message: str) -> None:
        """Something looks wrong with a shot that is rendered all the same."""
        ...


class Batch:
    """A batch at work.

    Args:
        shots: every shot.
        tasks: what there is to do for them.
        places: where workers run.
        view: shows it.
        stop: asked for by signals; shots at work are stopped with their state saved.
    """

    def __init__(
        self,
        shots: Sequence[ShotProgress],
        tasks: Iterable[Task],
        places: Sequence[Seat],
        view: View,
        stop: Stop,
    ) -> None:
        self._shots = shots
        self._waiting = deque(tasks)
        self._places = places
        self._view = view
        self._stop = stop
        self._inbox: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._workers: dict[PoolWorker, Seat] = {}

    def run(self) -> None:
        """Work until every task has ended, or a stop was asked for and the workers have obeyed."""
        for shot in self._shots:
            if shot.state is Progress.FAILED:
                self._view.ended(shot)
        if self._stop.requested() is not None:
            self._send_home()
        try:
            for seat in self._places[: len(self._waiting)]:
                self._hire(seat)
            while self._workers:
                self._view.show(self._shots)
                self._hear()
                if self._stop.requested() is not None:
                    self._send_home()
        finally:
            for worker in self._workers:
                worker.dismiss()
            for worker in self._workers:
                worker.end(0 if self._stop.hurried else _PATIENCE_SECONDS)
            self._view.show(self._shots)

    def _hire(self, seat: Seat) -> None:
        worker = PoolWorker(seat, self._inbox)
        self._workers[worker] = seat
        self._feed(worker)

    def _feed(self, worker: PoolWorker) -> None:
        """Give a worker the next task, or its leave."""
        if self._waiting:
            worker.give(self._waiting.popleft())
        else:
            worker.task = None
            worker.dismiss()

    def _hear(self) -> None:
        """Act on what workers told, for a moment."""
        until = time.monotonic() + _TICK_SECONDS
        while (left := until - time.monotonic()) > 0 and self._workers:
            try:
                told = self._inbox.get(timeout=left)
            except queue.Empty:
                return
            self._act(told)

    def _act(self, told: Told) -> None:
        worker, event = told.worker, told.event
        if event is None:
            self._bury(worker)
            return
        task = worker.task
        if task is None or event.get("id") != task.name:
            return
        if event["event"] == "result":
            code = event["exit_code"]
            if code in _STOPPED:
                # One signal stopped them all, however each worker came to hear of it. Where there was none,
                # someone stopped the worker, not the batch: its end, which follows, tries again.
                code = self._stop.requested()
            if code is None:
                return
            self._end(task, code, event.get("message", ""))
            self._feed(worker)
        elif event["event"] == "note":
            if task.shot.is_warned(event):
                self._view.warned(task.shot, event["message"])
        else:
            task.shot.hear(task.name, event)

    def _bury(self, worker: PoolWorker) -> None:
        """A worker's process has ended; its task is tried again, by a new one."""
        seat, task = self._workers.pop(worker), worker.task
        if task is None:
            return
        if self._stop.requested() is not None:
            self._end(task, self._stop.requested() or 143, "Stopped at once; run the batch again to go on.")
        elif task.tries < TRIES:
            self._waiting.appendleft(task)
        else:
            self._end(task, 1, f"{worker.died_of()} It was tried {TRIES} times.")
        if self._waiting:
            self._hire(seat)

    def _send_home(self) -> None:
        """A stop was asked for: nothing new begins, and what is at work stops with its state saved."""
        code = self._stop.requested() or 130
        while self._waiting:
            self._end(self._waiting.popleft(), code, "The batch was stopped before it was its turn.")
        for worker in self._workers:
            worker.dismiss()
            if worker.task is not None:
                worker.task.shot.doing = "stopping"

    def _end(self, task: Task, exit_code: int, message: str) -> None:
        task.shot.end(exit_code, message)
        if task.shot.open_tasks == 0:
            self._view.ended(task.shot)


def exit_code_of(shots: Iterable[ShotProgress]) -> int:
    """Return the batch's exit code: 0, that of a stop, or `BatchError`'s."""
    codes = {shot.exit_code for shot in shots} - {0}
    if not codes:
        return 0
    stops = codes & set(_STOPPED)
    return max(stops) if stops else BatchError.exit_code
