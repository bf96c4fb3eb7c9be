"""The farm engines, one record each: everything else that names them asks here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from .job import FarmJob


@dataclass(frozen=True)
class Engine:
    """A farm engine.

    Attributes:
        title: what its makers call it.
        writer: the module beside this one whose `write` writes a job; loaded when it is asked for.
        templates: the folder, in `templates`, of the files that it fills in.
        dialect: `--progress` of its tasks.
        client: the program that must be on PATH to submit a job.
        package: where that is from.
        submission: the command that submits the job in a folder.
    """

    title: str
    writer: str
    templates: str
    dialect: str
    client: str
    package: str
    submission: Callable[[Path], list[str]]

    def write(self, job: FarmJob) -> list[str]:
        """Write a job; returns what to do with it.

        Raises:
            WriteError: a file can't be written.
            InputError: the engine can't take the job; says why.
        """
        module = cast("_Writer", import_module(f".{self.writer}", __package__))
        return module.write(job, self)

    def filled(self, which: str, /, **values: object) -> str:
        """Fill in a template, where ``$name`` is a value and ``$$`` a dollar.

        Raises KeyError when a value is missing, so that none is left out unnoticed.
        """
        from importlib.resources import files  # takes longer than all else that --help imports here

        text = (files(__package__) / "templates" / self.templates / which).read_text("utf-8")
        return Template(text).substitute(values)


class _Writer(Protocol):
    def write(self, job: FarmJob, engine: Engine) -> list[str]: ...


ENGINES = {
    "openjd": Engine(
        title="Open Job Description",
        writer="openjd",
        templates="openjd",
        dialect="openjd",
        client="openjd",
        package="the Python package openjd-cli",
        submission=lambda folder: ["openjd", "run", str(folder / "template.yaml")],
    ),
    "deadline-cloud": Engine(
        title="AWS Deadline Cloud",
        writer="deadline_cloud",
        templates="deadline_cloud",
        dialect="openjd",
        client="deadline",
        package="the Python package deadline",
        submission=lambda folder: ["deadline", "bundle", "submit", "--yes", str(folder)],
    ),
    "deadline": Engine(
        title="Deadline",
        writer="deadline",
        templates="deadline",
        dialect="deadline",
        client="deadlinecommand",
        package="the Deadline client",
        submission=lambda folder: [sys.executable, str(folder / "submit.py")],
    ),
    "opencue": Engine(
        title="OpenCue",
        writer="opencue",
        templates="opencue",
        dialect="auto",
        client="python3",
        package="Python with opencue-pycue",
        submission=lambda folder: ["python3", str(folder / "submit.py")],
    ),
    "tractor": Engine(
        title="Tractor",
        writer="tractor",
        templates="tractor",
        dialect="tractor",
        client="tractor-spool",
        package="the Tractor client",
        submission=lambda folder: ["tractor-spool", str(folder / "job.alf")],
    ),
    "slurm": Engine(
        title="Slurm",
        writer="slurm",
        templates="slurm",
        dialect="auto",
        client="sbatch",
        package="the Slurm client",
        submission=lambda folder: ["sh", str(folder / "submit.sh")],
    ),
}
"""Every engine, by the word that `cleanplate farm` knows it by."""
