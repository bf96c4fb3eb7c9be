"""A list of shots as a farm sees it: shots, tasks, what each needs, and what waits for what.

The exporters write this down in the words of their engines. A shot's tasks are

* one, for a shot without ``chunk_frames``: exact;
* a chain, for a shot with ``chunk_frames``: each chunk takes the state of the one before, exact;
* a fixed grid, for one with ``pre_roll`` too: in any order, at the same time, approximate.

Every task is `cleanplate render` with the shot's job.json, which says `resume`: whatever kills a task, it
goes on when it is run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..batch.chunks import grid, shot_frames
from ..batch.shots import BatchShot
from ..clips.movie_read import is_movie
from ..errors import InputError
from ..state.folder import handed_state

JOBS = "{jobs}"
"""Stands for the folder of the job.json files in arguments, until an exporter says what it is there."""


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
        name: unlike any other part's.
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
        parts: in order; of a chain, each needs the one before.
        chunk_frames: of a grid; None for a whole shot and a chain.
    """

    source: BatchShot
    parts: tuple[Part, ...]
    chunk_frames: int | None

    @property
    def name(self) -> str:
        """The shot's name."""
        return self.source.name

    @property
    def is_chain(self) -> bool:
        """Whether each part needs the one before."""
        return len(self.parts) > 1 and self.chunk_frames is None

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
        needs: of every task.
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

    def arguments(self, shot: FarmShot, part: Part, dialect: str) -> list[str]:
        """Return a part's arguments after the command; `JOBS` stands for the jobs folder."""
        given = ["render", "--job", f"{JOBS}/{shot.name}.json"]
        if part.chunk:
            given.append(f"--chunk={part.first}-{part.last}")
        return [*given, *self.state_arguments(part), *self.common_arguments(dialect)]

    def state_arguments(self, part: Part) -> list[str]:
        """Return the arguments that hand a chain's states on."""
        handed = (("--state-in", part.state_in), ("--state-out", part.state_out))
        return [word for option, path in handed if path is not None for word in (option, path)]

    def common_arguments(self, dialect: str) -> list[str]:
        """Return the arguments that every task has."""
        # Ten seconds are left for the farm to notice the end.
        notice = max(1, self.manners.notice_seconds - 10)
        return ["--progress", dialect, "--notice", str(notice), *self._maps()]

    def qc_arguments(self, shot_name: str) -> list[str]:
        """Return the arguments of a shot's last step; empty for none."""
        given = [word.replace("{job}", f"{JOBS}/{shot_name}.json") for word in self.manners.qc]
        return [*given, *self._maps()] if given[:1] == ["qc"] else given

    def _maps(self) -> list[str]:
        return [word for rule in self.manners.path_maps for word in ("--path-map", rule)]


def plan_farm(name: str, folder: Path, shots: Sequence[BatchShot], needs: Needs, manners: Manners) -> FarmJob:
    """Lay a list of shots out for a farm. Raises InputError, MissingFramesError for a shot without frames."""
    return FarmJob(name, folder.absolute(), tuple(_shot(shot) for shot in shots), needs, manners)


def _shot(shot: BatchShot) -> FarmShot:
    first, last = shot_frames(shot.job.shot)
    chunks = grid(first, last, shot.chunk_frames)
    if len(chunks) > 1 and is_movie(Path(shot.job.shot.output)):
        raise InputError(
            f"Shot {shot.name} writes a movie, which is made in one go; leave chunk_frames out, or write a "
            "sequence."
        )
    if len(chunks) == 1:
        return FarmShot(shot, (Part(shot.name, first, last),), None)
    if shot.job.settings.pre_roll is not None:
        parts = tuple(Part(f"{shot.name}.{a}-{b}", a, b, chunk=True) for a, b in chunks)
        return FarmShot(shot, parts, shot.chunk_frames)
    output = Path(shot.job.shot.output)
    states = [None, *(str(handed_state(output, f"{shot.name}.{last}")) for _, last in chunks[:-1]), None]
    chain = tuple(
        Part(f"{shot.name}.{a}-{b}", a, b, True, states[number], states[number + 1])
        for number, (a, b) in enumerate(chunks)
    )
    return FarmShot(shot, chain, None)
