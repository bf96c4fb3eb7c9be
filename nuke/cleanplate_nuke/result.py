"""The clean plate in the comp: loading it, finding it, and the status line."""

from __future__ import annotations

import json
from typing import Any

import nuke

from . import places, sources
from .group import inner
from .request import Request, look_of

_NAMES = {
    "matte_invert": "invert",
    "working_size": "quality",
    "propagate": "real pixels",
    "repair": "repairing",
    "finding": "finding damage",
}


def load(node: nuke.Node, request: Request, done: list[str]) -> None:
    """Point the node at the rendered frames. In the main thread."""
    _point(node, request, request.first, request.last)
    node["rendered_with"].setValue(json.dumps(request.looks(), sort_keys=True))
    sources.show(node, request)
    if done:
        tell(node, " ".join(done))


def preview(node: nuke.Node, request: Request, frame: int) -> None:
    """Show what is there while a render goes on: the frames up to `frame`, and those of an earlier render.

    In the main thread. With several views nothing is shown: the other views have no files yet.
    """
    pattern = places.result_pattern(request.folder)
    if (
        len(request.views) > 1
        or not places.at_frame(places.in_view(pattern, request.views[0]), frame).is_file()
    ):
        return
    first, last = request.first, frame
    if node["has_result"].value() and inner(node, "result")["file"].value() == pattern:
        before_first, before_last = int(node["result_first"].value()), int(node["result_last"].value())
        if first <= before_last + 1 and before_first <= last + 1:
            first, last = min(first, before_first), max(last, before_last)
    else:
        # Until all of it is there it is no result that another node may be filled from.
        node["rendered_with"].setValue("")
    _point(node, request, first, last)


def _point(node: nuke.Node, request: Request, first: int, last: int) -> None:
    """Have the node show the files of these frames."""
    read = inner(node, "result")
    read["file"].setValue(places.result_pattern(request.folder))
    for name, value in (("first", first), ("last", last)):
        read[name].setValue(value)
        read["orig" + name].setValue(value)
        node["result_" + name].setValue(value)
    # The core writes what it was given: the script's working space.
    read["raw"].setValue(True)
    read["localizationPolicy"].setValue("off")
    reload(node)
    node["has_result"].setValue(True)


def reload(node: nuke.Node) -> None:
    """Let Nuke look at the files again: some of them may be new."""
    button: Any = inner(node, "result")["reload"]
    button.execute()


def tell(node: nuke.Node, text: str) -> None:
    """Show a sentence in the node's status line; without a window print it too, once."""
    is_new = node["status"].value() != text
    node["status"].setValue(text)
    if is_new and not nuke.GUI:
        print(f"{node.fullName()}: {text}")


def look_changes(node: nuke.Node) -> list[str]:
    """Say which knobs stand otherwise than when the result was rendered; none without a result."""
    try:
        before: dict[str, object] = json.loads(node["rendered_with"].value() or "{}")
    except ValueError:
        return []
    if not before:
        return []
    now = dict(look_of(node))
    changes = []
    for name in sorted(set(now) | set(before) - {"color space", "model"}):
        was, here = before.get(name), now.get(name)
        if was != here:
            shown = _NAMES.get(name, name), _plain(name, was), _plain(name, here)
            changes.append("{} was {}, now is {}".format(*shown))
    return changes


def _plain(name: str, value: object) -> str:
    if name == "propagate":
        return f"{value} frames" if value else "off"
    if name in ("repair", "finding", "aspect", "background", "shadow", "reference frames", "patch"):
        return "off" if value is None else "on" if value is True else str(value)
    return "standard" if value is None else str(value)
