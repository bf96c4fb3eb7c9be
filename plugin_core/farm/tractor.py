"""Pixar's Tractor: a job script. A chain is a task whose subtasks run one after the other.

Not run against Tractor here; written to its manual ("Job Scripting"). The job's -retryrc names the exit codes
after which another try may help, 143 among them: Tractor never retries a task that a signal ended.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from .engines import Engine
from .files import write as write_file
from .files import write_jobs
from .foreign import refuse
from .job import FarmJob, FarmShot

_TAKEN = re.compile(r"[{}]|%[A-Za-z%]|^~" + ("" if os.name == "nt" else r"|\\"))
"""Braces and backslashes are Tcl's; %h is filled in, and ~ is somebody's home."""


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError, InputError for what it can't hold."""
    refuse(job, engine.title, _TAKEN)
    write_jobs(job)
    tasks = "\n".join(line for shot in job.shots for line in _shot(job, shot, engine.dialect))
    text = engine.filled(
        "job.alf", name=_word(job.name), service="cleanplate", cores=job.needs.cores, tasks=tasks
    )
    write_file(job.folder / "job.alf", text)
    return [f"tractor-spool {job.folder / 'job.alf'}"]


def _shot(job: FarmJob, shot: FarmShot, dialect: str) -> Iterator[str]:
    """A shot's task: its key frames, its parts, then the step that looks at it."""
    yield f"  Task {{{shot.name}}} -serialsubtasks 1 -subtasks {{"
    if shot.paint is not None:
        yield from _step(job, f"{shot.name} paint", job.paint_arguments(job.path_of(shot), dialect))
    serial = " -serialsubtasks 1" if shot.is_chain else ""
    yield f"    Task {{{shot.name} render}}{serial} -subtasks {{"
    for part in shot.parts:
        yield f"      Task {{{part.first}-{part.last}}} -cmds {{"
        card = job.needs.gpu and shot.takes_card
        yield f"        {_command(job, job.arguments(shot, part, dialect), card=card)}"
        yield "      }"
    yield "    }"
    qc = job.last_step(shot)
    if qc:
        yield from _step(job, f"{shot.name} qc", qc)
    yield "  }"


def _step(job: FarmJob, title: str, arguments: Iterable[str]) -> Iterator[str]:
    yield f"    Task {{{title}}} -cmds {{"
    yield f"      {_command(job, arguments)}"
    yield "    }"


def _command(job: FarmJob, arguments: Iterable[str], *, card: bool = False) -> str:
    words = [job.manners.command, *arguments]
    service = " -service {cleanplate,gpu}" if card else ""
    return f"RemoteCmd {{{' '.join(f'{{{_word(word)}}}' for word in words)}}}{service}"


def _word(word: str) -> str:
    """Return a word as it stands in braces: backslashes are Tcl's, and Windows takes slashes as well."""
    return word.replace("\\", "/")
