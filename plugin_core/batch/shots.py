"""What the entries of a list of shots mean: a job for each, or every mistake with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import CleanplateError, MistakesError, SettingsError
from ..job.about import abouts, paths_of
from ..job.config import Given, files_around, from_files, over
from ..job.job import Job
from ..job.settings import PARTS
from ..job.strict import shown, validated
from .list_file import Row, ShotList

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PATHS = tuple(path for model in PARTS.values() for path in paths_of(model))

LISTED: dict[str, tuple[str, ...]] = {
    part: tuple(name for name, about in abouts(model).items() if not about.once)
    for part, model in PARTS.items()
}
"""Fields an entry may have beside `name`, `do` and `chunk_frames`, by the part of the job they go to."""


@dataclass(frozen=True)
class BatchShot:
    """One shot of a batch.

    Attributes:
        name: unlike any other; file names are made from it.
        job: how to render it.
        chunk_frames: frames of a chunk; None for the whole shot in one task.
        line: where it stands in the list.
    """

    name: str
    job: Job
    chunk_frames: int | None
    line: int


@dataclass(frozen=True)
class BadShot:
    """An entry that can't be rendered as it is written.

    Attributes:
        name: as far as it is known.
        message: what is wrong, with file and line.
        exit_code: of that mistake alone.
    """

    name: str
    message: str
    exit_code: int = 2


def understand(
    shots: ShotList, overrides: Mapping[str, Any] | None = None
) -> tuple[list[BatchShot], list[BadShot]]:
    """Make a job of every entry; returns those that are good and those that are not.

    Relative paths are taken from the list's own folder, and ``{name}`` in a path is the shot's name. What an
    entry leaves out is taken from the settings files around its shot (`plugin_core.job.config`).

    Args:
        shots: the list.
        overrides: fields that win over what any shot says.
    """
    good: list[BatchShot] = []
    bad: list[BadShot] = []
    for number, row in enumerate(shots.rows, start=1):
        name = str(row.fields.get("name", f"shot {number}"))
        try:
            good.append(_shot(shots, row, dict(overrides or {})))
        except SettingsError as error:
            bad.append(BadShot(name, str(error)))
    return _without_clashes(shots.path, good, bad)


def refuse_bad(bad: Iterable[BadShot]) -> None:
    """Raise MistakesError that lists every mistake, one a line, if there is any."""
    found = list(bad)
    if found:
        more = [] if len(found) <= 20 else [f"... and {len(found) - 20} more"]
        codes = {shot.exit_code for shot in found}
        told = [shot.message for shot in found[:20]]
        raise MistakesError([*told, *more], codes.pop() if len(codes) == 1 else MistakesError.exit_code)


def tried(
    path: Path, shots: Iterable[BatchShot], look: Callable[[BatchShot], object]
) -> tuple[list[BatchShot], list[BadShot]]:
    """Look at every shot; returns those that are good and those that are not.

    Args:
        path: the list's file.
        shots: of the list.
        look: raises CleanplateError for a shot that can't be rendered.
    """
    good: list[BatchShot] = []
    bad: list[BadShot] = []
    for shot in shots:
        try:
            look(shot)
        except CleanplateError as error:
            told = f"{path}:{shot.line}: shot {shot.name}: {error}"
            bad.append(BadShot(shot.name, told, error.exit_code))
        else:
            good.append(shot)
    return good, bad


def _shot(shots: ShotList, row: Row, overrides: Mapping[str, Any]) -> BatchShot:
    merged = {**shots.defaults.fields, **row.fields, **overrides}
    fields: dict[str, Any] = {field: value for field, value in merged.items() if value is not None}
    where = f"{shots.path}:{row.line}"
    name = str(fields.pop("name", ""))
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{where}: a shot needs a 'name' of letters, digits, '.', '_' and '-', got {shown(name)}."
        )
    chunk_frames, do = fields.pop("chunk_frames", None), fields.pop("do", "render")
    for field in fields:
        if not any(field in names for names in LISTED.values()):
            raise SettingsError(
                f"{_where(shots, row, field)}: shot {name} has an unknown field {shown(field)}"
                f"{_nearest(field)}."
            )
    for field in _PATHS:
        if field in fields:
            try:
                fields[field] = _path(str(fields[field]), name, shots.path.parent)
            except RuntimeError:  # what Python says of the home of someone unknown
                raise SettingsError(
                    f"{_where(shots, row, field)}: shot {name}: {shown(fields[field])} begins in the home "
                    "folder of nobody known here."
                ) from None
    # Of the settings beside a shot those that lie around it, whoever runs the batch.
    typed = {field: Given(value, where) for field, value in fields.items()}
    places = [str(fields[field]) for field in ("output", "plate") if field in fields]
    around = over(from_files(files_around(places, {})), typed)
    job = _job(shots, row, name, do, {field: one.value for field, one in around.items()})
    return BatchShot(name, job, _chunk_frames(where, name, chunk_frames), row.line)


def _job(shots: ShotList, row: Row, name: str, do: Any, fields: Mapping[str, Any]) -> Job:
    parts: dict[str, Any] = {} if do == "render" else {"do": do}
    for part, names in LISTED.items():
        given = {field: fields[field] for field in names if field in fields}
        if part in ("restore", "retarget") and not given:
            continue
        try:
            parts[part] = PARTS[part](**given).model_dump(exclude_unset=True)
        except SettingsError as error:
            wrong = re.search(r"field '(\w+)'", str(error))
            where = _where(shots, row, wrong[1] if wrong else "")
            raise SettingsError(f"{where}: shot {name}: {error}") from None
    job = validated(Job, parts, f"{shots.path}:{row.line}: shot {name}")
    try:
        job.shot.frame_range()
    except Exception as error:
        raise SettingsError(f"{_where(shots, row, 'frames')}: shot {name}: {error}") from None
    return job


def _where(shots: ShotList, row: Row, field: str) -> str:
    """Return file and line of a field: in its entry, else in the defaults."""
    defaulted = field not in row.fields and field in shots.defaults.lines
    line = shots.defaults.lines[field] if defaulted else row.lines.get(field, row.line)
    return f"{shots.path}:{line}"


def _nearest(field: str) -> str:
    known = ["name", "do", "chunk_frames", *(name for names in LISTED.values() for name in names)]
    close = difflib.get_close_matches(field, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _path(text: str, name: str, folder: Path) -> str:
    path = Path(text.replace("{name}", name)).expanduser()
    return str(path if path.is_absolute() else folder.absolute() / path)


def _chunk_frames(where: str, name: str, given: Any) -> int | None:
    if given is None:
        return None
    try:
        frames = int(given)
    except (TypeError, ValueError):
        frames = 0
    if frames < 1:
        raise SettingsError(f"{where}: shot {name}: 'chunk_frames' should be 1 or more, got {shown(given)}.")
    return frames


def _without_clashes(
    path: Path, shots: list[BatchShot], bad: list[BadShot]
) -> tuple[list[BatchShot], list[BadShot]]:
    """Take out entries whose name, output or patch an earlier one has."""
    names: dict[str, int] = {}
    outputs: dict[str, int] = {}
    kept: list[BatchShot] = []
    for shot in shots:
        output, patch = shot.job.shot.output, shot.job.shot.patch
        if shot.name in names:
            told = f"the name {shot.name!r} is taken by line {names[shot.name]}"
        elif taken := next((path for path in (output, patch) if path in outputs), None):
            told = f"shot {shot.name} writes {taken}, as line {outputs[taken]} does"
        else:
            names[shot.name] = shot.line
            outputs |= {path: shot.line for path in (output, patch) if path is not None}
            kept.append(shot)
            continue
        bad.append(BadShot(shot.name, f"{path}:{shot.line}: {told}."))
    return kept, bad


def with_run(shot: BatchShot, **run: Any) -> BatchShot:
    """Return a shot with other fields of its `Run`."""
    job = shot.job
    return replace(shot, job=job.model_copy(update={"run": job.run.model_copy(update=run)}))
