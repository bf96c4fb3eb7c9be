"""Write the files of a farm job, each whole, from templates that lie beside this module."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from string import Template

from ..disk.atomic import replacing
from ..job.job import Job
from .job import FarmJob


def template(name: str) -> Template:
    """Return a template by its file name; ``$name`` is filled in, ``$$`` is a dollar."""
    return Template((files(__package__) / "templates" / name).read_text("utf-8"))


def filled(which: str, /, **values: object) -> str:
    """Fill a template in. Raises KeyError when a value is missing, so that none is left out unnoticed."""
    return template(which).substitute(values)


def write(path: Path, text: str, *, executable: bool = False) -> None:
    """Write a text file, its folder too. Raises WriteError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8", newline="\n")
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
        told = Job(shot=frames, settings=settings, run=run)
        text = json.dumps(told.model_dump(mode="json", exclude_unset=True), indent=2, ensure_ascii=False)
        write(job.jobs_folder / f"{shot.name}.json", text + "\n")


def quoted(text: str) -> str:
    """Return text as a YAML or JSON string."""
    return json.dumps(text, ensure_ascii=False)
