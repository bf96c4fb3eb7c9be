"""The core's settings as they are declared there: texts, labels, ranges, defaults, choices and presets.

settings.json beside this module is generated from the core's declarations; see plugin_core/job/catalog.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIELDS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("settings.json").read_text("utf-8"))[
    "fields"
]


def described(name: str) -> dict[str, Any]:
    """Return a setting's name and description as Blender writes them: a title, and no full stop."""
    field = FIELDS[name]
    return {"name": field["label"].title(), "description": field["text"].rstrip(".")}


def ranged(name: str) -> dict[str, Any]:
    """Return a number's limits, and those of its slider."""
    field = FIELDS[name]
    low, high = field.get("slider", (field["minimum"], field["maximum"]))
    return {"min": field["minimum"], "max": field["maximum"], "soft_min": low, "soft_max": high}


def items(name: str) -> tuple[tuple[str, str, str], ...]:
    """Return a setting's choices as an EnumProperty has them; `choice` leads back."""
    return tuple(
        (choice.upper(), choice.title(), meaning[0].upper() + meaning[1:])
        for choice, meaning in FIELDS[name]["choices"].items()
    )


def choice(item: str) -> str:
    """Return what the core calls an item."""
    return item.lower()


def presets(quality: str) -> dict[str, Any]:
    """Return what a quality sets of other settings."""
    return dict(FIELDS["quality"]["presets"][quality])
