"""What the core warns of before a render and finds wrong after it, in the node's status, with its frame."""

from __future__ import annotations

import json
import re
import threading

import nuke

from . import aside, flow, places, result
from .group import convert
from .problem import InpaintError
from .request import Request, read_request

_FAULTS = 9
"""The core's exit code when it has found faults."""

_FRAME = re.compile(r"\bframes? (-?\d+)")


def begin(node: nuke.Node) -> threading.Thread | None:
    """Check the node's clean plate, or its shot before there is one; with a window beside Nuke.

    Raises InpaintError when the node can't be rendered; without a window also when it can't be checked.
    """
    convert(node)
    request = read_request(node)
    if request.do == "render" and not _is_begun(request):
        if nuke.executing() or flow.is_rendering(node):
            raise InpaintError(
                f"{request.name}: something is rendering; wait for it, then press Check again."
            )
        flow.check_upstream(node)
        flow.prepare(node, request, None)
        return aside.begin(node, "Looking at the shot...", _probe, "Not looked at")
    return aside.begin(node, "Checking the clean plate...", _check, "Not checked")


def _is_begun(request: Request) -> bool:
    """Whether a view has a first frame of its clean plate."""
    patterns = (places.result_pattern(places.in_view(request.folder, view)) for view in request.views)
    return any(places.at_frame(pattern, request.first).is_file() for pattern in patterns)


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


def _warned(request: Request) -> tuple[str, str]:
    """Return what a render would be warned of, in a sentence, and the frame to look at; empty for none."""
    for view in request.views:
        report = json.loads(request.core(view).call(["probe", "--job", str(request.job(view)), "--json"]))
        warnings = [str(warning["message"]) for warning in report["warnings"]]
        if warnings:
            shown = f"{view}: " if len(request.views) > 1 else ""
            more = f" ({len(warnings) - 1} more in the log.)" if len(warnings) > 1 else ""
            found = _FRAME.search(warnings[0])
            return f"{shown}Before you render: {warnings[0]}{more}", found.group(1) if found else ""
    return "Looked at: nothing speaks against a render.", ""


def _check(request: Request) -> aside.Show:
    return _show(*_found(request))


def _probe(request: Request) -> aside.Show:
    return _show(*_warned(request))


def _show(sentence: str, frame: str) -> aside.Show:
    def show(node: nuke.Node) -> None:
        node["told_frame"].setValue(frame)
        result.tell(node, sentence)

    return show
