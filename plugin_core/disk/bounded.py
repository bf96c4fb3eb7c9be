"""Read JSON that a stranger may have written: nesting, size and numbers have limits, and no field is lost.

Python's reader alone overflows the stack on brackets a few thousand deep, takes NaN and 1e999, and keeps the
last of two fields of one name.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

MOST_DEPTH = 64
"""Lists and objects within one another."""

MOST_CHARACTERS = 16 << 20

_WORDS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
"""A string, which may hold any bracket, or a bracket. An unfinished string reaches to the end."""


class UnreadableError(ValueError):
    """Text that is not what it should be, or goes beyond a limit.

    Attributes:
        what: whose text it is, as the caller named it.
        problem: what is wrong, without a full stop.
        line: where, from 1; None where no line is to blame.
    """

    def __init__(self, what: str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{what}{'' if line is None else f', line {line}'}: {problem}.")
        self.what = what
        self.problem = problem
        self.line = line


def load_json(text: str, what: str, *, most_characters: int = MOST_CHARACTERS) -> Any:
    """Return what a JSON text says.

    Args:
        text: the whole of it.
        what: whose text it is, for the message: "Job /show/job.json".
        most_characters: a longer text is refused unread.

    Raises:
        UnreadableError: it is not JSON, is too long, is nested more than 64 deep, holds a number that is not
            finite or has thousands of digits, or gives a field twice.
    """
    check_length(text, what, most_characters)
    _check_depth(text, what)

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = next(name for name, count in counts.items() if count > 1)
            raise UnreadableError(what, f"{short(twice)} is given twice")
        return fields

    def finite(digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            raise UnreadableError(what, f"{short(digits)} is no finite number")
        return number

    def refuse(word: str) -> NoReturn:
        raise UnreadableError(what, f"{word} is no finite number")

    try:
        return json.loads(text, object_pairs_hook=whole, parse_float=finite, parse_constant=refuse)
    except UnreadableError:
        raise
    except json.JSONDecodeError as error:
        raise UnreadableError(what, f"not JSON: {error.msg}, column {error.colno}", error.lineno) from None
    except ValueError:
        raise UnreadableError(what, "a number has too many digits") from None


def check_length(text: str, what: str, most_characters: int) -> None:
    """Raise UnreadableError when a text is longer than it may be."""
    if len(text) > most_characters:
        raise UnreadableError(what, f"{len(text)} characters, and {most_characters} is the most that is read")


def _check_depth(text: str, what: str) -> None:
    depth = 0
    for word in _WORDS.finditer(text):
        bracket = word[0]
        if bracket in ("[", "{"):
            depth += 1
            if depth > MOST_DEPTH:
                line = text.count("\n", 0, word.start()) + 1
                raise UnreadableError(what, f"nested more than {MOST_DEPTH} deep", line)
        elif bracket in ("]", "}"):
            depth -= 1


def short(text: str) -> str:
    """Return text in quotes, cut where it grows too long for a message."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
