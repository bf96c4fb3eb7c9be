"""Reads the JSON lines that another process appends to a file, as they come."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Follower:
    """Follows one file; one that is there is removed first.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def events(self) -> list[Event]:
        """Return what was appended since the last call; a line that is not whole yet comes with the next."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return [event for event in map(_event, whole.splitlines()) if event]


def _event(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) and "event" in event else {}
