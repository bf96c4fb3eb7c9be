"""Scripts as text, in the manner of `.nk` files: nodes in order, a stack for their inputs, nested groups."""

from __future__ import annotations

import re

from .knobs import CODES, INVISIBLE, STARTLINE, Array_Knob, Boolean_Knob, Enumeration_Knob, PyScript_Knob

_NAMES = {kind: code for code, kind in CODES.items()}
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|\{|\}|[^\s{}"]+', re.DOTALL)


def save(root):
    """Return a script's text."""
    lines = ["Root {", *_values(root), "}"]
    lines += ["# views " + " ".join(root._host.views())]
    return "\n".join([*lines, *_children(root), ""])


def save_some(some):
    """Return the text of some nodes, as they are copied: what else feeds them is left out."""
    return "\n".join([*_nodes(some), ""])


def _children(group):
    return _nodes(group._children)


def _nodes(some):
    lines, written = [], []

    def visit(node):
        if node in written:
            return
        for source in node._inputs:
            if source in some:
                visit(source)
        written.append(node)
        lines.extend(
            "push " + ("$N" + source.name() if source in some else "0") for source in node._inputs[::-1]
        )
        lines.extend([f"{node.Class()} {{", f" inputs {len(node._inputs)}", *_values(node), "}"])
        if node.Class() in ("Group", "LiveGroup"):
            lines.extend([*(" " + line for line in _children(node)), "end_group"])
        lines.append(f"set N{node.name()} [stack 0]")

    for node in some:
        visit(node)
    return lines


def _values(node):
    lines = []
    for knob in node._knobs.values():
        if knob in node._user_knobs:
            lines.append(f" addUserKnob {{{_declared(knob)}}}")
        if isinstance(knob, PyScript_Knob):
            continue  # its text is in its declaration
        if not knob._is_default() or knob.name() == "name":
            lines.append(f" {knob.name()} {_written(knob)}")
    return lines


def _declared(knob):
    parts = [str(_NAMES[type(knob)]), knob.name(), "l", _quoted(knob.label() or "")]
    if knob.tooltip():
        parts += ["t", _quoted(knob.tooltip())]
    if isinstance(knob, Enumeration_Knob):
        parts += ["M", "{", *map(_quoted, knob.values()), "}"]
    if isinstance(knob, PyScript_Knob):
        parts += ["T", _quoted(knob.command())]
    parts += [
        flag
        for flag, on in (("-STARTLINE", not knob.getFlag(STARTLINE)), ("+INVISIBLE", knob.getFlag(INVISIBLE)))
        if on
    ]
    return " ".join(parts)


def _written(knob):
    if knob._expression is not None:
        return "{{" + _quoted(knob._expression) + "}}"
    if isinstance(knob, Boolean_Knob):
        return str(knob._value).lower()
    if isinstance(knob._value, list):
        return "{" + " ".join(map(str, knob._value)) + "}"
    return str(knob._value) if isinstance(knob, Array_Knob) else _quoted(knob._value)


def _quoted(text):
    return '"' + re.sub(r'(["\\$\[\]])', r"\\\1", text).replace("\n", "\\n") + '"'


def _unquoted(text):
    return re.sub(
        r"\\(.)", lambda match: "\n" if match.group(1) == "n" else match.group(1), text, flags=re.DOTALL
    )


class Loader:
    """Rebuilds a script from its text."""

    def __init__(self, host, text):
        self._host = host
        views = re.search(r"^# views (.*)$", text, re.MULTILINE)
        if views is not None:
            host._views = views.group(1).split()
        self._tokens = list(self._tokenized(re.sub(r"^#.*$", "", text, flags=re.MULTILINE)))
        self._at = 0

    @staticmethod
    def _tokenized(text):
        for match in _TOKEN.finditer(text):
            yield (
                _unquoted(match.group(1)) if match.group(1) is not None else match.group(0),
                match.group(1) is not None,
            )

    def load(self):
        """Make every node."""
        self._block(self._host.root())

    def paste(self, group):
        """Make every node in a group."""
        self._block(group)

    def _block(self, group):
        stack, named = [], {}
        while self._at < len(self._tokens):
            word = self._next()
            if word == "end_group":
                return
            if word == "push":
                source = self._next()
                stack.append(None if source == "0" else named[source[1:]])
            elif word == "set":
                named[self._next()] = stack[-1]
                assert [self._next(), self._next()] == ["[stack", "0]"]
            elif word == "Root":
                self._knobs(self._host.root())
            else:
                stack.append(self._node(word, group, stack))

    def _node(self, kind, group, stack):
        node = self._host._make(kind, group)
        count = self._knobs(node)
        if kind in ("Group", "LiveGroup"):
            self._block(node)
        sources = [stack.pop() for _ in range(count)]
        for index, source in enumerate(sources):
            node.setInput(index, source)
        return node

    def _knobs(self, node):
        assert self._next() == "{"
        inputs = 0
        while True:
            word = self._next()
            if word == "}":
                return inputs
            if word == "inputs":
                inputs = int(self._next())
            elif word == "name" and node.parent() is not None:
                node.setName(self._next())
            elif word == "addUserKnob":
                self._user_knob(node)
            else:
                self._value(node[word])

    def _user_knob(self, node):
        assert self._next() == "{"
        kind, name = CODES[int(self._next())], self._next()
        about, flags = {}, []
        while True:
            word = self._next()
            if word == "}":
                break
            if word[:1] in "+-":
                flags.append(word)
            else:
                about[word] = self._list() if word == "M" else self._next()
        given = {Enumeration_Knob: [about.get("M")], PyScript_Knob: [about.get("T")]}.get(kind, [])
        knob = kind(name, about["l"], *given)
        knob.setTooltip(about.get("t", ""))
        if "-STARTLINE" in flags:
            knob.clearFlag(STARTLINE)
        if "+INVISIBLE" in flags:
            knob.setFlag(INVISIBLE)
        node.addKnob(knob)

    def _value(self, knob):
        word, is_quoted = self._tokens[self._at]
        if word == "{" and not is_quoted:
            if self._tokens[self._at + 1][0] == "{":
                self._at += 2
                knob.setExpression(self._next())
                assert [self._next(), self._next()] == ["}", "}"]
            else:
                knob.setValue([float(number) for number in self._list()])
            return
        self._at += 1
        if isinstance(knob, Boolean_Knob):
            knob.setValue(word == "true")
        elif isinstance(knob, Array_Knob):
            knob.setValue(float(word))
        else:
            knob.setValue(word)

    def _list(self):
        assert self._next() == "{"
        words = []
        while True:
            word, is_quoted = self._tokens[self._at]
            self._at += 1
            if word == "}" and not is_quoted:
                return words
            words.append(word)

    def _next(self):
        word, _ = self._tokens[self._at]
        self._at += 1
        return word
