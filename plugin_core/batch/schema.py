"""Write the published JSON Schemas of jobs and lists of shots: `python -m plugin_core.batch.schema docs`.

Without a folder that of job.json is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ..job.job import Job
from .shots import PARTS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def shots_schema() -> dict[str, Any]:
    """Return the schema of a list of shots: the job's fields side by side, in defaults and in each shot."""
    job = Job.model_json_schema()
    parts = {"shot": "Shot", "settings": "Settings", "run": "Run"}
    fields: dict[str, Any] = {}
    for part, names in PARTS.items():
        known = job["$defs"][parts[part]]["properties"]
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


def write_schemas(folder: Path) -> None:
    """Write both."""
    for name, schema in (("job", Job.model_json_schema()), ("shots", shots_schema())):
        (folder / f"{name}.schema.json").write_text(json.dumps(schema, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_schemas(Path(sys.argv[1]))
    else:
        print(json.dumps(Job.model_json_schema(), indent=2))
