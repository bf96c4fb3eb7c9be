"""A list of shots as a farm sees it: shots, tasks, what each needs, and what waits for what.

The exporters write this down in the words of their engines. A shot's tasks are

* one, for a shot without ``chunk_frames``: exact;
* a chain, for a shot with ``chunk_frames``: each chunk takes the state of the one before, exact;
* a fixed grid, for one with ``pre_roll`` too: in any order, at the same time, approximate. What is restored,
  or retargeted over a clean plate that is there, is cut so without a pre-roll, and is exact.

Where chunks are painted, a task before them, `cleanplate paint`, makes the key frames that all of them take.

Every other task is `cleanplate render` with the shot's job.json, which says `resume`. Whatever kills a task,
it goes on when it is run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..batch.chunks import grid, is_in_one_go, renders_side_by_side, shot_frames
from ..batch.shots import BatchShot
from ..clips.movie_read import is_movie
from ..errors import InputError
from ..job.job import Job
from ..state.folder import handed_state
from .names import Names


@dataclass(frozen=True)
class Needs:
    """What a task needs of its machine.

    Attributes:
        memory_mib: main memory.
        cores: processor cores.
        gpu: whether a card is asked for.
        gpu_memory_mib: the card's memory.
    """

    memory_mib: int = 8192
    cores: int = 2
    gpu: bool = False
    gpu_memory_mib: int = 8192


@dataclass(frozen=True)
class Manners:
    """How tasks behave.

    Attributes:
        command: the `cleanplate` of the machines that render.
        notice_seconds: what the farm gives a task between asking it to end and killing it.
        tries: how often a task is begun before it counts as failed.
        qc: arguments of the step after a shot's last frame, ``{job}`` for its job.json; empty for none.
        path_maps: `--path-map` of every task.
    """

    command: str = "cleanplate"
    notice_seconds: int = 60
    tries: int = 3
    qc: tuple[str, ...] = ("qc", "--job", "{job}")
    path_maps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One chunk of a shot, or all of it.

    Attributes:
        name: unlike any other in the job; that of the shot, where it is all of it.
        first, last: its frames.
        chunk: whether it is only a part of the shot.
        state_in, state_out: the states it takes and leaves in a chain.
    """

    name: str
    first: int
    last: int
    chunk: bool = False
    state_in: str | None = None
    state_out: str | None = None


@dataclass(frozen=True)
class FarmShot:
    """A shot.

    Attributes:
        source: as the list has it.
        name: the list's own wherever that is free; unlike any other in the job, see `Names`.
        qc: the name of its last step, unlike any other in the job.
        parts: in order; of a chain, each needs the one before.
        chunk_frames: of a grid; None for a whole shot and a chain.
        paint: the name of the step before its chunks, which makes their key frames; None for no such step.
    """

    source: BatchShot
    name: str
    qc: str
    parts: tuple[Part, ...]
    chunk_frames: int | None
    paint: str | None = None

    @property
    def is_chain(self) -> bool:
        """Whether each part needs the one before."""
        return len(self.parts) > 1 and self.chunk_frames is None

    @property
    def is_checked(self) -> bool:
        """Whether a step looks at it when it is done: mattes of damage have nothing to be held against."""
        return self.source.job.do != "detect"

    @property
    def has_pre_roll(self) -> bool:
        """Whether its chunks render frames before their first one; else they are of files alone."""
        return self.source.job.do == "render"

    @property
    def takes_card(self) -> bool:
        """Whether its tasks run the network, and so may ask for a card."""
        job = self.source.job
        return job.do == "render" or (job.do == "retarget" and is_in_one_go(job))

    @property
    def first(self) -> int:
        """Its first frame."""
        return self.parts[0].first

    @property
    def last(self) -> int:
        """Its last frame."""
        return self.parts[-1].last


@dataclass(frozen=True)
class FarmJob:
    """All of it.

    Attributes:
        name: for the farm's own lists.
        folder: where it is written; the machines of the farm must see it under this path.
        shots: in order.
        needs: of every task; a card is for those that run the network.
        manners: of every task.
    """

    name: str
    folder: Path
    shots: tuple[FarmShot, ...]
    needs: Needs
    manners: Manners

    @property
    def jobs_folder(self) -> Path:
        """Where the job.json files lie."""
        return self.folder / "jobs"

    def path_of(self, shot: FarmShot) -> str:
        """Return a shot's job.json."""
        return f"{self.jobs_folder}/{shot.name}.json"

    def arguments(self, shot: FarmShot, part: Part, dialect: str, frames: str | None = None) -> list[str]:
        """Return a part's arguments after the command.

        Args:
            shot, part: which.
            dialect: of its progress.
            frames: what the engine fills in for the first and last frame of a chunk, "FIRST-LAST"; None for
                the part's own.
        """
        chunk = frames or (f"{part.first}-{part.last}" if part.chunk else None)
        return self.render_arguments(self.path_of(shot), chunk, part, dialect)

    def render_arguments(self, path: str, chunk: str | None, part: Part, dialect: str) -> list[str]:
        """Return a render's arguments after the command: `path` is its job.json, `chunk` its frames."""
        handed = (("--state-in", part.state_in), ("--state-out", part.state_out))
        # Ten seconds are left for the farm to notice the end.
        notice = max(1, self.manners.notice_seconds - 10)
        return [
            *("render", "--job", path),
            *([] if chunk is None else [f"--chunk={chunk}"]),
            *(word for option, state in handed if state is not None for word in (option, state)),
            *("--progress", dialect, "--notice", str(notice), *self._maps()),
        ]

    def paint_arguments(self, path: str, dialect: str) -> list[str]:
        """Return the arguments of the step before a shot's chunks, for its job.json."""
        return ["paint", "--job", path, "--progress", dialect, *self._maps()]

    def last_step(self, shot: FarmShot) -> list[str]:
        """Return the arguments of a shot's last step; empty for none."""
        return self.qc_arguments(self.path_of(shot)) if shot.is_checked else []

    def qc_arguments(self, path: str) -> list[str]:
        """Return the arguments of a checked shot's last step, for its job.json; empty for none."""
        given = [word.replace("{job}", path) for word in self.manners.qc]
        return [*given, *self._maps()] if given[:1] in (["qc"], ["review"]) else given

    def _maps(self) -> list[str]:
        return [word for rule in self.manners.path_maps for word in ("--path-map", rule)]


def plan_farm(name: str, folder: Path, shots: Sequence[BatchShot], needs: Needs, manners: Manners) -> FarmJob:
    """Lay a list of shots out for a farm.

    Raises InputError, MissingFramesError for a shot that can't be laid out; see `check_plannable`.
    """
    names = Names()
    # The shots come first, so that they keep the names that the list gives them.
    named = [(names.give(shot.name), shot) for shot in shots]
    planned = tuple(_shot(names, own, shot) for own, shot in named)
    return FarmJob(name, folder.absolute(), planned, needs, manners)


def check_plannable(shot: BatchShot) -> None:
    """Raise what laying out this shot alone raises: InputError, MissingFramesError."""
    _shot(Names(), shot.name, shot)


def _shot(names: Names, name: str, shot: BatchShot) -> FarmShot:
    job = shot.job
    first, last = shot_frames(job.shot)
    chunks = grid(first, last, None if is_in_one_go(job) else shot.chunk_frames)
    if len(chunks) > 1 and is_movie(Path(job.shot.output)):
        raise InputError(
            f"Shot {shot.name} writes a movie, which is made in one go; leave chunk_frames out, or write a "
            "sequence."
        )
    if len(chunks) > 1 and job.do != "render" and job.restore.review is not None:
        raise InputError(
            f"Shot {shot.name} writes sheets of its finds, which are made in one go; leave chunk_frames or "
            "review out."
        )
    qc = names.give(f"{name}.qc")
    if len(chunks) == 1:
        return FarmShot(shot, name, qc, (Part(name, first, last),), None)
    paint = names.give(f"{name}.paint") if _is_painted(job) else None
    named = [(names.give(f"{name}.{a}-{b}"), a, b) for a, b in chunks]
    if renders_side_by_side(job):
        parts = tuple(Part(own, a, b, chunk=True) for own, a, b in named)
        return FarmShot(shot, name, qc, parts, shot.chunk_frames, paint)
    output = Path(job.shot.output)
    states = [None, *(str(handed_state(output, f"{name}.{last}")) for _, last in chunks[:-1]), None]
    chain = tuple(
        Part(own, a, b, True, states[number], states[number + 1]) for number, (own, a, b) in enumerate(named)
    )
    return FarmShot(shot, name, qc, chain, None, paint)


def _is_painted(job: Job) -> bool:
    """Whether it is a render that paints key frames, which needs the search for real pixels."""
    return job.do == "render" and job.settings.paint == "auto" and job.settings.propagate > 0
