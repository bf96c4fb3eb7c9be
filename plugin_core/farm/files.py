"""Write the files of a farm job, each whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..disk.atomic import replacing
from ..disk.folders import make_folder
from ..errors import InputError
from .job import FarmJob

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write(path: Path, text: str, *, executable: bool = False) -> None:
    """Write a text file, its folder too. Raises WriteError, InputError for a path that is not Unicode."""
    try:
        written = text.encode("utf-8")
    except UnicodeEncodeError as error:
        bad = text[max(0, error.start - 40) : error.end]
        raise InputError(f"{path.name} can't hold {bad!r}, which is not Unicode; rename it.") from None
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_bytes(written)
        if executable:
            temporary.chmod(0o755)


def write_jobs(job: FarmJob) -> None:
    """Write a job.json for each shot. Raises WriteError."""
    for shot in job.shots:
        fields = shot.source.job
        run = fields.run.model_copy(update={"resume": True, "wait_seconds": 300.0})
        pre_roll = fields.settings.pre_roll if shot.chunk_frames is not None else None
        settings = fields.settings.model_copy(update={"pre_roll": pre_roll})
        # A frame that appears on disk later must not change the grid.
        frames = fields.shot.model_copy(update={"frames": f"{shot.first}-{shot.last}"})
        told = fields.model_copy(update={"shot": frames, "settings": settings, "run": run})
        text = json.dumps(told.model_dump(mode="json", exclude_unset=True), indent=2, ensure_ascii=False)
        write(job.jobs_folder / f"{shot.name}.json", text + "\n")


def quoted(text: str) -> str:
    """Return text as a string of YAML and of JSON: in quotes, with an escape for what YAML can't hold."""
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
