"""Before a Write renders: see that every inpaint node above it has its clean plate.

Nuke refuses to render anything from here, so plate and matte can't be written now. What can be done: find the
clean plate on disk; or, where plate and matte are there and Nuke runs without a window, let the core fill.
Otherwise the render is stopped with a sentence, before it makes a picture with the object still in it.
"""

from __future__ import annotations

import os

import nuke

from . import order, places, result
from .export import frames_on_disk
from .group import inner, is_inpaint
from .knobs import RESULT
from .problem import InpaintError
from .progress import open_progress
from .request import Request, frame_range, read_request, write_job
from .work import fill

SWITCH = "CLEANPLATE_BEFORE_RENDER"
"""Environment variable; ``off`` leaves renders alone."""

WAIT_SECONDS = 24 * 3600
"""Longest wait for another process that is filling the same frames: another task of the same farm job."""


def before_render() -> None:
    """Look after every inpaint node above the Write that Nuke is about to render. Raises InpaintError."""
    if os.environ.get(SWITCH) == "off":
        return
    write = nuke.thisNode()
    if is_inpaint(write.parent()):
        return
    for node in order.upstream_inpaints(write):
        _ensure(node)


def _ensure(node: nuke.Node) -> None:
    name = node.fullName()
    if node["show"].value() != RESULT:
        raise InpaintError(
            "{} shows '{}'; set 'show' to 'result' to render.".format(name, node["show"].value())
        )
    if _is_whole(node):
        for change in result.look_changes(node):
            nuke.tprint(f"Cleanplate: {name} is used as it was rendered, although {change}.")
        return
    request = read_request(node)
    there = [frames_on_disk(request, view) for view in request.views]
    total = len(request.frames)
    if not all(len(frames["result"]) == total for frames in there):
        if nuke.GUI or not all(len(frames[kind]) == total for frames in there for kind in request.kinds):
            raise InpaintError(
                f"{name} has no clean plate for frames {request.first}-{request.last} in {request.folder}. "
                "Press Render in the node, or run nuke -t cleanplate_batch.py SCRIPT first."
            )
        _make(request)
    result.load(node, request, [])


def _is_whole(node: nuke.Node) -> bool:
    """Whether the result that the node shows is on disk: every frame it stands for now, in every view."""
    plate = node.input(0)
    if plate is None or not node["has_result"].value():
        return False
    first, last = frame_range(node, plate)
    if first < node["result_first"].value() or last > node["result_last"].value():
        return False
    pattern = str(inner(node, "result")["file"].value())
    frames = range(first, last + 1)
    return all(
        places.at_frame(places.in_view(pattern, view), frame).is_file()
        for view in _views_of(node)
        for frame in frames
    )


def _views_of(node: nuke.Node) -> list[str]:
    chosen = str(node["view"].value())
    return [chosen] if chosen in nuke.views() else list(nuke.views())


def _make(request: Request) -> None:
    """Let the core fill; where another process does so already, it waits for that."""
    with open_progress(request.name) as progress:
        for view in request.views:
            write_job(request, view, WAIT_SECONDS)
            fill(request, view, progress, nuke.tprint, progress.is_cancelled)
