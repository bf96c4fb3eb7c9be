"""Settings that stand beside the shots: `cleanplate.toml` of a shot, a show or a user, and the environment.

    # /shows/alpha/cleanplate.toml
    colorspace = "ACEScg"
    ocio_config = "color/config.ocio"     # paths begin at this file's folder
    grow = 6

A field's name is the one in job.json. What is typed wins over the environment (``CLEANPLATE_GROW=6``), that
over files, of those the nearest to the shot over those further up, and the user's own comes last. A job.json
is complete without any of them, and a list of shots takes those files alone that lie around its shots: so
neither depends on who runs it.
"""

from __future__ import annotations

import difflib
import functools
import logging
import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..disk.bounded import UnreadableError
from ..disk.bounded_toml import load_toml
from ..disk.regular import read_regular
from ..errors import SettingsError
from .about import abouts, paths_of
from .settings import PARTS, QUALITIES
from .strict import shown

log = logging.getLogger("cleanplate.job")

FILE_NAME = "cleanplate.toml"
PREFIX = "CLEANPLATE_"
USERS = f"{PREFIX}CONFIG"
"""The variable that names the user's own file, where it is not the usual one; ``off`` reads no file."""

OTHERS = (USERS, f"{PREFIX}MODELS")
"""Variables that are no setting's, and are read elsewhere."""

_OF_ONE_SHOT = (
    *("plate", "matte", "output", "reference", "shadow_matte", "sample_matte", "patch", "debug"),
    *("protect", "finds", "review", "clean"),
)

PART_OF: Mapping[str, str] = {
    name: part
    for part, model in PARTS.items()
    for name, about in abouts(model).items()
    if not about.once and name not in _OF_ONE_SHOT
}
"""Fields that may be set here, by the part of the job that they belong to."""

_PATHS = {path for model in PARTS.values() for path in paths_of(model)}
_PRESET = {name for sets in QUALITIES.values() for name in sets}


@dataclass(frozen=True)
class Given:
    """A value and who gave it.

    Attributes:
        value: as the job takes it.
        source: a file with the line, or a variable.
    """

    value: Any
    source: str


def files_around(places: Iterable[str | os.PathLike[str]], environment: Mapping[str, str]) -> list[Path]:
    """Return the settings files of a shot, the nearest first.

    They are looked for in the folder of the first place and those above it; where there is none, from the
    next place on.

    Args:
        places: the shot's output, its plate, and where it was asked for from, as far as they count.
        environment: with ``CLEANPLATE_CONFIG=off`` there are none.
    """
    if environment.get(USERS) == "off":
        return []
    for place in places:
        start = Path(place).absolute()
        there = [folder / FILE_NAME for folder in (start, *start.parents)]
        found = [path for path in there if os.path.isfile(path) and not _anybodys(path)]  # noqa: PTH113 - never raises
        if found:
            return found
    return []


def users_file(environment: Mapping[str, str]) -> Path | None:
    """Return the user's own file, if there is one. Raises SettingsError when the one named is not there."""
    named = environment.get(USERS, "")
    if named == "off":
        return None
    path = Path(named or _users_folder(environment) / FILE_NAME)
    if os.path.isfile(path):  # noqa: PTH113
        return path
    if named:
        raise SettingsError(f"{USERS} names {shown(named)}, and there is no such file; off reads none.")
    return None


def read_file(path: Path) -> dict[str, Given]:
    """Return the settings of one file.

    Raises:
        SettingsError: it can't be read, or holds what is no setting or out of range; tells the line.
    """
    try:
        about = path.stat()
        return dict(_read(path, (about.st_mtime_ns, about.st_size)))
    except OSError as error:
        raise SettingsError(f"Can't read {path}: {error.strerror or error}.") from error


def from_files(files: Sequence[Path]) -> dict[str, Given]:
    """Return the settings of several files, the first of which counts most."""
    found: dict[str, Given] = {}
    for path in reversed(files):
        found = over(found, read_file(path))
    return found


def from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """Return the settings among variables; empty ones don't count. Raises SettingsError for a bad value."""
    known = {f"{PREFIX}{name.upper()}": name for name in PART_OF}
    found: dict[str, Given] = {}
    for variable, text in environment.items():
        if not text:
            continue
        if variable in known:
            name, source = known[variable], f"${variable}"
            _check(name, text, source)
            found[name] = Given(text, source)
        elif variable.startswith(PREFIX) and variable not in OTHERS:
            for close in difflib.get_close_matches(variable, known, n=1, cutoff=0.9):
                log.warning("%s sets nothing; did you mean %s?", variable, close)
    return found


def settings_around(
    places: Iterable[str | os.PathLike[str]], environment: Mapping[str, str]
) -> dict[str, Given]:
    """Return all that counts for a command that is typed: the user's file, those around, and variables.

    Raises:
        SettingsError: a file or variable holds what is no setting or out of range.
    """
    own = users_file(environment)
    files = [*files_around(places, environment), *([] if own is None else [own])]
    return over(from_files(files), from_environment(environment))


def over(lower: Mapping[str, Given], upper: Mapping[str, Given]) -> dict[str, Given]:
    """Lay settings over others: a quality takes with it what it sets, too."""
    taken = _PRESET if "quality" in upper else set()
    return {**{name: given for name, given in lower.items() if name not in taken}, **upper}


@functools.lru_cache(256)
def _read(path: Path, _stamp: tuple[int, int]) -> dict[str, Given]:
    try:
        fields, lines = load_toml(read_regular(path).decode("utf-8-sig"), str(path))
    except UnreadableError as error:
        raise SettingsError(str(error)) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    return {name: _given(path, name, value, lines.get(name)) for name, value in fields.items()}


def _given(path: Path, name: str, value: Any, line: int | None) -> Given:
    source = str(path) if line is None else f"{path}, line {line}"
    if name not in PART_OF:
        raise SettingsError(f"{source}: {_why_not(name)}")
    _check(name, value, source)
    if isinstance(value, str) and (name in _PATHS or (name == "model" and re.search(r"[/\\]|^\.", value))):
        value = str(path.absolute().parent / Path(value).expanduser())
    return Given(value, source)


def _why_not(name: str) -> str:
    everywhere = {field for model in PARTS.values() for field in model.model_fields}
    if name in everywhere:
        return f"{name!r} belongs to one render of one shot; give it as an option or in a job.json."
    close = difflib.get_close_matches(name, PART_OF, n=1)
    return f"there is no setting {shown(name)}" + (
        f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(PART_OF)}."
    )


def _check(name: str, value: Any, source: str) -> None:
    part = PARTS[PART_OF[name]]
    needed = {field: "-" for field, info in part.model_fields.items() if info.is_required()}
    try:
        part(**{**needed, name: value})
    except SettingsError as error:
        raise SettingsError(f"{source}: {error}") from None


def _anybodys(path: Path) -> bool:
    """Whether a file lies where strangers put files, as in /tmp, and is neither root's nor ours."""
    if sys.platform == "win32":
        return False
    try:
        folder, file = path.parent.stat().st_mode, path.stat()
    except OSError:
        return False
    shared = bool(folder & stat.S_IWOTH) and bool(folder & stat.S_ISVTX)
    if shared and file.st_uid not in (0, os.getuid()):
        log.warning("%s belongs to somebody else, in a folder where anybody may write: it is not read.", path)
        return True
    return False


def _users_folder(environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "cleanplate"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "cleanplate"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "cleanplate"
