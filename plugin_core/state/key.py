"""What a state, a journal or a movie is valid for, and how that is compared with a render of now.

A key has a part for everything that pixels depend on. A setting that has its first default is left out of it,
and a setting that a key does not name has that: so the key of a version that did not know a setting yet, and
the key of one that spelled all of them out, are as good as ours. What a default was when keys began to leave
it out stands here for good, whatever it is now: an old state is taken for what it is.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import StateError
from ..job.settings import Settings, Shot

_FIRST: Mapping[str, Any] = {"grow": 0, "feather": 0, "paint": "network"}
"""What settings were by default until 0.2, and are no more."""

FRAMES_ON_DISK, FIRST_FRAME = "frames on disk", "first frame"
RANGE = (FRAMES_ON_DISK, FIRST_FRAME)
"""Parts of a key in which a longer range differs: see `render.outgrown`."""

ShotKey = Mapping[str, str]
"""Everything a state depends on, by name: model, working geometry, color, settings that change pixels."""


def settings_key(settings: Settings) -> dict[str, str]:
    """Return the parts of a key that settings are: those that don't have their first default."""
    parts = {_name(field): str(value) for field, value in settings.effective().items()}
    return {name: value for name, value in parts.items() if value != _left_out()[name]}


def differences(found: ShotKey, expected: ShotKey) -> list[tuple[str, str, str]]:
    """Return (name, found, expected) of every part in which two keys differ."""
    old, new = _left_out() | dict(found), _left_out() | dict(expected)
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return [(name, old.get(name, "absent"), new.get(name, "none")) for name in names]


def check_key(
    found: ShotKey, expected: ShotKey, what: str, *, besides: Collection[str] = (), advice: str = ""
) -> None:
    """Raise StateError naming every part in which a saved key differs from this shot's.

    Args:
        found: the saved key.
        expected: this shot's.
        what: whose the saved key is, for the message.
        besides: parts that may differ.
        advice: what to do, for the message; a sentence.
    """
    different = [
        f"{name} is {was}, this render has {now}"
        for name, was, now in differences(found, expected)
        if name not in besides
    ]
    if different:
        told = f"{what} belongs to another render: {'; '.join(different)}. {advice}"
        raise StateError(told.rstrip())


def chosen(asked: Shot | Settings) -> dict[str, Any]:
    """Return the fields of a shot or of settings, as JSON, that don't have their first defaults."""
    first = _first(type(asked))
    return {
        name: value for name, value in _fields(asked).items() if name not in first or value != first[name]
    }


def same_choice(known: object, asked: Shot | Settings) -> bool:
    """Whether fields that were noted once, defaults spelled out or not, are those asked for now."""
    return isinstance(known, Mapping) and {**_first(type(asked)), **known} == _fields(asked)


def _fields(asked: Shot | Settings) -> dict[str, Any]:
    return asked.effective() if isinstance(asked, Settings) else asked.model_dump(mode="json")


@functools.cache
def _first(part: type[Shot | Settings]) -> dict[str, Any]:
    """What each field is, as JSON, where nothing that was noted names it."""
    if issubclass(part, Settings):
        return part(**_FIRST).effective()
    needed = {name: "-" for name, field in part.model_fields.items() if field.is_required()}
    return part(**needed).model_dump(mode="json", exclude=set(needed))


@functools.cache
def _left_out() -> dict[str, str]:
    """What each setting is where a key does not name it."""
    return {_name(field): str(value) for field, value in _first(Settings).items()}


def _name(field: str) -> str:
    return field.replace("_", " ")
