"""Commands of the core about a clean plate that is there, run in a thread beside Nuke."""

from __future__ import annotations

import threading
from typing import Callable

import nuke

from . import result
from .problem import InpaintError
from .request import Request, read_request

Show = Callable[[nuke.Node], None]


def begin(
    node: nuke.Node,
    saying: str,
    work: Callable[[Request], Show],
    failed: str,
    reason: Callable[[Exception], str] = str,
) -> threading.Thread | None:
    """Run a command on the clean plate of a node; with a window beside Nuke.

    Args:
        node: a VINet Inpaint node.
        saying: what the status says meanwhile.
        work: does it, in the thread; what it returns shows what came out, in the main thread.
        failed: what the status says before the reason when it failed.
        reason: of an error, in words.

    Raises InpaintError when nothing was rendered yet; without a window also what `work` raises.
    """
    request = read_request(node)
    if not all(request.job(view).is_file() for view in request.views):
        raise InpaintError(f"{request.name} was not rendered yet; press Render first.")
    result.tell(node, saying)
    if not nuke.GUI:
        work(request)(node)
        return None

    def run() -> None:
        try:
            show = work(request)
        except (InpaintError, ValueError, KeyError) as error:
            nuke.executeInMainThread(_failed, (node, failed, reason(error)))
        else:
            nuke.executeInMainThread(show, (node,))

    thread = threading.Thread(target=run, name="cleanplate aside", daemon=True)
    thread.start()
    return thread


def _failed(node: nuke.Node, failed: str, reason: str) -> None:
    result.tell(node, f"{failed}: {reason}")
    nuke.message(reason)
