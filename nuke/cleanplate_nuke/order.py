"""Which inpaint nodes feed which, through groups and their inputs; disabled ones feed nobody."""

from __future__ import annotations

from typing import Iterator

import nuke

from .group import every_inpaint, is_inpaint


def all_inpaints() -> list[nuke.Node]:
    """Return every inpaint node of the script, each after those whose result it needs."""
    found = [node for node in every_inpaint(nuke.root()) if not _is_off(node)]
    ordered: list[nuke.Node] = []
    for node in sorted(found, key=lambda node: node.fullName()):
        for needed in [*upstream_inpaints(node), node]:
            if needed not in ordered:
                ordered.append(needed)
    return ordered


def upstream_inpaints(node: nuke.Node) -> list[nuke.Node]:
    """Return the inpaint nodes above a node, itself not among them, each after those it needs itself."""
    ordered: list[nuke.Node] = []
    seen = {node.fullName()}
    # Depth first without recursion: scripts can be deeper than Python's stack.
    stack = [(node, _above(node))]
    while stack:
        current, above = stack[-1]
        following = next((one for one in above if one.fullName() not in seen), None)
        if following is not None:
            seen.add(following.fullName())
            stack.append((following, _above(following)))
            continue
        stack.pop()
        if stack and is_inpaint(current) and not _is_off(current):
            ordered.append(current)
    return ordered


def _above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Give the nodes that a node's picture comes from: its inputs, and what is linked by expression."""
    parent = node.parent()
    if node.Class() == "Input" and parent.Class() != "Root":
        outside = parent.input(int(node["number"].value()))
        if outside is not None:
            yield outside
        return
    if _is_off(node):
        # Its first input passes, whatever is inside.
        first = node.input(0)
        if first is not None:
            yield first
        return
    yield from node.dependencies(nuke.INPUTS | nuke.HIDDEN_INPUTS | nuke.EXPRESSIONS)
    if isinstance(node, nuke.Group) and not is_inpaint(node):
        for inner in node.nodes():
            if inner.Class() == "Output":
                yield inner


def _is_off(node: nuke.Node) -> bool:
    disable = node.knob("disable")
    return disable is not None and bool(disable.value())
