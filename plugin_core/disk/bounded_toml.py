"""Read TOML that a stranger may have written: size and nesting have limits, and fields know their lines."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any

from .bounded import MOST_DEPTH, UnreadableError, check_length, short

MOST_CHARACTERS = 64 << 10
"""Every setting fits a hundred times over; for some texts Python's reader takes time by their square."""

_KEY = re.compile(r"""^[ \t]*\[{0,2}[ \t]*(["']?)([A-Za-z0-9_-]+)\1[ \t]*[=.\]]""", re.MULTILINE)
_WHERE = re.compile(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", re.DOTALL)


def load_toml(
    text: str, what: str, *, most_characters: int = MOST_CHARACTERS
) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the fields of a TOML text, and the line of each, from 1.

    Args:
        text: the whole of it.
        what: whose text it is, for the message: "/show/cleanplate.toml".
        most_characters: a longer text is refused unread.

    Raises:
        UnreadableError: it is not TOML, is too long, is nested more than 64 deep, holds a number that is not
            finite or has thousands of digits, or gives a field twice; tells the line where one is to blame.
    """
    check_length(text, what, most_characters)
    try:
        fields = tomllib.loads(text)
    except RecursionError:
        raise UnreadableError(what, f"nested more than {MOST_DEPTH} deep") from None
    except tomllib.TOMLDecodeError as error:
        found = _WHERE.match(str(error))
        problem = found[1] if found else str(error)
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        raise UnreadableError(what, f"not TOML: {problem[:200]}", line) from None
    except ValueError:
        raise UnreadableError(what, "a number has too many digits") from None
    lines: dict[str, int] = {}
    for key in _KEY.finditer(text):
        lines.setdefault(key[2], text.count("\n", 0, key.start(2)) + 1)
    for name, value in fields.items():
        _check(value, name, what, lines.get(name), 1)
    return fields, lines


def _check(value: Any, name: str, what: str, line: int | None, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise UnreadableError(what, f"nested more than {MOST_DEPTH} deep", line)
    if isinstance(value, float) and not math.isfinite(value):
        raise UnreadableError(what, f"{short(name)} is no finite number", line)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _check(part, name, what, line, depth + 1)
