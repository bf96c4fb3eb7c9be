"""A job's fields as options of the command, and the job that is asked for with them.

All of them come from the catalog that `make generated` writes (see `plugin_core.job.catalog`), so that none
can be forgotten, and nothing but argparse is imported before a command runs.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from ..progress.terminal import say
from .parser import Parser

if TYPE_CHECKING:
    from ..job.config import Given
    from ..job.job import Do, Job

_CATALOG = Path(__file__).resolve().parents[1] / "job" / "settings.json"
_BELOW_ZERO = re.compile(r"-[0-9][0-9,-]*")
_OPTION = re.compile(r"--[a-z][a-z-]*")
_NEEDED = ("plate", "matte", "output")
"""What a shot is not complete without."""

_MISSING = "needs the field"
_WRONG = re.compile(r" field '(\w+)' (should be .*)", re.DOTALL)

_BARE = object()
"""The value of an option that is given without one."""

_TYPES = {"int": int, "float": float}


def add_job(
    parser: Parser, *groups: str, rare: Collection[str] = (), names: Collection[str] | None = None
) -> argparse._ArgumentGroup:
    """Add the options that a job is made of; returns the group for the command's own.

    The parser must have `argument_default` SUPPRESS: what is not given is not in the namespace, and a
    job.json's value holds.

    Args:
        parser: to add to.
        groups: those whose options are added; all of a `Shot` and of `Settings` are added anyway.
        rare: basic fields that this command leaves out of its short help.
        names: the fields that are added, in place of all that and of groups.
    """
    catalog = _catalog()
    for group, title in catalog["groups"].items():
        named = None
        for name, field in catalog["fields"].items():
            wanted = field["part"] in ("shot", "settings") or group in groups
            if field["group"] == group and (wanted if names is None else name in names):
                named = named or parser.add_argument_group(title)
                action = _add(parser, named, name, field)
                if name in rare:
                    parser.advanced(action)
    own = parser.add_argument_group("the command")
    own.add_argument("--job", metavar="FILE", help="job.json to start from; options override its fields")
    parser.advanced(
        own.add_argument(
            "--path-map",
            action="append",
            default=[],
            metavar="FROM=TO",
            help="what a folder of the job is called here; or a file of Open Job Description's rules",
        )
    )
    return own


def add_fields(parser: Parser, *names: str) -> None:
    """Add single fields as options of a command that takes no job; what is not given has its default."""
    for name in names:
        _add(parser, parser, name, _catalog()["fields"][name])
        parser.set_defaults(**{name: _catalog()["fields"][name]["default"]})


def add_some(parser: Parser, *names: str, to: argparse._ActionsContainer | None = None) -> None:
    """Add single fields of a job as options, to a group of the parser's if one is given.

    What is not given on the command line is not in the namespace.
    """
    for name in names:
        _add(parser, to or parser, name, _catalog()["fields"][name])


def joined(words: Sequence[str]) -> list[str]:
    """Return a command line on which argparse takes no frame range that begins below 0 for an option.

    ``--frames -3-2`` becomes ``--frames=-3-2``.
    """
    ready: list[str] = []
    for word in words:
        if _BELOW_ZERO.fullmatch(word) and ready and _OPTION.fullmatch(ready[-1]):
            ready[-1] += f"={word}"
        else:
            ready.append(word)
    return ready


def job_of(arguments: argparse.Namespace, result: str | None = None, *, do: Do | None = None) -> Job:
    """Build the job from job.json, if one is given, else from settings files and variables; options over it.

    Which files and variables count is said on standard error.

    Args:
        arguments: as parsed.
        result: what a render has made: the job that it left there takes the place of files and variables,
            and where the job that is given is another one, that is said on standard error.
        do: what the command does, and a job has to ask for; None for whatever it asks for.

    Raises:
        SettingsError: a file can't be read, or a field is unknown, missing or out of range.
    """
    from ..job.job import Job, read_job_fields
    from ..job.settings import with_options
    from ..job.strict import shown, validated

    given = vars(arguments)
    if given.get("resume") and given.get("overwrite"):
        raise SettingsError(
            "--resume goes on with the frames that are there, and --overwrite starts again; give one of them."
        )
    left = None if result is None else _left_beside(result)
    base = given.get("job", left)
    fields: dict[str, Any] = _beside(arguments) if base is None else read_job_fields(Path(base))
    what = "Options" if base is None else f"Job {base}"
    if do is not None and fields.setdefault("do", "render" if base is not None else do) != do:
        ours = "is for renders alone" if do == "render" else f"is to {do}"
        raise SettingsError(
            f"{what} is to {shown(fields['do'])[1:-1]}, and this command {ours}; cleanplate render --job "
            "runs any job."
        )
    for part, options in _given(given).items():
        before = fields.get(part, {})
        if not isinstance(before, dict):
            raise SettingsError(f"{what}: field {part!r} must be an object, got {shown(before)}.")
        fields[part] = with_options(before, options)
    try:
        job = validated(Job, fields, what)
    except SettingsError as error:
        raise _lacking(fields, base, _named(error, given), result) from None
    if left is not None and given.get("told", 0) >= 0:
        _tell_disagreements(job, left)
    if not arguments.path_map:
        return job
    from ..job.path_map import mapped_job, read_rules

    return mapped_job(job, read_rules(arguments.path_map))


def places_of(arguments: argparse.Namespace) -> list[str]:
    """Return where settings files of a shot are looked for: around its output, its plate, and here."""
    given = vars(arguments)
    return [*(given[name] for name in ("output", "plate") if name in given), os.getcwd()]  # noqa: PTH109


def beside(arguments: argparse.Namespace) -> dict[str, Given]:
    """Return the settings that files and variables give, and no option of this command does.

    Raises SettingsError.
    """
    from ..job.config import Given, over, settings_around

    given = vars(arguments)
    around = settings_around(places_of(arguments), os.environ)
    typed = {name: Given(given[name], "options") for name in _catalog()["fields"] if name in given}
    return {name: one for name, one in over(around, typed).items() if name not in typed}


def _beside(arguments: argparse.Namespace) -> dict[str, Any]:
    from ..job.config import PART_OF

    parts: dict[str, dict[str, Any]] = {}
    sources: dict[str, list[str]] = {}
    for name, one in beside(arguments).items():
        parts.setdefault(PART_OF[name], {})[name] = one.value
        sources.setdefault(one.source.partition(", line ")[0], []).append(f"{name} {one.value}")
    if vars(arguments).get("told", 0) >= 0:
        for source, settings in sources.items():
            say(f"cleanplate: {source} sets {', '.join(settings)}", stream=sys.stderr)
    return dict(parts)


def _named(error: SettingsError, given: dict[str, Any]) -> SettingsError:
    """Return the error with the option named that gave what is wrong; any other as it is."""
    wrong = _WRONG.search(str(error))
    if wrong is None or wrong[1] not in given:
        return error
    return SettingsError(f"{_catalog()['fields'][wrong[1]]['option']} {wrong[2]}")


def _left_beside(result: str) -> Path | None:
    from ..render.recorded import recorded_job

    return recorded_job(result)


def _tell_disagreements(job: Job, left: Path) -> None:
    """Say in what a job is not the one that a render has left beside its result."""
    from ..errors import CleanplateError
    from ..job.job import Job
    from ..render.recorded import disagreements

    try:
        told = disagreements(job, Job.read(left))
    except CleanplateError as error:
        told = [str(error)]
    if told:
        say(f"cleanplate: not as it was rendered ({left}): {'; '.join(told)}", stream=sys.stderr)


def _lacking(
    fields: dict[str, Any], job: str | Path | None, error: SettingsError, result: str | None
) -> SettingsError:
    """Return the error for a shot that lacks what has no default, naming the options; any other as it is."""
    if _MISSING not in str(error):
        return error
    needed = _NEEDED if fields.get("do", "render") in ("render", "retarget") else ("plate", "output")
    lacking = [name for name in needed if name not in fields["shot"]]
    options = [_catalog()["fields"][name]["option"] for name in lacking]
    told = " and ".join((", ".join(options[:-1]), options[-1])) if options[1:] else "".join(options)
    if job is not None:
        return SettingsError(f"Job {job}: its shot lacks {', '.join(lacking)}; add that, or give {told}.")
    if result is not None:
        return SettingsError(
            f"No job.json of a render lies beside {result}: give {told}, or the render's job.json with --job."
        )
    return SettingsError(f"Give {told}, or a job.json that has all of it with --job (--help has examples).")


def _given(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields among the arguments, by the part of the job that they belong to."""
    parts: dict[str, dict[str, Any]] = {"shot": {}}
    fields = _catalog()["fields"]
    bare = [fields[name]["bare"] for name, value in given.items() if value is _BARE]
    told = {name: value for name, value in given.items() if value is not _BARE}
    for name, one in bare:
        told[name] = ",".join(filter(None, (told.get(name), one)))
    for name, field in fields.items():
        if name in told:
            parts.setdefault(field["part"], {})[name] = told[name]
    return parts


@functools.cache
def _catalog() -> dict[str, Any]:
    catalog: dict[str, Any] = json.loads(_CATALOG.read_text("utf-8"))
    return catalog


def _add(
    parser: Parser, group: argparse._ActionsContainer, name: str, field: dict[str, Any]
) -> argparse.Action:
    how: dict[str, Any] = {"dest": name, "help": _help(field).replace("%", "%%")}
    if field["kind"] == "switch":
        how["action"] = argparse.BooleanOptionalAction  # so that a job.json's can be taken back, too
    else:
        how["metavar"] = field["metavar"] if "metavar" in field else name.rpartition("_")[2].upper()
        if field["kind"] == "choice":
            how["choices"] = tuple(field["choices"])
        elif "words" not in field:
            how["type"] = _TYPES.get(field["kind"], str)
        if "bare" in field:
            how |= {"nargs": "?", "const": _BARE}
    action = group.add_argument(field["option"], **how)
    if field["level"] == "basic":
        parser.brief(action, _brief(field).replace("%", "%%"))
    else:
        parser.advanced(action)
    return action


def _help(field: dict[str, Any]) -> str:
    """Return a field's text, what its choices mean, and its default."""
    meanings = "; ".join(f"{choice}: {meaning}" for choice, meaning in field.get("choices", {}).items())
    text = f"{field['text']} {meanings}." if meanings else field["text"]
    default = field.get("unset", None if field["kind"] == "switch" else field["default"])
    return text if default is None else f"{text} (default: {default})"


def _brief(field: dict[str, Any]) -> str:
    """Return what the short help says of a field: one line where it has been given one."""
    text = field.get("brief") or field["text"].partition(". ")[0].rstrip(".")
    default = None if field["kind"] == "switch" or "unset" in field else field["default"]
    return text if default is None else f"{text} ({default})"
