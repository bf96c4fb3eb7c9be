"""Filling one view by the core, in any thread: nothing of Nuke is touched here."""

from __future__ import annotations

import contextlib
from typing import Callable

from .core import Event
from .problem import InpaintError
from .progress import Progress
from .request import Request

_MODES = {"start": "--resume", "resume": "--resume", "overwrite": "--overwrite"}


def fill(
    request: Request,
    view: str,
    progress: Progress,
    tell: Callable[[str], None],
    cancelled: Callable[[], bool],
    landed: Callable[[int], None] = lambda frame: None,
) -> str:
    """Let the core fill what is missing or has changed of one view.

    Args:
        request: the render; its plate, matte and job.json are on disk.
        view: the view.
        progress: shows frames as they are done.
        tell: told what will be done and why, before it is.
        cancelled: asked a few times a second.
        landed: told each frame whose file is there now.

    Returns:
        What was done, a sentence.

    Raises:
        Cancelled: it was stopped.
        InpaintError: it failed.
    """
    core = request.core(view)
    progress.say("looking at what has changed")
    with contextlib.suppress(FileNotFoundError):
        request.cancel_file(view).unlink()
    shown = view if len(request.views) > 1 else ""

    def on_phase(event: Event) -> None:
        if event.get("event") == "phase":
            progress.phase(event, shown)

    planned = core.forecast(request.job(view), on_phase, cancelled)
    sentence = _in(request, view, describe(planned))
    tell(sentence)
    if planned["action"] == "nothing":
        return sentence
    if planned["action"] == "occupied":
        raise InpaintError(
            f"{request.name}: {_reasons(planned)}. Raise the node's version, or remove them.",
            str(core.log),
        )

    warnings: list[str] = []

    def on_event(event: Event) -> None:
        on_phase(event)
        if event.get("event") == "frame":
            progress.frame(event, planned, shown)
            landed(int(event["frame"]))
        elif event.get("event") == "note" and event.get("code"):
            warnings.append(" Warning: {}".format(event["message"]))

    mode = _MODES[planned["action"]]
    core.render(request.job(view), mode, on_event, cancelled, request.cancel_file(view))
    return _in(request, view, done(planned) + "".join(warnings))


def describe(planned: Event) -> str:
    """Say what a render will do, and why."""
    if planned["action"] == "nothing":
        return f"Nothing to do: {_reasons(planned)}."
    return f"Filling {_frames(planned)}: {_reasons(planned)}."


def done(planned: Event) -> str:
    """Say what a render has done, and why."""
    return f"Filled {_frames(planned)}: {_reasons(planned)}."


def _frames(planned: Event) -> str:
    total = planned["last"] - planned["first"] + 1
    return "frames {}-{} ({} of {})".format(planned["from"], planned["last"], planned["frames"], total)


def _reasons(planned: Event) -> str:
    return "; ".join(planned["reasons"])


def _in(request: Request, view: str, sentence: str) -> str:
    return f"{view}: {sentence}" if len(request.views) > 1 else sentence
