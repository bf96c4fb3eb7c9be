"""What a render has finished: one line for each written frame, so that a resume knows where it stood.

The journal lies beside the saved states. Its first line is the key everything in it is valid for; each
further line is one frame with its file's size and the fingerprints of the inputs read for it. A line cut
short by a kill is as if it had not been written: its frame is rendered again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..disk.atomic import replacing
from ..disk.fingerprint import Fingerprint
from ..errors import StateError, WriteError
from .folder import journals_of
from .saved_state import ShotKey, check_key

Inputs = Mapping[int, Mapping[str, Fingerprint]]
"""Fingerprints by frame and by kind, ``plate`` or ``matte``."""


@dataclass(frozen=True)
class Entry:
    """One written frame.

    Attributes:
        frame: its number.
        size: bytes of the output file.
        inputs: what was read for it since the frame before.
        crops: where the crop of each lane stood and what it filled.
        handed_in: digest of the state that was handed in for it; empty where none was.
    """

    frame: int
    size: int
    inputs: Inputs
    crops: Mapping[str, str]
    handed_in: str = ""


class Journal:
    """The journal of one output."""

    def __init__(self, path: Path, key: ShotKey) -> None:
        self.path = path
        self.key = dict(key)

    def read(self) -> list[Entry] | None:
        """Return the entries in the order they were written; None when there is no journal.

        Raises:
            StateError: the journal is of a render with another key; says what differs.
        """
        records = self._records()
        if not records:
            return None
        check_key(records[0]["key"], self.key, f"The render in {self.path.parent}")
        return [entry for entry in map(_entry, records[1:]) if entry is not None]

    def found_key(self) -> dict[str, str] | None:
        """Return the key of the render that is on disk, whatever it is; None when there is no journal."""
        records = self._records()
        return dict(records[0]["key"]) if records else None

    def _records(self) -> list[dict[str, Any]]:
        """Return the lines, the key's first; none when there is no journal. Raises StateError."""
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"Can't read {self.path}: {error.strerror or error}.") from error
        records = [record for record in map(_parse, lines) if record is not None]
        return records if records and "key" in records[0] else []

    def read_own(self) -> list[Entry]:
        """Return the entries if they are of this very render, and nothing if they are not."""
        try:
            return self.read() or []
        except StateError:
            return []

    def restart(self, entries: list[Entry]) -> None:
        """Write the journal anew with these entries only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as temporary:
            lines = [json.dumps({"key": self.key}), *(_line(entry) for entry in entries)]
            temporary.write_text("\n".join(lines) + "\n", "utf-8")

    def append(self, entry: Entry) -> None:
        """Add one entry and sync it. Raises WriteError when the disk does not take it."""
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(_line(entry) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise WriteError(f"Can't write {self.path}: {error.strerror or error}.") from error


def forget_elsewhere(root: Path, own: Path, first: int, last: int) -> None:
    """Take the frames that are rendered now out of all other journals of the output.

    A whole render and its chunks have a journal each. Without this, one of them could later believe a frame
    that another has replaced.

    Args:
        root: the output's state folder.
        own: the folder, `root` or one in it, whose journal is left alone.
        first, last: the frames.
    """
    for path in journals_of(root):
        if path.parent == own or not path.is_file():
            continue
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError as error:
            raise StateError(f"Can't read {path}: {error.strerror or error}.") from error
        kept = [line for line in lines if not first <= (_parse(line) or {}).get("frame", first - 1) <= last]
        if len(kept) == len(lines):
            continue
        if len(kept) == 1 and path.parent != root:
            shutil.rmtree(path.parent, ignore_errors=True)
        else:
            with replacing(path) as temporary:
                temporary.write_text("\n".join(kept) + "\n", "utf-8")


def _line(entry: Entry) -> str:
    inputs = {
        str(frame): {kind: asdict(fingerprint) for kind, fingerprint in files.items()}
        for frame, files in entry.inputs.items()
    }
    record = {"frame": entry.frame, "size": entry.size, "inputs": inputs, "crops": dict(entry.crops)}
    return json.dumps(record | ({"handed_in": entry.handed_in} if entry.handed_in else {}))


def _parse(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _entry(record: dict[str, Any]) -> Entry | None:
    """Return what a line says; None for one that says something else: its frame is rendered again."""
    try:
        inputs = {
            int(frame): {kind: Fingerprint(**fields) for kind, fields in files.items()}
            for frame, files in record["inputs"].items()
        }
        crops = {str(name): str(crop) for name, crop in record["crops"].items()}
        handed_in = str(record.get("handed_in", ""))
        return Entry(int(record["frame"]), int(record["size"]), inputs, crops, handed_in)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
