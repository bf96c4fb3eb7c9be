"""Read a list of shots (YAML, JSON or CSV) as it was written, with the line of every entry and field.

Nothing is judged here but the form; `batch_shots` says what the fields mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..disk.bounded import UnreadableError, load_json, short
from ..disk.bounded_yaml import load_yaml
from ..disk.regular import read_regular
from ..errors import SettingsError

Value = str | list[str] | None
"""Every value is text, and whoever knows the field turns it into a number: `name: 010` stays as it looks, and
so does `grain: off`, which YAML would take for false. None takes a default back."""

VERSION = 1


@dataclass(frozen=True)
class Row:
    """Fields as they were written.

    Attributes:
        fields: by name.
        line: where the entry begins, from 1.
        lines: where each field stands.
    """

    fields: Mapping[str, Value]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ShotList:
    """A list of shots as it was written.

    Attributes:
        path: the file.
        defaults: fields for every shot that does not give its own.
        rows: one for each shot, in order.
    """

    path: Path
    defaults: Row
    rows: tuple[Row, ...]


def read_shot_list(path: Path) -> ShotList:
    """Read a `.yaml`, `.yml`, `.json` or `.csv` file (UTF-8).

    Raises:
        SettingsError: it can't be read, or isn't what its name says; tells the line.
    """
    readers = {".yaml": _read_yaml, ".yml": _read_yaml, ".json": _read_json, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SettingsError(f"{path}: a list of shots is a .yaml, .json or .csv file.")
    try:
        text = read_regular(path).decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"Can't read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    return reader(path, text)


def _read_csv(path: Path, text: str) -> ShotList:
    """A header row names the fields; an empty cell is a field that is not given."""
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    rows = []
    for cells in _cells(path, reader):
        if None in cells or None in cells.values():
            raise SettingsError(
                f"{path}:{reader.line_num}: expected {len(reader.fieldnames or ())} cells, as in the header."
            )
        fields = {name.strip(): cell.strip() for name, cell in cells.items() if cell.strip()}
        if fields:
            rows.append(Row(fields, reader.line_num))
    return ShotList(path, Row({}, 1), tuple(rows))


def _cells(path: Path, reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    """Yield the rows. Raises SettingsError where the reader gives up: at a NUL, or a cell of a page."""
    try:
        yield from reader
    except csv.Error as error:
        raise SettingsError(f"{path}:{reader.line_num}: not CSV: {error}.") from None


def _read_json(path: Path, text: str) -> ShotList:
    try:
        load_json(text, str(path))
    except UnreadableError as error:
        raise _mistake(path, error) from None
    # JSON is YAML but for tabs, which JSON has only between its parts. YAML's reader tells lines.
    return _read_yaml(path, text.replace("\t", " "))


def _mistake(path: Path, error: UnreadableError) -> SettingsError:
    return SettingsError(f"{path}:{error.line or 1}: {error.problem}.")


def _read_yaml(path: Path, text: str) -> ShotList:
    try:
        root = load_yaml(text, str(path))
    except UnreadableError as error:
        raise _mistake(path, error) from None
    if root is None:
        raise SettingsError(f"{path} is empty; give a list of shots.")
    top = _mapping(path, root, "the file")
    unknown = sorted(set(top) - {"version", "defaults", "shots"})
    if unknown:
        raise SettingsError(
            f"{path}:{_line(top[unknown[0]])}: unknown part {short(unknown[0])}; known are version, defaults "
            "and shots."
        )
    _check_version(path, top)
    if "shots" not in top:
        raise SettingsError(
            f"{path}: there is no list of shots; write 'shots:' and a '- name: ...' for each."
        )
    defaults = _row(path, top["defaults"], "defaults") if "defaults" in top else Row({}, 1)
    shots = top["shots"]
    if not isinstance(shots, SequenceNode):
        raise SettingsError(f"{path}:{_line(shots)}: 'shots' must be a list.")
    return ShotList(path, defaults, tuple(_row(path, node, "a shot") for node in shots.value))


def _check_version(path: Path, top: Mapping[str, Node]) -> None:
    if "version" in top:
        version = _value(path, top["version"])
        if version != str(VERSION):
            raise SettingsError(
                f"{path}:{_line(top['version'])}: version {str(version)[:40]}, this Cleanplate reads "
                f"{VERSION}."
            )


def _mapping(path: Path, node: Node, what: str) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        raise SettingsError(f"{path}:{_line(node)}: {what} must be fields with values, 'name: value'.")
    return {str(key.value): value for key, value in node.value}


def _row(path: Path, node: Node, what: str) -> Row:
    found = _mapping(path, node, what)
    values = {name: _value(path, value) for name, value in found.items()}
    lines = {name: _line(value) for name, value in found.items()}
    return Row(values, _line(node), lines)


def _value(path: Path, node: Node) -> Value:
    if isinstance(node, SequenceNode):
        return [str(_value(path, item)) for item in node.value]
    if not isinstance(node, ScalarNode):
        raise SettingsError(f"{path}:{_line(node)}: expected a value, got fields.")
    text = str(node.value)
    return None if node.style is None and text in ("", "null", "~") else text


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
