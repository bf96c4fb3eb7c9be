"""Slurm: arrays for shots and grids, jobs that wait for one another for chains, and a submit script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator, Iterable, Sequence

from .engines import Engine
from .files import write as write_file
from .files import write_jobs
from .foreign import refuse
from .job import FarmJob, FarmShot
from .names import Names


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError, InputError for what it can't hold."""
    refuse(job, engine.title)
    write_jobs(job)
    needs, manners = job.needs, job.manners
    task = engine.filled(
        "task.sbatch",
        name=_word(job.name),
        cores=needs.cores,
        memory=needs.memory_mib,
        notice=manners.notice_seconds,
        tries=manners.tries,
        command=shlex.quote(manners.command),
    )
    write_file(job.folder / "task.sbatch", task)
    steps = "\n".join(_Steps(job, engine).all())
    write_file(job.folder / "submit.sh", engine.filled("submit.sh", steps=steps), executable=True)
    return [f"sh {job.folder / 'submit.sh'}"]


class _Steps:
    """The lines that queue the tasks, whose arguments are written to files as they go."""

    def __init__(self, job: FarmJob, engine: Engine) -> None:
        self._job = job
        self._dialect = engine.dialect
        self._names = Names()

    def all(self) -> Iterable[str]:
        """Write the files of arguments; returns the lines."""
        parted = [shot for shot in self._job.shots if len(shot.parts) > 1]
        # The shots come first, so that their files have their names.
        files = [
            (self._tasks(shot), self._qc_tasks(shot.qc, [shot]), self._paint_tasks(shot)) for shot in parted
        ]
        whole = [shot for shot in self._job.shots if len(shot.parts) == 1]
        yield from self._whole("shots", [shot for shot in whole if shot.takes_card])
        yield from self._whole("others", [s for s in whole if s.is_checked and not s.takes_card])
        yield from self._whole("mattes", [shot for shot in whole if not shot.is_checked])
        for shot, (tasks, checks, paint) in zip(parted, files, strict=True):
            yield from self._chain(shot, tasks, paint) if shot.is_chain else self._grid(shot, tasks, paint)
            yield f'echo "{shot.name}: $id"'
            if checks is not None:
                yield f"queue --array=1 --dependency=afterok:$id task.sbatch {checks}"

    def _queue(self, shot: FarmShot) -> str:
        """Return the command that queues what makes a shot's frames."""
        return "queue --gres=gpu:1" if self._job.needs.gpu and shot.takes_card else "queue"

    def _whole(self, wanted: str, shots: Sequence[FarmShot]) -> Iterable[str]:
        """One array of whole shots; each shot's last step waits for its own task only."""
        if not shots:
            return
        job = self._job
        tasks = self._lines(wanted, [job.arguments(shot, shot.parts[0], self._dialect) for shot in shots])
        yield f"# {len(shots)} whole shots"
        yield f"id=$({self._queue(shots[0])} --array=1-{len(shots)} task.sbatch {tasks})"
        yield f'echo "{wanted}: $id"'
        checks = self._qc_tasks(f"{wanted}.qc", shots)
        if checks is not None:
            yield f"queue --array=1-{len(shots)} --dependency=aftercorr:$id task.sbatch {checks}"

    def _grid(self, shot: FarmShot, tasks: str, paint: str | None) -> Iterable[str]:
        how = "with a pre-roll" if shot.has_pre_roll else "of files alone"
        yield f"# {shot.name}: {len(shot.parts)} chunks {how}, side by side"
        after = yield from self._painted(paint)
        yield f"id=$({self._queue(shot)} --array=1-{len(shot.parts)}{after} task.sbatch {tasks})"

    def _chain(self, shot: FarmShot, tasks: str, paint: str | None) -> Iterable[str]:
        yield f"# {shot.name}: {len(shot.parts)} chunks, each with the state of the one before"
        after = yield from self._painted(paint)
        yield f"id=$({self._queue(shot)} --array=1{after} task.sbatch {tasks})"
        for number in range(2, len(shot.parts) + 1):
            yield f"id=$({self._queue(shot)} --array={number} --dependency=afterok:$id task.sbatch {tasks})"

    def _painted(self, paint: str | None) -> Generator[str, None, str]:
        """Queue the step that makes key frames; returns how what follows waits for it."""
        if paint is None:
            return ""
        yield f"id=$(queue --array=1 task.sbatch {paint})"
        return " --dependency=afterok:$id"

    def _paint_tasks(self, shot: FarmShot) -> str | None:
        if shot.paint is None:
            return None
        path = self._job.path_of(shot)
        return self._lines(shot.paint, [self._job.paint_arguments(path, self._dialect)])

    def _tasks(self, shot: FarmShot) -> str:
        arguments = [self._job.arguments(shot, part, self._dialect) for part in shot.parts]
        return self._lines(shot.name, arguments)

    def _qc_tasks(self, wanted: str, shots: Sequence[FarmShot]) -> str | None:
        steps = [self._job.last_step(shot) for shot in shots]
        return self._lines(wanted, steps) if all(steps) else None

    def _lines(self, wanted: str, tasks: Sequence[Sequence[str]]) -> str:
        """Write a file of arguments, a line for each task, a tab between words; returns its path."""
        path = f"tasks/{self._names.give(wanted)}.tsv"
        write_file(self._job.folder / path, "".join("\t".join(words) + "\n" for words in tasks))
        return path


def _word(name: str) -> str:
    """Return a job's name as one word that is a part of a file's name too: its logs are called by it."""
    return re.sub(r"[^\w.+=:@,-]+", "_", name)
