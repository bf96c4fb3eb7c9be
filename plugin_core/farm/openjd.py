"""Open Job Description: a template that `openjd check` accepts and `openjd run` renders.

Specification: jobtemplate-2023-09, https://github.com/OpenJobDescription/openjd-specifications. Whole shots
and the chunks of a grid are the tasks of a few large steps; each link of a chain is a step of its own, since
a step can't wait for itself.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

from ..errors import InputError
from .engines import Engine
from .files import quoted, write_jobs
from .files import write as write_file
from .foreign import refuse
from .job import FarmJob, FarmShot, Part
from .names import Names

_LONGEST_RANGE = 1024
_LONGEST_TEMPLATE = 1_000_000
"""Characters that Deadline Cloud takes."""

_LONGEST_JOB_NAME, _LONGEST_STEP_NAME = 128, 64
_TAKEN = re.compile(r"\{\{|\}\}|\{$|^\}")
"""Two braces are filled in, and there is no other way to write them; one may come to stand beside ours."""

_SESSION_MAP = ("--path-map", "{{Session.PathMappingRulesFile}}")
_PATH = "{{Param.Jobs}}/{{Task.Param.Shot}}.json"


def write(job: FarmJob, engine: Engine) -> list[str]:
    """Write the job; returns what to do with it.

    Raises:
        WriteError: a file can't be written.
        InputError: it grows too large, or can't hold a text of the job.
    """
    template = openjd_template(job, engine)
    write_jobs(job)
    write_file(job.folder / "template.yaml", template)
    return [f"openjd check {job.folder / 'template.yaml'}", f"openjd run {job.folder / 'template.yaml'}"]


def openjd_template(job: FarmJob, engine: Engine) -> str:
    """Return the template, which finds the job.json files from where it lies itself. Raises InputError."""
    refuse(job, engine.title, _TAKEN)
    frames = sum(shot.last - shot.first + 1 for shot in job.shots)
    text = engine.filled(
        "template.yaml",
        name=quoted(job.name[:_LONGEST_JOB_NAME]),
        description=quoted(f"Clean plates of {len(job.shots)} shots, {frames} frames."),
        jobs=quoted(job.jobs_folder.name),
        command=quoted(job.manners.command),
    )
    text += "".join(_Steps(job, engine).all())
    if len(text) > _LONGEST_TEMPLATE:
        raise InputError(
            f"The template has {len(text)} characters, and {_LONGEST_TEMPLATE} is the most that is taken; "
            "write several jobs with --only, or larger chunks."
        )
    return text


class _Steps:
    """The steps of a template."""

    def __init__(self, job: FarmJob, engine: Engine) -> None:
        self._job = job
        self._engine = engine
        self._names = Names(longest=_LONGEST_STEP_NAME)

    def all(self) -> Iterator[str]:
        """Return every step's text."""
        shots = self._job.shots
        whole = [shot for shot in shots if len(shot.parts) == 1]
        grids = [shot for shot in shots if shot.chunk_frames is not None]
        # A step asks for a card, or does not: those that need none need not wait for one.
        arrays = [
            *_slices([shot for shot in whole if shot.takes_card], _LONGEST_RANGE),
            *_slices([shot for shot in whole if not shot.takes_card], _LONGEST_RANGE),
        ]
        for number, some in enumerate(arrays, start=1):
            yield from self._array(f"Render {number}", some)
        # What is painted waits: the others need not wait with it.
        sliced = [
            *_grid_slices([shot for shot in grids if shot.paint is None and shot.takes_card]),
            *_grid_slices([shot for shot in grids if not shot.takes_card]),
            *_grid_slices([shot for shot in grids if shot.paint is not None]),
        ]
        for number, some in enumerate(sliced, start=1):
            painted = some[0].paint is not None
            after = (yield from self._paint(f"chunks {number}", some)) if painted else None
            yield from self._array(f"Chunks {number}", some, after)
        for shot in shots:
            if shot.is_chain:
                yield from self._chain(shot)

    def _array(self, wanted: str, shots: Sequence[FarmShot], after: str | None = None) -> Iterator[str]:
        """One step for many shots, and one that looks at them when it is done."""
        parts = [(shot, part) for shot in shots for part in shot.parts]
        parameters: dict[str, Sequence[str | int]] = {"Shot": [shot.name for shot, _ in parts]}
        chunk = None
        if parts[0][1].chunk:
            parameters["First"] = [part.first for _, part in parts]
            parameters["Last"] = [part.last for _, part in parts]
            chunk = "{{Task.Param.First}}-{{Task.Param.Last}}"
        name = self._names.give(wanted)
        words = self._render(parts[0][1], chunk)
        yield self._step(name, parameters, words, after, gpu=shots[0].takes_card)
        yield from self._qc(wanted, shots, name)

    def _chain(self, shot: FarmShot) -> Iterator[str]:
        after = None if shot.paint is None else (yield from self._paint(shot.name, [shot]))
        for part in shot.parts:
            frames = f"{part.first}-{part.last}"
            name = self._names.give(f"{shot.name} {frames}")
            yield self._step(name, {"Shot": [shot.name]}, self._render(part, frames), after)
            after = name
        assert after is not None
        yield from self._qc(shot.name, [shot], after)

    def _paint(self, of: str, shots: Sequence[FarmShot]) -> Generator[str, None, str]:
        """The step that makes the key frames of some shots; returns its name."""
        name = self._names.give(f"Paint of {of}")
        words = [*self._job.paint_arguments(_PATH, self._engine.dialect), *_SESSION_MAP]
        yield self._step(name, {"Shot": [shot.name for shot in shots]}, words, gpu=False)
        return name

    def _render(self, part: Part, chunk: str | None) -> list[str]:
        return [*self._job.render_arguments(_PATH, chunk, part, self._engine.dialect), *_SESSION_MAP]

    def _qc(self, of: str, shots: Sequence[FarmShot], after: str) -> Iterator[str]:
        given, checked = self._job.qc_arguments(_PATH), [shot for shot in shots if shot.is_checked]
        if given and checked:
            words = [*given, *_SESSION_MAP] if given[0] in ("qc", "review") else given
            name = self._names.give(f"QC of {of}")
            yield self._step(name, {"Shot": [shot.name for shot in checked]}, words, after, gpu=False)

    def _step(
        self,
        name: str,
        parameters: Mapping[str, Sequence[str | int]],
        arguments: Iterable[str],
        after: str | None = None,
        *,
        gpu: bool = True,
    ) -> str:
        return self._engine.filled(
            "step.yaml",
            name=quoted(name),
            dependencies="" if after is None else f"    dependencies:\n      - dependsOn: {quoted(after)}\n",
            parameters="\n".join(_parameter(*parameter) for parameter in parameters.items()),
            combination=quoted(
                f"({', '.join(parameters)})" if len(parameters) > 1 else next(iter(parameters))
            ),
            amounts="\n".join(_amounts(self._job, gpu and self._job.needs.gpu)),
            arguments="\n".join(f"            - {quoted(word)}" for word in arguments),
            notice=self._job.manners.notice_seconds,
        )


def _parameter(name: str, values: Sequence[str | int]) -> str:
    kind = "INT" if isinstance(values[0], int) else "STRING"
    listed = ", ".join(str(value) if kind == "INT" else quoted(str(value)) for value in values)
    return f"        - name: {name}\n          type: {kind}\n          range: [{listed}]"


def _amounts(job: FarmJob, gpu: bool) -> Iterator[str]:
    needs = job.needs
    amounts = {"amount.worker.vcpu": needs.cores, "amount.worker.memory": needs.memory_mib}
    if gpu:
        amounts |= {"amount.worker.gpu": 1, "amount.worker.gpu.memory": needs.gpu_memory_mib}
    for name, least in amounts.items():
        yield f"        - name: {name}\n          min: {least}"


def _slices(shots: Sequence[FarmShot], size: int) -> Iterator[Sequence[FarmShot]]:
    yield from (shots[begin : begin + size] for begin in range(0, len(shots), size))


def _grid_slices(shots: Sequence[FarmShot]) -> Iterator[list[FarmShot]]:
    """Shots whose chunks together are not too many for one step."""
    slice_: list[FarmShot] = []
    for shot in shots:
        if len(shot.parts) > _LONGEST_RANGE:
            raise InputError(
                f"Shot {shot.name} has {len(shot.parts)} chunks, and {_LONGEST_RANGE} is the most of a step; "
                "take a larger chunk_frames."
            )
        if slice_ and sum(len(other.parts) for other in slice_) + len(shot.parts) > _LONGEST_RANGE:
            yield slice_
            slice_ = []
        slice_.append(shot)
    if slice_:
        yield slice_
