"""Models that refuse what they do not know: a misspelt field never goes unnoticed."""

from __future__ import annotations

import difflib
import os
import reprlib
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ..errors import SettingsError

MOST_LETTERS = 32_767
"""Of one field, such as a path: what Windows takes at most, and more than any other system."""


class Strict(BaseModel):
    """Raises SettingsError, one sentence, for a field that is unknown, missing or out of range."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Positional only: a field may be called self.
    def __init__(self, /, **fields: Any) -> None:
        unknown = next((name for name in fields if name not in type(self).model_fields), None)
        if unknown is not None:
            raise SettingsError(
                f"{type(self).__name__} has no field {shown(unknown)}{_nearest(type(self), unknown)}."
            )
        try:
            super().__init__(**fields)
        except ValidationError as error:
            _refuse(type(self), error)

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_written(cls, value: object) -> object:
        """Take a `Path` as its text; refuse text that no path and no file can hold. Raises ValueError."""
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if isinstance(value, str):
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError("text without NUL and without halves of characters")
            if len(value) > MOST_LETTERS:
                raise ValueError(f"at most {MOST_LETTERS} letters long")
        return value


_Model = TypeVar("_Model", bound=Strict)


def validated(model: type[_Model], fields: dict[str, Any], what: str) -> _Model:
    """Build a model from plain fields. Raises SettingsError that names `what` and the field."""
    try:
        return model(**fields)
    except SettingsError as error:
        raise SettingsError(f"{what}: {error}") from None


def shown(value: object) -> str:
    """Return a value as it is told in a message: what is long is cut."""
    return _BRIEF.repr(value)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 200


def _refuse(model: type[BaseModel], error: ValidationError) -> NoReturn:
    first = error.errors(include_url=False, include_context=False)[0]
    name = model.__name__
    field = first["loc"][0] if first["loc"] else None
    if first["type"] == "missing":
        raise SettingsError(f"{name} needs the field {field!r}.") from None
    message = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if field is None:
        raise SettingsError(f"{name}: {message}.") from None
    raise SettingsError(f"{name} field {field!r} should be {message}, got {shown(first['input'])}.") from None


def _nearest(model: type[BaseModel], field: str) -> str:
    """Return ``; did you mean ...?`` for the field that stands nearest to a misspelt one."""
    close = difflib.get_close_matches(field, model.model_fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(model.model_fields)}"
