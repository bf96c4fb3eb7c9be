"""Nuke's knob expressions, as far as there are any: C's operators, `parent.knob`, `root.knob`, `frame`."""

from __future__ import annotations

import re


def evaluate(text, node, frame, gui):
    """Return the number an expression stands for."""
    return int(_ternary(text, node, frame, gui))


def _ternary(text, *context):
    at = _outside(text, "?")
    if at < 0:
        return _plain(text, *context)
    colon = _matching_colon(text, at + 1)
    if _plain_or_ternary(text[:at], *context):
        return _ternary(text[at + 1 : colon], *context)
    return _ternary(text[colon + 1 :], *context)


def _plain_or_ternary(text, *context):
    text = text.strip()
    while text.startswith("(") and _closing(text, 0) == len(text) - 1:
        text = text[1:-1].strip()
    return _ternary(text, *context) if _outside(text, "?") >= 0 else _plain(text, *context)


def _plain(text, node, frame, gui):
    text = text.strip()
    while text.startswith("(") and _closing(text, 0) == len(text) - 1:
        return _ternary(text[1:-1], node, frame, gui)

    def knob(match):
        owner = node.parent() if match.group(1) == "parent" else node._host.root()
        found = owner.knob(match.group(2))
        if found is None:
            raise NameError(f"expression names {match.group(0)}, which is not there")
        value = found.value()
        return repr(found.values().index(value) if hasattr(found, "values") else int(value))

    text = re.sub(r"\b(parent|root)\.(\w+)", knob, text)
    text = text.replace("$gui", str(int(gui))).replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    return eval(text.strip(), {"__builtins__": {}}, {"frame": frame})


def _outside(text, sign):
    """Place of a sign outside any parentheses, -1 when there is none."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == sign and depth == 0:
            return at
    return -1


def _matching_colon(text, begin):
    depth = pending = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0 and text[at] == "?":
            pending += 1
        if depth == 0 and text[at] == ":":
            if not pending:
                return at
            pending -= 1
    raise SyntaxError(f"? without : in {text!r}")


def _closing(text, begin):
    depth = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise SyntaxError(f"( without ) in {text!r}")
