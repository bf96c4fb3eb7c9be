"""The review page of a clean plate: made by the core in a thread beside Nuke, and opened in the browser."""

from __future__ import annotations

import threading

import nuke

from . import aside, result
from .request import Request

DONE = "The review page is open in the browser."


def begin(node: nuke.Node) -> threading.Thread | None:
    """Make the page of the node's clean plate, one for each view; with a window beside Nuke.

    Raises InpaintError when nothing was rendered yet; without a window also when there is no page.
    """
    return aside.begin(
        node, "Making the review page; it opens in the browser...", _make, "No review page", _reason
    )


def _make(request: Request) -> aside.Show:
    for view in request.views:
        request.core(view).call(["review", "--job", str(request.job(view)), "--open", "--quiet"])
    return lambda node: result.tell(node, DONE)


def _reason(error: Exception) -> str:
    if "invalid choice" in str(error):
        return "The installed Cleanplate has no 'review' command; update it."
    return str(error)
