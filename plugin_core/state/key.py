"""What a state, a journal or a movie is valid for, and how that is compared with a render of now.

A key has a part for everything that pixels depend on. A setting that has its default is left out of it, and a
setting that a key does not name has its default: so the key of a version that did not know a setting yet, and
the key of one that spelled all of them out, are as good as ours. Whoever changes what a default is or does
must then say here what the absence of the setting means.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ..errors import StateError
from ..job.settings import Settings, Shot

ShotKey = Mapping[str, str]
"""Everything a state depends on, by name: model, working geometry, color, settings that change pixels."""


def settings_key(settings: Settings) -> dict[str, str]:
    """Return the parts of a key that settings are: those that don't have their default."""
    parts = {_name(field): str(value) for field, value in settings.effective().items()}
    return {name: value for name, value in parts.items() if value != _left_out()[name]}


def differences(found: ShotKey, expected: ShotKey) -> list[tuple[str, str, str]]:
    """Return (name, found, expected) of every part in which two keys differ."""
    old, new = _left_out() | dict(found), _left_out() | dict(expected)
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return [(name, old.get(name, "absent"), new.get(name, "none")) for name in names]


def check_key(found: ShotKey, expected: ShotKey, what: str) -> None:
    """Raise StateError naming every part in which a saved key differs from this shot's."""
    different = [f"{name} is {was}, this render has {now}" for name, was, now in differences(found, expected)]
    if different:
        raise StateError(f"{what} belongs to another render: {'; '.join(different)}.")


def chosen(asked: Shot | Settings) -> dict[str, Any]:
    """Return the fields of a shot or of settings, as JSON, that don't have their defaults."""
    named = asked.model_dump(mode="json", exclude_defaults=True)
    return {name: value for name, value in _fields(asked).items() if name in named}


def same_choice(known: object, asked: Shot | Settings) -> bool:
    """Whether fields that were noted once, defaults spelled out or not, are those asked for now."""
    fields, named = _fields(asked), chosen(asked)
    unnamed = {name: value for name, value in fields.items() if name not in named}
    return isinstance(known, Mapping) and {**unnamed, **known} == fields


def _fields(asked: Shot | Settings) -> dict[str, Any]:
    return asked.effective() if isinstance(asked, Settings) else asked.model_dump(mode="json")


@functools.cache
def _left_out() -> dict[str, str]:
    """What each setting is where a key does not name it."""
    return {_name(field): str(value) for field, value in Settings().effective().items()}


def _name(field: str) -> str:
    return field.replace("_", " ")
