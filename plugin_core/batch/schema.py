"""The JSON Schema of a list of shots, made of that of a job; docs/ holds both."""

from __future__ import annotations

from typing import Any

from ..job.job import Job
from ..job.settings import PARTS
from .shots import LISTED

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def shots_schema() -> dict[str, Any]:
    """Return the schema of a list of shots: the job's fields side by side, in defaults and in each shot."""
    job = Job.model_json_schema()
    fields: dict[str, Any] = {"do": _without_default(job["properties"]["do"])}
    for part, names in LISTED.items():
        known = job["$defs"][PARTS[part].__name__]["properties"]
        fields |= {name: _without_default(known[name]) for name in names}
    fields["chunk_frames"] = {
        "anyOf": [{"minimum": 1, "type": "integer"}, {"type": "null"}],
        "title": "Chunk Frames",
        "description": "Frames of a chunk on a farm; with pre_roll, chunks render side by side.",
    }
    name = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
    entry = {"type": "object", "additionalProperties": False}
    return {
        "$schema": _DRAFT,
        "title": "A list of shots for cleanplate batch and cleanplate farm",
        "description": "{name} in a path is the shot's name; relative paths begin at the list's folder.",
        "type": "object",
        "additionalProperties": False,
        "required": ["shots"],
        "properties": {
            "version": {"const": 1},
            "defaults": {**entry, "properties": fields},
            "shots": {
                "type": "array",
                "items": {**entry, "required": ["name"], "properties": {"name": name, **fields}},
            },
        },
    }


def _without_default(field: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name != "default"}
