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


def tooltip(name: str) -> str:
    """Return a setting's text, with what its choices mean."""
    field = FIELDS[name]
    choices = ["'{}': {}.".format(*choice) for choice in field.get("choices", {}).items()]
    return " ".join([field["text"], *choices])


def choices(name: str) -> list[str]:
    """Return what a setting can be."""
    return list(FIELDS[name]["choices"])


def default(name: str) -> str:
    """Return what a text is where nothing is given."""
    return str(FIELDS[name]["default"])


def presets(quality: str) -> dict[str, object]:
    """Return what a quality sets of other settings."""
    return dict(FIELDS["quality"]["presets"][quality])


def effective(asked: dict[str, object]) -> dict[str, object]:
    """Return settings with what their quality sets in place of its name."""
    rest = {name: value for name, value in asked.items() if name != "quality"}
    return {**presets(str(asked["quality"])), **rest}
