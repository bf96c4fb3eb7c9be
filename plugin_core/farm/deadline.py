"""Thinkbox Deadline 10: job and plug-in info files of CommandLine jobs, and a script that submits them.

Not run against Deadline here; written to its manual ("Manual Job Submission", "CommandLine").
"""

from __future__ import annotations

from collections.abc import Iterable

from .files import filled, write, write_jobs
from .job import JOBS, FarmJob, FarmShot, Part


def write_deadline(job: FarmJob) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError."""
    write_jobs(job)
    names: list[str] = []
    for shot in job.shots:
        names += _chain(job, shot) if shot.is_chain else [_grid(job, shot)]
        last = names[-1]
        qc = job.qc_arguments(shot.name)
        if qc:
            names.append(_put(job, f"{shot.name}.qc", "0", 1, qc, after=last))
    listed = "[\n" + "".join(f'    "{name}",\n' for name in names) + "]"
    write(job.folder / "submit.py", filled("deadline_submit.py.txt", jobs=listed))
    return [f"python {job.folder / 'submit.py'}"]


def _grid(job: FarmJob, shot: FarmShot) -> str:
    """One job whose tasks are the shot's chunks: Deadline cuts them from the first frame on, as we do."""
    frames = f"{shot.first}-{shot.last}"
    size = shot.chunk_frames or shot.last - shot.first + 1
    part = Part(shot.name, shot.first, shot.last)
    arguments = job.arguments(shot, part, "deadline")
    if shot.chunk_frames is not None:
        arguments.insert(3, "--chunk=<STARTFRAME>-<ENDFRAME>")
    return _put(job, shot.name, frames, size, arguments)


def _chain(job: FarmJob, shot: FarmShot) -> list[str]:
    """A job for each chunk: tasks of one job may run in any order after a requeue."""
    names: list[str] = []
    for part in shot.parts:
        after = names[-1] if names else None
        size = part.last - part.first + 1
        arguments = job.arguments(shot, part, "deadline")
        names.append(_put(job, part.name, f"{part.first}-{part.last}", size, arguments, after))
    return names


def _put(
    job: FarmJob, name: str, frames: str, size: int, arguments: Iterable[str], after: str | None = None
) -> str:
    dependencies = "" if after is None else f"JobDependencies=@{after}@"
    info = filled(
        "deadline_job_info.txt",
        name=f"{job.name} {name}",
        batch=job.name,
        frames=frames,
        chunk=size,
        tries=job.manners.tries,
        dependencies=dependencies,
    )
    words = " ".join(_quoted(word.replace(JOBS, str(job.jobs_folder))) for word in arguments)
    plugin = filled("deadline_plugin_info.txt", command=job.manners.command, arguments=words)
    write(job.folder / f"{name}.job_info.txt", info.rstrip("\n") + "\n")
    write(job.folder / f"{name}.plugin_info.txt", plugin)
    return name


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
