"""What the core finds wrong with a clean plate, in the node's status, with the frame to look at."""

from __future__ import annotations

import json
import threading

import nuke

from . import aside, result
from .problem import InpaintError
from .request import Request

_FAULTS = 9
"""The core's exit code when it has found faults."""


def begin(node: nuke.Node) -> threading.Thread | None:
    """Check the node's clean plate, every view of it; with a window beside Nuke.

    Raises InpaintError when nothing was rendered yet; without a window also when it can't be checked.
    """
    return aside.begin(node, "Checking the clean plate...", _check, "Not checked")


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


def _check(request: Request) -> aside.Show:
    sentence, frame = _found(request)

    def show(node: nuke.Node) -> None:
        node["told_frame"].setValue(frame)
        result.tell(node, sentence)

    return show
