"""Slurm: arrays for shots and grids, jobs that wait for one another for chains, and a submit script."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from .files import filled, write, write_jobs
from .job import JOBS, FarmJob, FarmShot


def write_slurm(job: FarmJob) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError."""
    write_jobs(job)
    needs, manners = job.needs, job.manners
    task = filled(
        "slurm_task.sbatch",
        name=_word(job.name),
        cores=needs.cores,
        memory=needs.memory_mib,
        notice=manners.notice_seconds,
        tries=manners.tries,
        command=shlex.quote(manners.command),
    )
    write(job.folder / "task.sbatch", task)
    steps = [*_whole(job, [shot for shot in job.shots if len(shot.parts) == 1])]
    for shot in job.shots:
        if len(shot.parts) > 1:
            steps += _chain(job, shot) if shot.is_chain else _grid(job, shot)
    write(job.folder / "submit.sh", filled("slurm_submit.sh", steps="\n".join(steps)), executable=True)
    return [f"sh {job.folder / 'submit.sh'}"]


def _whole(job: FarmJob, shots: Sequence[FarmShot]) -> Iterable[str]:
    """One array of all whole shots; each shot's last step waits for its own task only."""
    if not shots:
        return
    _lines(job, "shots", [job.arguments(shot, shot.parts[0], "auto") for shot in shots])
    yield f"# {len(shots)} whole shots"
    yield f"id=$({_queue(job)} --array=1-{len(shots)} task.sbatch tasks/shots.tsv)"
    yield 'echo "shots: $id"'
    if job.manners.qc:
        _lines(job, "shots.qc", [job.qc_arguments(shot.name) for shot in shots])
        yield f"queue --array=1-{len(shots)} --dependency=aftercorr:$id task.sbatch tasks/shots.qc.tsv"


def _grid(job: FarmJob, shot: FarmShot) -> Iterable[str]:
    _lines(job, shot.name, [job.arguments(shot, part, "auto") for part in shot.parts])
    yield f"# {shot.name}: {len(shot.parts)} chunks with a pre-roll, side by side"
    yield f"id=$({_queue(job)} --array=1-{len(shot.parts)} task.sbatch tasks/{shot.name}.tsv)"
    yield f'echo "{shot.name}: $id"'
    yield from _qc(job, shot)


def _chain(job: FarmJob, shot: FarmShot) -> Iterable[str]:
    _lines(job, shot.name, [job.arguments(shot, part, "auto") for part in shot.parts])
    yield f"# {shot.name}: {len(shot.parts)} chunks, each with the state of the one before"
    queue, tasks = _queue(job), f"task.sbatch tasks/{shot.name}.tsv"
    yield f"id=$({queue} --array=1 {tasks})"
    for number in range(2, len(shot.parts) + 1):
        yield f"id=$({queue} --array={number} --dependency=afterok:$id {tasks})"
    yield f'echo "{shot.name}: $id"'
    yield from _qc(job, shot)


def _qc(job: FarmJob, shot: FarmShot) -> Iterable[str]:
    if job.manners.qc:
        _lines(job, f"{shot.name}.qc", [job.qc_arguments(shot.name)])
        yield f"queue --array=1 --dependency=afterok:$id task.sbatch tasks/{shot.name}.qc.tsv"


def _queue(job: FarmJob) -> str:
    """The call for what renders; the steps that only look need no card."""
    return "queue --gres=gpu:1" if job.needs.gpu else "queue"


def _lines(job: FarmJob, name: str, tasks: Sequence[Sequence[str]]) -> None:
    """Write a file of argument lists: a line for each task, a tab between arguments."""
    lines = ("\t".join(word.replace(JOBS, str(job.jobs_folder)) for word in words) for words in tasks)
    write(job.folder / "tasks" / f"{name}.tsv", "\n".join(lines) + "\n")


def _word(name: str) -> str:
    return "_".join(name.split())
