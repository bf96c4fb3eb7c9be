"""A progress bar for people, in one line: what is being done, how much of it, and for how much longer."""

from __future__ import annotations

import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from .terminal import shown
from .text import Event, plain
from .watch import Phase


class Bar:
    """A spinner, the phase or the frame, a bar of it, frames per second, time elapsed and time left.

    Goes when it is over; what stays is a line with the output and the time taken.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[doing]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            _Times(),
            console=self._console,
            refresh_per_second=5,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, doing="", count="", eta=None)
        self._frames = self._started = False

    def report(self, event: Event) -> None:
        """Move the bar."""
        kind = event["event"]
        if kind == "phase":
            self._frames = self._frames and event["phase"] != Phase.DELIVERING
            self._show(shown(event["what"]), event["done"], event["total"], count=event["total"] > 0)
        elif kind == "start":
            self._show(f"frames {event['first']}-{event['last']}", event["done"], event["total"])
        elif kind == "frame":
            self._frames = True
            pace = f"{1 / max(event['seconds'], 1e-3):.2f} fps"
            self._progress.update(self._task, eta=time.monotonic() + event["eta"])
            self._show(f"frame {event['frame']}", event["done"], event["total"], pace)
        elif kind in ("note", "origins"):
            self._console.print(shown(plain(event)), markup=False, highlight=False)
        elif kind == "done":
            self.close()
            self._console.print(shown(plain(event)), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._started:
            self._progress.stop()
            self._started = False

    def _show(self, doing: str, done: int, total: int, more: str = "", *, count: bool = True) -> None:
        if self._frames and not doing.startswith("frame"):
            # Frames are what the bar counts once they come; what goes on beside them is only named.
            self._progress.update(self._task, doing=doing)
            return
        told = f"{done}/{total}  {more}" if count else more
        self._progress.update(self._task, doing=doing, count=told)
        task = self._progress.tasks[0]
        # Not by `update`, which would end the task, spinner and all, with its first phase.
        task.completed, task.total = done, total if count else None
        if not self._started:
            self._progress.start()
            self._started = True


class _Times(ProgressColumn):
    """The time since the bar was made, and the time left, counted down between two frames."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def render(self, task: Task) -> Text:
        """Return both; no time left while nobody knows it."""
        now, eta = time.monotonic(), task.fields["eta"]
        elapsed = _clock(now - self._began)
        return Text(elapsed if eta is None else f"{elapsed}, {_clock(max(0.0, eta - now))} left")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
