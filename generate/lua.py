"""Plain data as a Lua script: where Fusion lets scripts read no files, it still loads scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def lua_script(data: Mapping[str, Any], comment: str) -> str:
    """Return a script that returns `data`; what is None is left out, as Lua's tables have it."""
    return f"-- {comment}\n\nreturn {_value(data, '')}\n"


def quoted(text: str) -> str:
    """Return a text as Lua has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inner = indent + "  "
        lines = [
            f"{inner}[{quoted(name)}] = {_value(each, inner)},\n"
            for name, each in value.items()
            if each is not None
        ]
        return "{\n" + "".join(lines) + indent + "}" if lines else "{}"
    if isinstance(value, Sequence):
        return "{ " + ", ".join(_value(each, indent) for each in value) + " }" if value else "{}"
    return str(value)
