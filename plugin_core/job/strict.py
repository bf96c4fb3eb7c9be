"""Models that refuse what they do not know: a misspelt field never goes unnoticed."""

from __future__ import annotations

import difflib
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import SettingsError


class Strict(BaseModel):
    """Raises SettingsError, one sentence, for a field that is unknown, missing or out of range."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            _refuse(type(self), error)


_Model = TypeVar("_Model", bound=Strict)


def validated(model: type[_Model], fields: dict[str, Any], what: str) -> _Model:
    """Build a model from plain fields. Raises SettingsError that names `what` and the field."""
    try:
        return model(**fields)
    except SettingsError as error:
        raise SettingsError(f"{what}: {error}") from None


def _refuse(model: type[BaseModel], error: ValidationError) -> NoReturn:
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    field = first["loc"][0]
    name = model.__name__
    if first["type"] == "extra_forbidden":
        raise SettingsError(f"{name} has no field {field!r}{_nearest(model, str(field))}.") from None
    if first["type"] == "missing":
        raise SettingsError(f"{name} needs the field {field!r}.") from None
    message = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    raise SettingsError(f"{name} field {field!r} should be {message}, got {first['input']!r}.") from None


def _nearest(model: type[BaseModel], field: str) -> str:
    """Return ``; did you mean ...?`` for the field that stands nearest to a misspelt one."""
    close = difflib.get_close_matches(field, model.model_fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(model.model_fields)}"
