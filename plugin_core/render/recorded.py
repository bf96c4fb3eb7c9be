"""The job that a render leaves beside its output: whoever looks at the result knows how it was made."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence, FrameRange
from ..disk.atomic import replacing
from ..disk.folders import make_folder
from ..errors import CleanplateError, InputError
from ..job.about import abouts, paths_of
from ..job.job import Job
from ..job.settings import Run, Settings, Shot
from ..job.strict import Strict
from ..state.folder import job_path, jobs_beside, movie_folder, output_folder
from .sources import Sources

_LEFT_OUT = ("keep_edited",)
"""Of a `Run`, beside what belongs to one run only: what was decided for the files that were there then."""


def job_to_record(job: Job, sources: Sources) -> Job:
    """Return a job as it can be run again from anywhere on this machine.

    Every setting is spelled out, paths are absolute, the frames are those of the whole shot. What belonged to
    this run only (its chunk, resume or overwrite, its progress file) is left out.

    Args:
        job: as asked for: its output may be a movie.
        sources: what is rendered.
    """
    shot, run = job.shot, job.run
    frames = shot.frame_range()
    there = sources.plate.frames()
    first, last = (there[0], there[-1]) if frames is None else (frames.first, frames.last)
    kept = [name for name, about in abouts(Run).items() if not about.once and name not in _LEFT_OUT]
    asked: dict[str, Any] = {name: getattr(run, name) for name in kept if name in run.model_fields_set}
    asked["model"] = _absolute(run.model) if Path(run.model).exists() else run.model
    asked |= {name: _absolute(asked[name]) for name in paths_of(Run) if asked.get(name)}
    parts = {name: _placed(getattr(job, name)) for name in ("shot", "restore", "retarget")}
    parts["shot"] = parts["shot"].model_copy(update={"frames": f"{first}-{last}"})
    return job.model_copy(update={**parts, "run": Run(**asked)})


def record(job: Job, output: FileSequence) -> Job:
    """Leave a job beside its output, and return it. Raises WriteError.

    Where the shot was rendered in ranges that meet, one after the other, the frames of all are noted.

    Args:
        job: from `job_to_record`.
        output: the sequence that is written.
    """
    movie = Path(job.shot.output)
    path = job_path(movie_folder(movie) if is_movie(movie) else output_folder(output))
    with contextlib.suppress(CleanplateError):
        job = _joined(Job.read(path), job)
    make_folder(path.parent)
    _write(path, job)
    return job


def write_job(path: Path, job: Job) -> None:
    """Write a job where somebody wants it; in a folder, as job.json.

    Raises:
        InputError: something else than a job has the name.
        WriteError: the disk does not take it.
    """
    path = path / "job.json" if path.is_dir() else path
    if os.path.lexists(path):
        try:
            Job.read(path)
        except CleanplateError:
            raise InputError(f"{path} is there already and holds no job; give --write-job another.") from None
    make_folder(path.parent)
    _write(path, job)


def recorded_job(result: str) -> Path | None:
    """Return the job that a render has left beside its result; None where there is none.

    Args:
        result: the output as a pattern, a folder or a movie; it may have been moved since.
    """
    path = Path(result)
    if is_movie(path):
        found = job_path(movie_folder(path))
        return found if found.is_file() else None
    inside = path.is_dir() or not path.suffix
    with contextlib.suppress(CleanplateError):
        sequence = FileSequence.parse(path)
        found = job_path(output_folder(sequence))
        if not sequence.is_still and found.is_file():
            return found
    candidates = jobs_beside(path if inside else path.parent)
    if not inside:
        candidates = [one for one in candidates if _output_name(one) == path.name]
    return candidates[0] if len(candidates) == 1 else None


def disagreements(given: Job, recorded: Job) -> list[str]:
    """Say in what the settings and inputs of a job are not those of the render that made the result."""
    told = []
    for what, ours, theirs in (
        *(
            (name, given.shot, recorded.shot)
            for name in Shot.model_fields
            if name not in ("output", "frames", "patch", "layers")
        ),
        *((name, given.settings, recorded.settings) for name in Settings.model_fields),
    ):
        now, then = getattr(ours, what), getattr(theirs, what)
        if what in paths_of(Shot):
            now, then = _absolute(now), _absolute(then)
        if now != then:
            told.append(f"{what.replace('_', ' ')} is {_shown(now)} here, the render had {_shown(then)}")
    return told


def _placed(part: Strict) -> Strict:
    """Return a part of a job with absolute paths."""
    given = {name: getattr(part, name) for name in paths_of(type(part))}
    return part.model_copy(update={name: _absolute(path) for name, path in given.items() if path})


def _shown(value: object) -> str:
    return "none" if value in (None, ()) else str(value)


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)  # noqa: PTH100 - takes .. out, follows no link


def _joined(before: Job, now: Job) -> Job:
    """Return a job with the frames of an earlier one too, where they meet and all else is the same."""
    if before.do != now.do:
        return now
    frames = [FrameRange.parse(job.shot.frames or "") for job in (before, now)]
    shots = [job.shot.model_dump(exclude={"frames"}) for job in (before, now)]
    first, last = min(one.first for one in frames), max(one.last for one in frames)
    meets = max(one.first for one in frames) <= min(one.last for one in frames) + 1
    if not (shots[0] == shots[1] and meets and before.settings.model_dump() == now.settings.model_dump()):
        return now
    return now.model_copy(update={"shot": now.shot.model_copy(update={"frames": f"{first}-{last}"})})


def _output_name(path: Path) -> str:
    try:
        return Path(Job.read(path).shot.output).name
    except CleanplateError:
        return ""


def _write(path: Path, job: Job) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_told(job), indent=2, ensure_ascii=False) + "\n", "utf-8")


def _told(job: Job) -> dict[str, Any]:
    parts = {"restore": ("detect", "restore"), "retarget": ("retarget",)}
    what = {} if job.do == "render" else {"do": job.do}
    own = [part for part, modes in parts.items() if job.do in modes]
    return {
        "version": job.version,
        **what,
        "shot": job.shot.model_dump(mode="json", exclude_none=True),
        "settings": job.settings.model_dump(mode="json"),
        "run": job.run.model_dump(mode="json", exclude_unset=True),
        **{part: getattr(job, part).model_dump(mode="json", exclude_none=True) for part in own},
    }
