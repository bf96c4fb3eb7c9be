"""Pixar's Tractor: a job script. A chain is a task whose subtasks run one after the other.

Not run against Tractor here; written to its manual ("Job Scripting"). The job's -retryrc names the exit codes
after which another try may help, 143 among them: Tractor never retries a task that a signal ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .files import filled, write, write_jobs
from .job import JOBS, FarmJob, FarmShot


def write_tractor(job: FarmJob) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError."""
    write_jobs(job)
    tasks = "\n".join(line for shot in job.shots for line in _shot(job, shot))
    service = "cleanplate,gpu" if job.needs.gpu else "cleanplate"
    text = filled("tractor.alf", name=_safe(job.name), service=service, cores=job.needs.cores, tasks=tasks)
    write(job.folder / "job.alf", text)
    return [f"tractor-spool {job.folder / 'job.alf'}"]


def _shot(job: FarmJob, shot: FarmShot) -> Iterator[str]:
    """A shot's task: its parts first, then the step that looks at it."""
    yield f"  Task {{{shot.name}}} -serialsubtasks 1 -subtasks {{"
    serial = " -serialsubtasks 1" if shot.is_chain else ""
    yield f"    Task {{{shot.name} render}}{serial} -subtasks {{"
    for part in shot.parts:
        yield f"      Task {{{part.first}-{part.last}}} -cmds {{"
        yield f"        {_command(job, job.arguments(shot, part, 'tractor'))}"
        yield "      }"
    yield "    }"
    qc = job.qc_arguments(shot.name)
    if qc:
        yield f"    Task {{{shot.name} qc}} -cmds {{"
        yield f"      {_command(job, qc)}"
        yield "    }"
    yield "  }"


def _command(job: FarmJob, arguments: Iterable[str]) -> str:
    words = [job.manners.command, *(word.replace(JOBS, str(job.jobs_folder)) for word in arguments)]
    return f"RemoteCmd {{{' '.join(f'{{{_safe(word)}}}' for word in words)}}}"


def _safe(word: str) -> str:
    """Return a word that may stand in Tcl's braces."""
    return word.replace("\\", "/").replace("{", "(").replace("}", ")")
