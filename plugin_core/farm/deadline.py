"""Thinkbox Deadline 10: job and plug-in info files of CommandLine jobs, and a script that submits them.

Not run against Deadline here; written to its manual ("Manual Job Submission", "CommandLine").
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .engines import Engine
from .files import write as write_file
from .files import write_jobs
from .foreign import refuse
from .job import FarmJob, FarmShot

_TAKEN = re.compile(r'"|<[^<>]*>|\\$')
"""A quote, what Deadline fills in (<STARTFRAME>), and a backslash before the quote that ends an argument."""


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError, InputError for what it can't hold."""
    refuse(job, engine.title, _TAKEN)
    write_jobs(job)
    files = _Files(job, engine)
    names: list[str] = []
    for shot in job.shots:
        paint = None
        if shot.paint is not None:
            given = job.paint_arguments(job.path_of(shot), engine.dialect)
            paint = files.put(shot.paint, "0", 1, given)
            names.append(paint)
        names += _chain(files, shot, paint) if shot.is_chain else [_grid(files, shot, paint)]
        last = names[-1]
        qc = job.last_step(shot)
        if qc:
            names.append(files.put(shot.qc, "0", 1, qc, after=last))
    listed = "[\n" + "".join(f'    "{name}",\n' for name in names) + "]"
    write_file(job.folder / "submit.py", engine.filled("submit.py.txt", jobs=listed))
    return [f"python {job.folder / 'submit.py'}"]


class _Files:
    """The two files of each job."""

    def __init__(self, job: FarmJob, engine: Engine) -> None:
        self.job = job
        self.engine = engine

    def put(
        self, name: str, frames: str, size: int, arguments: Iterable[str], after: str | None = None
    ) -> str:
        """Write them; returns the name."""
        job, filled = self.job, self.engine.filled
        info = filled(
            "job_info.txt",
            name=f"{job.name} {name}",
            batch=job.name,
            frames=frames,
            chunk=size,
            tries=job.manners.tries,
            dependencies="" if after is None else f"JobDependencies=@{after}@",
        )
        words = " ".join(_quoted(word) for word in arguments)
        plugin = filled("plugin_info.txt", command=job.manners.command, arguments=words)
        write_file(job.folder / f"{name}.job_info.txt", info.rstrip("\n") + "\n")
        write_file(job.folder / f"{name}.plugin_info.txt", plugin)
        return name


def _grid(files: _Files, shot: FarmShot, after: str | None) -> str:
    """One job whose tasks are the shot's chunks: Deadline cuts them from the first frame on, as we do."""
    size = shot.chunk_frames or shot.last - shot.first + 1
    frames = None if shot.chunk_frames is None else "<STARTFRAME>-<ENDFRAME>"
    arguments = files.job.arguments(shot, shot.parts[0], files.engine.dialect, frames)
    return files.put(shot.name, f"{shot.first}-{shot.last}", size, arguments, after)


def _chain(files: _Files, shot: FarmShot, before: str | None) -> list[str]:
    """A job for each chunk: tasks of one job may run in any order after a requeue."""
    names: list[str] = []
    for part in shot.parts:
        after = names[-1] if names else before
        size = part.last - part.first + 1
        arguments = files.job.arguments(shot, part, files.engine.dialect)
        names.append(files.put(part.name, f"{part.first}-{part.last}", size, arguments, after))
    return names


def _quoted(word: str) -> str:
    """Return a word as an argument: in quotes where it is empty, or might be cut or shortened."""
    return word if re.fullmatch(r"[^\s'\\#]+", word) else f'"{word}"'
