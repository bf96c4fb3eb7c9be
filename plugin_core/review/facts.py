"""How a result was made, to be read by people: inputs, settings, color, versions, machine, command line."""

from __future__ import annotations

import platform
import shlex
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .._version import __version__
from ..color.display import Display
from ..job.catalog import catalog
from ..job.job import Job
from ..qc.pictures import Pictures
from ..state.noted import noted_runs

Rows = list[tuple[str, str]]
Sections = list[tuple[str, Rows]]


def facts(shot: Pictures, job: Job, display: Display) -> Sections:
    """Return titles and, under each, what it is called and what it is."""
    return [
        ("Shot", _pictures(shot, job)),
        ("Settings", _settings(job)),
        ("Color", [("plate", shot.color.name), ("shown", display.name), *_asked(job, "color")]),
        ("Run", _render(shot, job)),
    ]


def command_of(job: Job) -> str:
    """Return the command line that does a job again."""
    words = ["cleanplate", job.do]
    fields = catalog()["fields"]
    for part in (job.shot, *_parts(job), job.run):
        for name in type(part).model_fields:
            value, field = getattr(part, name), fields[name]
            if value == type(part).model_fields[name].get_default(call_default_factory=True):
                continue
            option = field["option"]
            if field["kind"] == "switch":
                words.append(option if value else f"--no-{option[2:]}")
            else:
                words += [option, _text(value)]
    return shlex.join(words)


def _pictures(shot: Pictures, job: Job) -> Rows:
    header = shot.header
    size = f"{header.width}x{header.height}"
    aspect = header.pixel_aspect or 1
    return [
        ("plate", job.shot.plate),
        ("matte", job.shot.matte or "none: damage was looked for"),
        ("result", shot.name),
        ("frames", f"{shot.sources.first}-{shot.sources.last}"),
        ("size", size if aspect == 1 else f"{size}, pixel aspect {aspect:g}"),
        ("format", f"{header.format} {header.types[header.fill_channels[0]]}"),
    ]


def _settings(job: Job) -> Rows:
    """Every setting of the pixels; those that differ from the default say so."""
    fields = catalog()["fields"]
    rows = []
    for part in _parts(job):
        for name, field in type(part).model_fields.items():
            value, usual = getattr(part, name), field.get_default(call_default_factory=True)
            told = _text(value) if value == usual else f"{_text(value)} (default {_text(usual)})"
            rows.append((str(fields[name]["label"]), told))
    return rows


def _parts(job: Job) -> tuple[BaseModel, ...]:
    """Return the settings that a job's pixels depend on."""
    if job.do == "retarget":
        return job.retarget, job.settings
    return (job.settings,) if job.do == "render" else (job.restore,)


def _asked(job: Job, group: str) -> Rows:
    fields = catalog()["fields"]
    named = [name for name in type(job.shot).model_fields if fields[name]["group"] == group]
    return [(str(fields[name]["label"]), _text(getattr(job.shot, name))) for name in named]


def _render(shot: Pictures, job: Job) -> Rows:
    rows: Rows = [("model", job.run.model)] if job.do == "render" else []
    for run in noted_runs(shot.sources.output):
        rows += [(name, told) for name, told in run.items() if (name, told) not in rows]
    return [*rows, ("page made by", f"Cleanplate {__version__} on {platform.node() or 'a machine'}")]


def _text(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    if isinstance(value, Path):
        return str(value)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
