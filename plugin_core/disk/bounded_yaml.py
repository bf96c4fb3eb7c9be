"""Read YAML that a stranger may have written: nesting, size and what aliases stand for have limits.

A list that holds nine times an alias of a list that holds nine times an alias, and so on, is 1 kB of text and
gigabytes once it is spelled out.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.events import AliasEvent, Event
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .bounded import MOST_DEPTH, UnreadableError, check_length, short

MOST_CHARACTERS = 4 << 20

MOST_VALUES = 500_000
"""Values, lists and mappings of one text, with every alias spelled out: some 20,000 shots of ten fields."""


def load_yaml(text: str, what: str, *, most_characters: int = MOST_CHARACTERS) -> Node | None:
    """Return a YAML text as the tree of its nodes, each of which knows its line; None for an empty one.

    Aliases are the nodes they stand for, so a node may be met more than once, but never within itself.
    Mapping keys are plain values, no two of a mapping alike.

    Args:
        text: the whole of it.
        what: whose text it is, for the message: "/show/shots.yaml".
        most_characters: a longer text is refused unread.

    Raises:
        UnreadableError: it is not YAML, is too long, is nested more than 64 deep, or has too many values
            once its aliases are spelled out; tells the line.
    """
    check_length(text, what, most_characters)
    try:
        composer = _Composer(text, what)
        return composer.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"
        if mark is None and (position := getattr(error, "position", None)) is not None:
            problem, line = f"{problem}, character {position + 1}", text.count("\n", 0, position) + 1
            raise UnreadableError(what, f"not YAML: {problem}", line) from None
        raise UnreadableError(what, f"not YAML: {problem}", mark.line + 1 if mark else 1) from None


class _Composer(yaml.SafeLoader):
    """Builds nodes, and stops at the first that goes beyond a limit."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(text)
        self._what = what
        self._depth = 0
        self._values = 0
        self._extents: dict[Node, tuple[int, int]] = {}
        """Values and depth of every node that is complete, with its aliases spelled out."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Build the node that comes next."""
        event: Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = _line(event.start_mark)
        if isinstance(event, AliasEvent):
            node = super().compose_node(parent, index)
            if node not in self._extents:
                raise UnreadableError(self._what, f"*{event.anchor} stands within what it stands for", line)
            self._count(*self._extents[node], line)
            return node
        before = self._values
        self._count(1, 1, line)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None:
            parts = self._parts(node)
            depth = 1 + max((self._extents[part][1] for part in parts), default=0)
            self._extents[node] = (self._values - before, depth)
        return node

    def _count(self, values: int, depth: int, line: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            problem = f"more than {MOST_VALUES} values, each alias spelled out"
            raise UnreadableError(self._what, problem, line)
        if self._depth + depth > MOST_DEPTH:
            raise UnreadableError(self._what, f"nested more than {MOST_DEPTH} deep", line)

    def _parts(self, node: Node) -> list[Node]:
        if isinstance(node, SequenceNode):
            return list(node.value)
        if not isinstance(node, MappingNode):
            node.value = self._whole(node)
            return []
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = _line(key.start_mark)
            if not isinstance(key, ScalarNode):
                raise UnreadableError(self._what, "a field's name must be a word, not a list or fields", line)
            if key.value in lines:
                problem = f"{short(key.value)} is given twice, first in line {lines[key.value]}"
                raise UnreadableError(self._what, problem, line)
            lines[key.value] = line
        return [part for pair in node.value for part in pair]

    def _whole(self, node: Node) -> str:
        """Return a value's text, with letters that JSON writes as two halves in one piece."""
        try:
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            problem = f"{short(node.value)} holds half a letter"
            raise UnreadableError(self._what, problem, _line(node.start_mark)) from None


def _line(mark: Any) -> int:
    return int(mark.line) + 1
