"""AWS Deadline Cloud: a job bundle around the Open Job Description template."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..clips.movie_read import is_movie
from ..job.settings import inputs_of
from .engines import ENGINES, Engine
from .files import quoted, write_jobs
from .files import write as write_file
from .foreign import refuse
from .job import FarmJob
from .openjd import openjd_template


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the bundle; returns what to do with it.

    Raises:
        WriteError: a file can't be written.
        InputError: it grows too large, or can't hold a text of the job.
    """
    refuse(job, engine.title)
    template = openjd_template(job, ENGINES["openjd"])
    write_jobs(job)
    write_file(job.folder / "template.yaml", template)
    write_file(
        job.folder / "parameter_values.yaml",
        engine.filled(
            "parameter_values.yaml",
            retries=max(0, job.manners.tries - 1),
            tolerated=10_000,
            command=quoted(job.manners.command),
        ),
    )
    shots = [shot.source.job.shot for shot in job.shots]
    write_file(
        job.folder / "asset_references.yaml",
        engine.filled(
            "asset_references.yaml",
            inputs=_listed(_folder(path) for shot in shots for path in inputs_of(shot)),
            outputs=_listed(_folder(path) for shot in shots for path in (shot.output, shot.patch) if path),
        ),
    )
    return [f"deadline bundle info {job.folder}", f"deadline bundle submit {job.folder}"]


def _folder(pattern: str) -> str:
    path = Path(pattern)
    return str(path.parent if path.suffix or is_movie(path) else path)


def _listed(folders: Iterable[str]) -> str:
    return "\n".join(f"      - {quoted(folder)}" for folder in sorted(set(folders)))
