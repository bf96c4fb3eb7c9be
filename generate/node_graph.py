"""A node graph as a picture: SVG that a page shows, drawn from nodes and wires as a host has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 158, 36
ACROSS, ALONG = 26, 44
"""Gaps between nodes: of one row, and from row to row."""

_MARGIN = 18
_FILLS = {
    "Read": "#d9c79a",
    "Loader": "#d9c79a",
    "MediaIn": "#d9c79a",
    "Write": "#d8a7a0",
    "Saver": "#d8a7a0",
    "RotoPaint": "#b9cfa5",
    "Paint": "#b9cfa5",
    "Merge2": "#a9bddb",
    "Merge": "#a9bddb",
    "Input": "#e8e8e8",
    "Output": "#e8e8e8",
    "PipeRouter": "#e8e8e8",
}
_PLAIN, _OWN, _INK = "#cfcfcf", "#2f7f86", "#202020"


@dataclass(frozen=True)
class GraphNode:
    """One node of a graph.

    Attributes:
        name: as the host shows it; no two have the same.
        kind: its class.
        after: names of the nodes it takes its pictures from, in the order of its inputs.
        note: what a reader has to know of it, some words.
    """

    name: str
    kind: str
    after: tuple[str, ...] = ()
    note: str = ""


def svg(nodes: Sequence[GraphNode], title: str, *, own: str = "", sideways: bool = False) -> str:
    """Return the picture of a graph, each node below (or to the right of) all that feed it.

    Args:
        nodes: every node; a wire to a node that is not among them is left out.
        title: what the picture is called, for those who can't see it.
        own: name of the node that stands out.
        sideways: from left to right, as in Fusion; else from top to bottom, as in Nuke.
    """
    places = _places(nodes, sideways)
    width = max(x for x, _ in places.values()) + WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + HEIGHT + _MARGIN + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="Verdana, DejaVu Sans, sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{_INK}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#fafafa" stroke="#d0d0d0"/>',
    ]
    for node in nodes:
        parts += _wires(node, places, sideways)
    for node in nodes:
        parts += _box(node, places[node.name], is_own=node.name == own)
    return "\n".join([*parts, "</svg>", ""])


def _places(nodes: Sequence[GraphNode], sideways: bool) -> dict[str, tuple[int, int]]:
    """Return the upper left corner of each node."""
    levels: dict[str, int] = {}
    by_name = {node.name: node for node in nodes}

    def level(name: str) -> int:
        if name not in levels:
            above = [level(source) for source in by_name[name].after if source in by_name]
            levels[name] = 1 + max(above) if above else 0
        return levels[name]

    rows: dict[int, list[GraphNode]] = {}
    for node in nodes:
        rows.setdefault(level(node.name), []).append(node)
    slots: dict[str, float] = {}
    for row in sorted(rows):
        taken = -1.0
        wanted = {node.name: _mean(slots.get(source) for source in node.after) for node in rows[row]}
        for node in sorted(rows[row], key=lambda node: _or(wanted[node.name], 99.0)):
            taken = max(taken + 1, _or(wanted[node.name], taken + 1))
            slots[node.name] = taken
    places = {}
    for name, slot in slots.items():
        if sideways:
            x, y = levels[name] * (WIDTH + ALONG), round(slot * (HEIGHT + ACROSS))
        else:
            x, y = round(slot * (WIDTH + ACROSS)), levels[name] * (HEIGHT + ALONG)
        places[name] = _MARGIN + x, _MARGIN + y
    return places


def _mean(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _wires(node: GraphNode, places: dict[str, tuple[int, int]], sideways: bool) -> list[str]:
    x, y = places[node.name]
    parts = []
    for index, source in enumerate(node.after):
        if source not in places:
            continue
        share = (index + 1) / (len(node.after) + 1)
        from_x, from_y = places[source]
        if sideways:
            start, end = (from_x + WIDTH, from_y + HEIGHT // 2), (x, round(y + HEIGHT * share))
        else:
            start, end = (from_x + WIDTH // 2, from_y + HEIGHT), (round(x + WIDTH * share), y)
        parts.append(
            f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="{_INK}" '
            'stroke-width="1.3" marker-end="url(#tip)"/>'
        )
    return parts


def _box(node: GraphNode, place: tuple[int, int], *, is_own: bool) -> list[str]:
    x, y = place
    fill, ink = (_OWN, "#ffffff") if is_own else (_FILLS.get(node.kind, _PLAIN), _INK)
    middle = x + WIDTH // 2
    parts = [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="{fill}" stroke="#606060"/>',
        _text(node.name, middle, y + 16, 12, anchor="middle", fill=ink, weight="bold"),
        _text(node.kind, middle, y + 29, 9, anchor="middle", fill=ink),
    ]
    if node.note:
        parts.append(_text(node.note, middle, y + HEIGHT + 11, 9, anchor="middle", fill="#1c5d63"))
    return parts


def _text(
    text: str, x: int, y: int, size: int, *, anchor: str, fill: str = _INK, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}">{escape(text)}</text>'
    )
