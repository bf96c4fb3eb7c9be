"""All that is printed goes through here: a line stays one line, and a terminal obeys nothing in it.

Names and paths may hold any character: an escape sequence would color, move or rename the terminal, a newline
would forge a line of a log, an override would show text backwards.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any, TextIO

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shown(text: object) -> str:
    """Return a text as one line of plain letters: what a terminal would obey stands there as its code.

    What JSON leaves as it is becomes JSON's own escape, so a line of JSON stays what it was.
    """
    return _OBEYED.sub(_code, str(text))


def say(*lines: object, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print lines, each `shown`, and flush. Raises OSError when nobody listens any more.

    Args:
        lines: one or more.
        stream: standard output unless given.
        end: after each.
    """
    stream = sys.stdout if stream is None else stream
    for line in lines:
        stream.write(_written(shown(line), stream) + end)
    stream.flush()


def say_for_now(doing: str) -> None:
    """Say on a terminal what is being waited for; an empty text takes it away again."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        say(doing, stream=sys.stderr, end="...\r" if doing else "")


class OneLine(logging.Formatter):
    """Log records, each a `shown` line; a traceback, where one is asked for, keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return a record's line."""
        return shown(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return a traceback's lines."""
        return "\n".join(map(shown, super().formatException(ei).split("\n")))


def _code(found: re.Match[str]) -> str:
    letter = found[0]
    code = f"\\x{ord(letter):02x}" if letter < " " else f"\\u{ord(letter):04x}"
    return _SHORT.get(letter, code)


def _written(line: str, stream: TextIO) -> str:
    """Return a line with the letters that the stream has no bytes for as JSON's codes."""
    encoding = stream.encoding or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return "".join(letter if _fits(letter, encoding) else json.dumps(letter)[1:-1] for letter in line)
    return line


def _fits(letter: str, encoding: str) -> bool:
    return letter.encode(encoding, "ignore") != b""
