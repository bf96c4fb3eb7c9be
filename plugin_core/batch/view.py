"""A batch while it runs: a live table for people, lines for logs, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from ..progress.terminal import say, shown
from .state import Progress, ShotProgress

if TYPE_CHECKING:
    from rich.console import Group

LINE_SECONDS = 30.0
"""How often a log gets a line of what is at work."""

_COLORS = {
    Progress.WAITING: "dim",
    Progress.RENDERING: "cyan",
    Progress.DONE: "green",
    Progress.FAILED: "bold red",
    Progress.STOPPED: "yellow",
}


class LiveTable:
    """Shot, frames, frames per second, time left and state, redrawn in place."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream)
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="visible")
        self._shots: Sequence[ShotProgress] = ()

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shots:
            # All of them, and why: what was printed above has scrolled away by now.
            self._live.update(table(self._shots, len(self._shots), reasons=True), refresh=True)
        self._live.stop()

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Draw the table."""
        self._shots = shots
        self._live.update(table(shots, max(4, self._console.height - 6)), refresh=True)

    def ended(self, shot: ShotProgress) -> None:
        """Leave a failure's message above the table, where it stays."""
        if shot.message:
            self._print(f"{shot.name}: {shot.message}")

    def warned(self, shot: ShotProgress, message: str) -> None:
        """Leave a warning above the table."""
        self._print(f"{shot.name}: warning: {message}")

    def _print(self, line: str) -> None:
        self._console.print(shown(line), markup=False, highlight=False)


def table(shots: Sequence[ShotProgress], rows: int, *, reasons: bool = False) -> Group:
    """Return the table of the shots that matter most now: at work, failed, then next, then done.

    Args:
        shots: all there are.
        rows: most rows.
        reasons: add a column that says why a shot failed or stopped, where one did.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    drawn = Table("shot", box=None, pad_edge=False)
    for title in ("frames", "fps", "time", "left", "state"):
        drawn.add_column(title, justify="left" if title == "state" else "right")
    told = reasons and any(shot.message for shot in shots)
    if told:
        drawn.add_column("why", ratio=1, overflow="fold")
    order = [Progress.RENDERING, Progress.FAILED, Progress.STOPPED, Progress.WAITING, Progress.DONE]
    chosen = {id(shot) for shot in sorted(shots, key=lambda shot: order.index(shot.state))[:rows]}
    for shot in shots:
        if id(shot) in chosen:
            drawn.add_row(
                Text(shown(shot.name)),
                f"{shot.done}/{shot.total or '?'}",
                f"{shot.frames_per_second:.2f}" if shot.rendered else "",
                clock(shot.seconds or None),
                clock(shot.seconds_left),
                Text(shown(shot.doing or shot.state), style=_COLORS[shot.state]),
                *([Text(shown(shot.message))] if told else []),
            )
    return Group(drawn, Text(caption(shots)))


class _Stream:
    """A view that only prints: nothing to open or close."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Lines(_Stream):
    """A line for each shot that ended, and now and then one for those at work."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._said = time.monotonic()

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Say what is at work, if nothing was said for a while."""
        if time.monotonic() - self._said >= LINE_SECONDS:
            at_work = [shot for shot in shots if shot.state is Progress.RENDERING]
            self._say(
                caption(shots)
                + "; "
                + ", ".join(f"{s.name} {s.done}/{s.total} {s.doing}".rstrip() for s in at_work)
            )

    def ended(self, shot: ShotProgress) -> None:
        """Say how a shot ended."""
        about = shot.message or f"{shot.rendered} frames in {shot.seconds:.1f} s"
        self._say(f"{shot.name}  {shot.state}  {shot.done}/{shot.total}  {about}")

    def warned(self, shot: ShotProgress, message: str) -> None:
        """Say what looks wrong."""
        self._say(f"{shot.name}  warning: {message}")

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        say(line, stream=self._stream)


class Failures(Lines):
    """A line for each shot that did not end well."""

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Nothing: what goes well is not told."""

    def ended(self, shot: ShotProgress) -> None:
        """Say why a shot failed."""
        if shot.exit_code:
            super().ended(shot)


class JsonView(_Stream):
    """A JSON line whenever a shot's state, frames or phase change, and for what looks wrong with one."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._told: dict[str, tuple[Progress, int, str]] = {}

    def show(self, shots: Sequence[ShotProgress]) -> None:
        """Tell what has changed."""
        for shot in shots:
            if self._told.get(shot.name, (Progress.WAITING, 0, "")) != (shot.state, shot.done, shot.doing):
                self._tell(shot)

    def ended(self, shot: ShotProgress) -> None:
        """Told by `show`, which always follows."""

    def warned(self, shot: ShotProgress, message: str) -> None:
        """Tell what looks wrong."""
        about = {"event": "warning", "shot": shot.name, "message": message}
        say(json.dumps(about, ensure_ascii=False), stream=self._stream)

    def _tell(self, shot: ShotProgress) -> None:
        self._told[shot.name] = (shot.state, shot.done, shot.doing)
        about = {"event": "shot", "shot": shot.name, "state": str(shot.state), "done": shot.done}
        about |= {"total": shot.total, "eta": shot.seconds_left and round(shot.seconds_left, 1)}
        if shot.doing:
            about |= {"doing": shot.doing}
        if shot.exit_code:
            about |= {"exit_code": shot.exit_code, "message": shot.message}
        say(json.dumps(about, ensure_ascii=False), stream=self._stream)


def choose_view(style: str) -> LiveTable | Lines | JsonView:
    """Return the view for ``--progress auto|bar|lines|json|none``; auto is a table on a terminal.

    ``bar`` is the table, and ``none`` tells of nothing but shots that fail.
    """
    if style == "json":
        return JsonView(sys.stdout)
    if style == "bar" or (style == "auto" and sys.stderr.isatty()):
        return LiveTable(sys.stderr)
    return Failures(sys.stderr) if style == "none" else Lines(sys.stderr)


def caption(shots: Sequence[ShotProgress]) -> str:
    """Return how the whole batch stands, in one line."""
    counts = ((state, sum(shot.state is state for shot in shots)) for state in Progress)
    told = ", ".join(f"{count} {state}" for state, count in counts if count)
    done, total = sum(shot.done for shot in shots), sum(shot.total for shot in shots)
    return f"{len(shots)} shots: {told}; {done}/{total} frames"


def clock(seconds: float | None) -> str:
    """Return a duration as minutes and seconds, or hours; empty for an unknown one."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
