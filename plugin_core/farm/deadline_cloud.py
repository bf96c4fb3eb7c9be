"""AWS Deadline Cloud: a job bundle around the Open Job Description template."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..clips.movie_read import is_movie
from .files import filled, quoted, write, write_jobs
from .job import FarmJob
from .openjd import openjd_template


def write_deadline_cloud(job: FarmJob) -> list[str]:
    """Write the bundle; returns what to do with it. Raises WriteError, InputError when it grows too large."""
    write_jobs(job)
    write(job.folder / "template.yaml", openjd_template(job))
    write(
        job.folder / "parameter_values.yaml",
        filled(
            "deadline_cloud_parameters.yaml",
            retries=max(0, job.manners.tries - 1),
            tolerated=10_000,
            command=quoted(job.manners.command),
        ),
    )
    shots = [shot.source.job.shot for shot in job.shots]
    write(
        job.folder / "asset_references.yaml",
        filled(
            "deadline_cloud_assets.yaml",
            inputs=_listed(_folder(path) for shot in shots for path in (shot.plate, shot.matte)),
            outputs=_listed(_folder(shot.output) for shot in shots),
        ),
    )
    return [f"deadline bundle info {job.folder}", f"deadline bundle submit {job.folder}"]


def _folder(pattern: str) -> str:
    path = Path(pattern)
    return str(path.parent if path.suffix or is_movie(path) else path)


def _listed(folders: Iterable[str]) -> str:
    return "\n".join(f"      - {quoted(folder)}" for folder in sorted(set(folders)))
