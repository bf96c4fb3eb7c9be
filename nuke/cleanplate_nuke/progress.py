"""Progress of the core: Nuke's own meter where there is a window, one line a frame where there is none."""

from __future__ import annotations

import contextlib
import sys
from typing import Iterator

import nuke

from .core import Event


class Progress:
    """Shows a render's progress; may be used from any thread.

    Args:
        task: Nuke's meter, or None to print lines.
        name: of what is rendered.
    """

    def __init__(self, task: nuke.ProgressTask | None, name: str) -> None:
        self._task = task
        self._name = name
        self._printed = ""

    def say(self, text: str) -> None:
        """Show a text."""
        if self._task is not None:
            self._task.setMessage(text)

    def phase(self, event: Event, view: str) -> None:
        """Show what the core is at before and between frames, and how much of it is done."""
        what, done, total = str(event["what"]), int(event["done"]), int(event["total"])
        text = (view + " " if view else "") + what + (f" {done}/{total}" if total else "")
        if self._task is not None:
            self._task.setMessage(text)
        elif what != self._printed:
            print(f"{self._name}: {text}")
            sys.stdout.flush()
        self._printed = what

    def frame(self, event: Event, planned: Event, view: str) -> None:
        """Show a filled frame: which, how fast, how long it still takes."""
        left = float(event["eta"])
        pace = (event["total"] - event["done"]) / left if left else 1 / max(float(event["seconds"]), 1e-3)
        text = "{}frame {}, {:.1f} fps, {} left".format(
            view + " " if view else "", event["frame"], pace, clock(left)
        )
        if self._task is not None:
            self._task.setMessage(text)
            self._task.setProgress(int(100 * event["done"] / event["total"]))
        else:
            print("{}: {}/{} {}".format(self._name, event["done"], event["total"], text))
            sys.stdout.flush()

    def is_cancelled(self) -> bool:
        """Whether the user pressed the meter's Cancel."""
        return self._task is not None and bool(self._task.isCancelled())


@contextlib.contextmanager
def open_progress(name: str) -> Iterator[Progress]:
    """Open the meter while the block runs; Nuke closes it when its object goes."""
    task = nuke.ProgressTask("Cleanplate " + name) if nuke.GUI else None
    progress = Progress(task, name)
    try:
        yield progress
    finally:
        progress._task = None
        del task


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds, or hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
