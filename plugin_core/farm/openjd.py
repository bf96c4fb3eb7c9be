"""Open Job Description: a template that `openjd check` accepts and `openjd run` renders.

Specification: jobtemplate-2023-09, https://github.com/OpenJobDescription/openjd-specifications. Whole shots
and the chunks of a grid are the tasks of a few large steps; each link of a chain is a step of its own, since
a step can't wait for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..errors import InputError
from .files import filled, quoted, write, write_jobs
from .job import JOBS, FarmJob, FarmShot, Part

_LONGEST_RANGE = 1024
_LONGEST_TEMPLATE = 1_000_000
"""Characters that Deadline Cloud takes."""

_SESSION_MAP = ("--path-map", "{{Session.PathMappingRulesFile}}")
_JOBS, _SHOT = "{{Param.Jobs}}", "{{Task.Param.Shot}}"


def write_openjd(job: FarmJob) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError, InputError when it grows too large."""
    write_jobs(job)
    write(job.folder / "template.yaml", openjd_template(job))
    return [f"openjd check {job.folder / 'template.yaml'}", f"openjd run {job.folder / 'template.yaml'}"]


def openjd_template(job: FarmJob) -> str:
    """Return the template. It finds the job.json files from where it lies itself."""
    frames = sum(shot.last - shot.first + 1 for shot in job.shots)
    text = filled(
        "openjd.yaml",
        name=quoted(job.name),
        description=quoted(f"Clean plates of {len(job.shots)} shots, {frames} frames."),
        jobs=quoted(job.jobs_folder.name),
        command=quoted(job.manners.command),
    )
    text += "".join(_steps(job))
    if len(text) > _LONGEST_TEMPLATE:
        raise InputError(
            f"The template has {len(text)} characters, and {_LONGEST_TEMPLATE} is the most that is taken; "
            "write several jobs with --only, or larger chunks."
        )
    return text


def _steps(job: FarmJob) -> Iterator[str]:
    chains = [shot for shot in job.shots if shot.is_chain]
    whole = [shot for shot in job.shots if len(shot.parts) == 1]
    grids = [shot for shot in job.shots if shot.chunk_frames is not None]
    for number, shots in enumerate(_slices(whole, _LONGEST_RANGE), start=1):
        yield from _array(job, f"Render {number}", shots)
    for number, shots in enumerate(_grid_slices(grids), start=1):
        yield from _array(job, f"Chunks {number}", shots)
    for shot in chains:
        yield from _chain(job, shot)


def _array(job: FarmJob, name: str, shots: Sequence[FarmShot]) -> Iterator[str]:
    """One step for many shots, and one that looks at them when it is done."""
    parts = [(shot, part) for shot in shots for part in shot.parts]
    parameters: dict[str, Sequence[str | int]] = {"Shot": [shot.name for shot, _ in parts]}
    arguments = ["render", "--job", f"{_JOBS}/{_SHOT}.json"]
    if parts[0][1].chunk:
        parameters |= {"First": [part.first for _, part in parts], "Last": [part.last for _, part in parts]}
        arguments.append("--chunk={{Task.Param.First}}-{{Task.Param.Last}}")
    yield _step(job, name, parameters, [*arguments, *_common(job)])
    qc = _qc(job)
    if qc:
        yield _step(job, f"QC of {name}", {"Shot": [shot.name for shot in shots]}, qc, [name], gpu=False)


def _chain(job: FarmJob, shot: FarmShot) -> Iterator[str]:
    after: list[str] = []
    for part in shot.parts:
        name = _step_name(shot, part)
        arguments = ["render", "--job", f"{_JOBS}/{_SHOT}.json", f"--chunk={part.first}-{part.last}"]
        arguments += [*job.state_arguments(part), *_common(job)]
        yield _step(job, name, {"Shot": [shot.name]}, arguments, after=after)
        after = [name]
    qc = _qc(job)
    if qc:
        yield _step(job, f"QC of {shot.name}", {"Shot": [shot.name]}, qc, after, gpu=False)


def _step(
    job: FarmJob,
    name: str,
    parameters: Mapping[str, Sequence[str | int]],
    arguments: Iterable[str],
    after: Sequence[str] = (),
    *,
    gpu: bool = True,
) -> str:
    return filled(
        "openjd_step.yaml",
        name=quoted(name),
        dependencies="".join(
            ["    dependencies:\n" if after else "", *(f"      - dependsOn: {quoted(n)}\n" for n in after)]
        ),
        parameters="\n".join(_parameter(*parameter) for parameter in parameters.items()),
        combination=quoted(f"({', '.join(parameters)})" if len(parameters) > 1 else next(iter(parameters))),
        amounts="\n".join(_amounts(job, gpu and job.needs.gpu)),
        arguments="\n".join(f"            - {quoted(word)}" for word in arguments),
        notice=job.manners.notice_seconds,
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


def _common(job: FarmJob) -> list[str]:
    return [*job.common_arguments("openjd"), *_SESSION_MAP]


def _qc(job: FarmJob) -> list[str]:
    given = job.qc_arguments(_SHOT)
    return _words([*given, *_SESSION_MAP] if given[:1] == ["qc"] else given)


def _words(arguments: Iterable[str]) -> list[str]:
    return [word.replace(JOBS, _JOBS) for word in arguments]


def _step_name(shot: FarmShot, part: Part) -> str:
    return f"{shot.name} {part.first}-{part.last}"


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
