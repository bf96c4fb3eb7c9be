"""Paths as another machine names them: what a job's paths are called where it is rendered.

A rule is ``FROM=TO`` on the command line, or stands in a file as Open Job Description writes them
(``pathmapping-1.0``, https://github.com/OpenJobDescription/openjd-specifications, "Path Mapping")::

    {"version": "pathmapping-1.0",
     "path_mapping_rules": [{"source_path_format": "WINDOWS", "source_path": "P:\\\\show",
                             "destination_path": "/mnt/show"}]}

The longest rule that fits a path's beginning, folder by folder, is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..errors import SettingsError
from .about import paths_of
from .job import Job
from .settings import PARTS
from .strict import Strict, shown


@dataclass(frozen=True)
class Rule:
    """One folder by its two names."""

    source: PurePath
    destination: str

    def applied(self, path: str) -> str | None:
        """Return the path's other name; None where the rule does not fit."""
        own = type(self.source)(path)
        if not own.is_relative_to(self.source):
            return None
        rest = own.relative_to(self.source).parts
        return str(Path(self.destination, *rest))


def read_rules(given: Iterable[str]) -> list[Rule]:
    """Read rules and files of rules. Raises SettingsError for what is neither."""
    rules: list[Rule] = []
    for text in given:
        source, equals, destination = text.partition("=")
        if equals and not Path(text).is_file():
            rules.append(_rule(source, destination, windows=_looks_windows(source)))
        else:
            rules += _from_file(Path(text))
    return sorted(rules, key=lambda rule: len(rule.source.parts), reverse=True)


def mapped(path: str, rules: Sequence[Rule]) -> str:
    """Return a path as this machine calls it."""
    found = (rule.applied(path) for rule in rules)
    return next((name for name in found if name is not None), path)


def mapped_job(job: Job, rules: Sequence[Rule]) -> Job:
    """Return a job whose paths are those of this machine."""
    if not rules:
        return job
    parts: dict[str, Strict] = {name: getattr(job, name) for name in PARTS}
    moved = {
        name: _mapped_part(part, (*paths_of(type(part)), *(["model"] if name == "run" else [])), rules)
        for name, part in parts.items()
    }
    return job.model_copy(update={name: part for name, part in moved.items() if part is not parts[name]})


def _mapped_part(part: Strict, names: Iterable[str], rules: Sequence[Rule]) -> Strict:
    """Return a part of a job with other paths, of which a model may be one: a name fits no rule."""
    given = {name: getattr(part, name) for name in names if getattr(part, name) is not None}
    other = {name: mapped(path, rules) for name, path in given.items()}
    return part if other == given else part.model_copy(update=other)


def _from_file(path: Path) -> list[Rule]:
    try:
        fields = load_json(read_regular(path).decode("utf-8-sig"), "it")
        # Open Job Description hands an empty object over where there is nothing to map.
        return [
            _rule(
                rule["source_path"], rule["destination_path"], windows=rule["source_path_format"] == "WINDOWS"
            )
            for rule in fields.get("path_mapping_rules", [])
        ]
    except OSError as error:
        raise SettingsError(
            f"--path-map takes FROM=TO or a file of rules; can't read {path}: {error.strerror or error}."
        ) from error
    except UnreadableError as error:
        raise SettingsError(f"{path} is not a file of path mapping rules: {error.problem}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} is not a file of path mapping rules: {shown(error)}.") from error


def _rule(source: str, destination: str, *, windows: bool) -> Rule:
    if not source.strip() or not destination.strip() or "\0" in source + destination:
        raise SettingsError(f"--path-map takes FROM=TO, got {shown(source)}={shown(destination)}.")
    return Rule((PureWindowsPath if windows else PurePosixPath)(source), destination)


def _looks_windows(path: str) -> bool:
    return "\\" in path or path[1:2] == ":"
