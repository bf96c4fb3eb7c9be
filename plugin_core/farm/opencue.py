"""OpenCue: a job specification (cjsl 1.15), and a script that launches it.

Not run against a Cuebot here; the XML validates against cjsl-1.15.dtd of OpenCue's repository.
"""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from .engines import Engine
from .files import write as write_file
from .files import write_jobs
from .foreign import refuse
from .job import FarmJob, FarmShot
from .names import Names

_TAKEN = re.compile(r"#[A-Z]+(?:_[A-Z]+)*#")
"""What OpenCue fills in: #FRAME_START#."""

_SHORTEST_NAME = 3


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError, InputError for what it can't hold."""
    refuse(job, engine.title, _TAKEN)
    write_jobs(job)
    write_file(job.folder / "job.xml", _Specification(job, engine).xml())
    write_file(job.folder / "submit.py", engine.filled("submit.py.txt"))
    return [f"python {job.folder / 'submit.py'}"]


class _Specification:
    """The job specification: layers, and what waits for what."""

    def __init__(self, job: FarmJob, engine: Engine) -> None:
        self._job = job
        self._engine = engine
        self._name = _token(job.name)
        self._names = Names(shortest=_SHORTEST_NAME)
        self._layers: list[str] = []
        self._depends: list[str] = []

    def xml(self) -> str:
        """Return it."""
        for shot in self._job.shots:
            last = self._parts(shot)
            qc = self._job.last_step(shot)
            if qc:
                self._layer(shot.qc, "Post", qc, "1", 1, after=last)
        return self._engine.filled(
            "job.xml",
            show="SHOW",
            shot="cleanplate",
            user=_token(getpass.getuser()),
            name=quoteattr(self._name),
            tries=self._job.manners.tries,
            layers="".join(self._layers).rstrip("\n"),
            depends="".join(self._depends).rstrip("\n"),
        )

    def _parts(self, shot: FarmShot) -> str:
        """Add a shot's layers; returns the name of the last one."""
        dialect = self._engine.dialect
        paint: str | None = None
        if shot.paint is not None:
            given = self._job.paint_arguments(self._job.path_of(shot), dialect)
            paint = self._layer(shot.paint, "Util", given, "1", 1)
        if not shot.is_chain:
            size = shot.chunk_frames or shot.last - shot.first + 1
            frames = None if shot.chunk_frames is None else "#FRAME_START#-#FRAME_END#"
            arguments = self._job.arguments(shot, shot.parts[0], dialect, frames)
            frames_of_all = f"{shot.first}-{shot.last}"
            card = shot.takes_card
            return self._layer(shot.name, "Render", arguments, frames_of_all, size, after=paint, card=card)
        previous = paint
        for part in shot.parts:
            arguments, size = self._job.arguments(shot, part, dialect), part.last - part.first + 1
            frames = f"{part.first}-{part.last}"
            previous = self._layer(part.name, "Render", arguments, frames, size, after=previous, card=True)
        assert previous is not None
        return previous

    def _layer(
        self,
        wanted: str,
        kind: str,
        arguments: Iterable[str],
        frames: str,
        size: int,
        after: str | None = None,
        *,
        card: bool = False,
    ) -> str:
        """Add a layer, which may wait for another and ask for a card; returns its name."""
        needs = self._job.needs
        # What OpenCue fills in itself must not stand in quotes.
        command = shlex.join([self._job.manners.command, *arguments]).replace(
            "'--chunk=#FRAME_START#-#FRAME_END#'", "--chunk=#FRAME_START#-#FRAME_END#"
        )
        gpu = f"        <gpus>1</gpus>\n        <gpu_memory>{needs.gpu_memory_mib}m</gpu_memory>\n"
        name = self._names.give(wanted)
        self._layers.append(
            self._engine.filled(
                "layer.xml",
                name=quoteattr(name),
                type=quoteattr(kind),
                command=escape(command),
                range=frames,
                chunk=size,
                cores=needs.cores,
                memory=needs.memory_mib,
                gpu=gpu if needs.gpu and card else "",
            )
        )
        if after is not None:
            self._depends.append(self._engine.filled("depend.xml", job=self._name, layer=name, on=after))
        return name


def _token(name: str) -> str:
    """Return a job's or a user's name with what XML name tokens are made of, long enough for OpenCue."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lower().ljust(_SHORTEST_NAME, "_")
