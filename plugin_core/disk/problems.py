"""What a library's check of a file found, in half a sentence."""

from __future__ import annotations

from pydantic import ValidationError

_LONGEST = 200


def problem_of(error: ValidationError) -> str:
    """Return where the first problem is and what it is: ``frame: Input should be a valid integer``."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    told = f"{where}: {message}" if where else message
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."
