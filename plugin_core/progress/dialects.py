"""What farm engines read from a task's output, in each engine's own words.

=========  ===============================  ==========================================
dialect    progress                         besides
=========  ===============================  ==========================================
openjd     ``openjd_progress: 42.0``        ``openjd_status: ...``, ``openjd_fail: ...``
deadline   ``Progress: 42%``                a plain line for each event
tractor    ``TR_PROGRESS 042%``             a plain line for each event
=========  ===============================  ==========================================

Sources: Open Job Description's "How jobs are run", Deadline's CommandLine plug-in, Tractor's commands.
"""

from __future__ import annotations

from collections.abc import Callable

from .text import Event, plain

_STOPPED = (130, 143)


def lines_of(dialect: str) -> Callable[[Event], list[str]]:
    """Return the function that turns an event into a dialect's lines."""
    return _LINES[dialect]


def _openjd(event: Event) -> list[str]:
    if event["event"] == "error":
        word = "openjd_status" if event["exit_code"] in _STOPPED else "openjd_fail"
        return [f"{word}: {event['message']}"]
    told = [f"openjd_status: {line}" for line in [plain(event)] if line]
    percent = _percent(event)
    return told if percent is None else [f"openjd_progress: {percent:.1f}", *told]


def _deadline(event: Event) -> list[str]:
    percent = _percent(event)
    progress = [] if percent is None else [f"Progress: {percent:.0f}%"]
    return [*progress, *_told(event)]


def _tractor(event: Event) -> list[str]:
    percent = _percent(event)
    progress = [] if percent is None else [f"TR_PROGRESS {percent:03.0f}%"]
    return [*progress, *_told(event)]


def _told(event: Event) -> list[str]:
    return [line for line in [plain(event)] if line]


def _percent(event: Event) -> float | None:
    if event["event"] not in ("start", "frame", "done"):
        return None
    done, total = int(event["done"]), int(event["total"])
    return 100 * done / max(1, total)


_LINES = {"openjd": _openjd, "deadline": _deadline, "tractor": _tractor}

DIALECTS = tuple(_LINES)
