"""The review page of a clean plate: made by the core in a thread beside Nuke, and opened in the browser."""

from __future__ import annotations

import threading
from typing import Any, Callable

import nuke

from . import result
from .problem import InpaintError
from .request import Request, read_request

DONE = "The review page is open in the browser."


def begin(node: nuke.Node) -> threading.Thread | None:
    """Make the page of the node's clean plate, one for each view; with a window beside Nuke.

    Raises InpaintError when nothing was rendered yet; without a window also when there is no page.
    """
    request = read_request(node)
    if not all(request.job(view).is_file() for view in request.views):
        raise InpaintError(f"{request.name} was not rendered yet; press Render first.")
    result.tell(node, "Making the review page; it opens in the browser...")
    if not nuke.GUI:
        _make(request)
        result.tell(node, DONE)
        return None
    thread = threading.Thread(target=_make_aside, args=(node, request), name="cleanplate review", daemon=True)
    thread.start()
    return thread


def _make(request: Request) -> None:
    for view in request.views:
        request.core(view).call(["review", "--job", str(request.job(view)), "--open", "--quiet"])


def _make_aside(node: nuke.Node, request: Request) -> None:
    show: Callable[..., Any] = result.tell
    told: tuple[Any, ...] = (node, DONE)
    try:
        _make(request)
    except InpaintError as error:
        if "invalid choice" in str(error):
            error = InpaintError("The installed Cleanplate has no 'review' command; update it.")
        show, told = _failed, (node, str(error))
    nuke.executeInMainThread(show, told)


def _failed(node: nuke.Node, reason: str) -> None:
    result.tell(node, f"No review page: {reason}")
    nuke.message(reason)
