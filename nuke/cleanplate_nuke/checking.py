"""What the core finds wrong with a clean plate, in the node's status, with the frame to look at."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable

import nuke

from . import result
from .problem import InpaintError
from .request import Request, read_request

_FAULTS = 9
"""The core's exit code when it has found faults."""


def begin(node: nuke.Node) -> threading.Thread | None:
    """Check the node's clean plate, every view of it; with a window beside Nuke.

    Raises InpaintError when nothing was rendered yet; without a window also when it can't be checked.
    """
    request = read_request(node)
    if not all(request.job(view).is_file() for view in request.views):
        raise InpaintError(f"{request.name} was not rendered yet; press Render first.")
    result.tell(node, "Checking the clean plate...")
    if not nuke.GUI:
        _show(node, *_found(request))
        return None
    thread = threading.Thread(target=_check_aside, args=(node, request), name="cleanplate check", daemon=True)
    thread.start()
    return thread


def go_to_frame(node: nuke.Node) -> None:
    """Go to the frame that the last check named. Raises InpaintError when there is none."""
    told = str(node["told_frame"].value() or "")
    if not told:
        raise InpaintError("The status names no frame. Press Check first.")
    nuke.frame(int(told))


def _found(request: Request) -> tuple[str, str]:
    """Return what was found in a sentence, and the frame to look at; empty for none."""
    for view in request.views:
        arguments = ["qc", "--job", str(request.job(view)), "--json", "--quiet"]
        report = json.loads(request.core(view).call(arguments, also_fine=_FAULTS))
        # Faults before what is only worth a look.
        for verdict in ("FAULT", "look"):
            for check in report["checks"]:
                if check["verdict"] == verdict:
                    shown = f"{view}: " if len(request.views) > 1 else ""
                    frame = str(check["frames"][0]) if check["frames"] else ""
                    what = "Fault" if verdict == "FAULT" else "Worth a look"
                    return "{}{}: {}: {}.".format(
                        shown, what, check["name"], check["found"].rstrip(".")
                    ), frame
    return "Checked: no faults.", ""


def _check_aside(node: nuke.Node, request: Request) -> None:
    show: Callable[..., Any] = _show
    told: tuple[Any, ...]
    try:
        told = (node, *_found(request))
    except (InpaintError, ValueError, KeyError) as error:
        show, told = _failed, (node, str(error))
    nuke.executeInMainThread(show, told)


def _show(node: nuke.Node, sentence: str, frame: str) -> None:
    node["told_frame"].setValue(frame)
    result.tell(node, sentence)


def _failed(node: nuke.Node, reason: str) -> None:
    result.tell(node, f"Not checked: {reason}")
    nuke.message(reason)
