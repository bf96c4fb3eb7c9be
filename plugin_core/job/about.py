"""What a field says of itself: where texts, units, names and ranges that people see come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

Group = Literal[
    "shot",
    "matte",
    "damage",
    "format",
    "blend",
    "fill",
    "network",
    "color",
    "stored",
    "model",
    "run",
    "chunk",
]

GROUPS: Mapping[Group, str] = {
    "shot": "the shot",
    "matte": "what goes away",
    "damage": "film damage, to detect or restore",
    "format": "the new format, to retarget",
    "blend": "how the fill meets the plate",
    "fill": "where the fill comes from",
    "network": "what the network sees",
    "color": "color",
    "stored": "how the output is stored",
    "model": "model and device",
    "run": "how the render runs",
    "chunk": "a shot in chunks",
}
"""Titles of the groups that fields are shown in, in their order."""


@dataclass(frozen=True)
class About:
    """What one field of a job says of itself; stands in its annotation.

    Attributes:
        text: one or two sentences for whoever sets it.
        label: what a panel calls it, in lower case.
        group: the group it is shown in.
        level: `basic` for what most shots need, `advanced` for the rest.
        brief: of a basic field, what the short help says of it, so that it fits a screen.
        metavar: what stands for its value in the command's help; none for a switch or a choice.
        unit: of a number, in the plural.
        option: the command's option without dashes, where it is not the field's name.
        unset: what happens when nothing is given, where the default does not say it.
        words: words that a number may be given as.
        choices: what each of its choices means.
        presets: what each of its choices sets of other fields that are not given.
        slider: lowest and highest value a panel's slider reaches; others can still be typed.
        bare: of an option that may be given without a value, the field and the name that are meant then.
        once: it belongs to one run of a shot, so that a list of shots can't hold it.
        path: it names a file or folder, which another machine may call something else.
    """

    text: str
    label: str
    group: Group
    level: Literal["basic", "advanced"] = "advanced"
    brief: str = ""
    metavar: str = ""
    unit: str = ""
    option: str = ""
    unset: str = ""
    words: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    slider: tuple[int, int] | None = None
    bare: tuple[str, str] | None = None
    once: bool = False
    path: bool = False

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Write the text into the published schema."""
        return {**handler(schema), "description": self.text}


def abouts(model: type[BaseModel]) -> dict[str, About]:
    """Return what each field of a model says of itself, in their order.

    Raises:
        StopIteration: a field says nothing.
    """
    return {
        name: next(told for told in info.metadata if isinstance(told, About))
        for name, info in model.model_fields.items()
    }


def paths_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a model that name files or folders."""
    return tuple(name for name, about in abouts(model).items() if about.path)
