"""Files that appear whole or not at all: temporary name in the same folder, fsync, rename."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import WriteError

TEMPORARY_PREFIX = ".cleanplate-"
"""What every temporary name begins with."""

_UNFINISHED: set[Path] = set()
"""Temporary files of this process that have not got their final name yet."""

_TEMPORARY = re.compile(
    re.escape(TEMPORARY_PREFIX) + r"(?P<stem>.+)\.[0-9a-f]{12}\.tmp(?:-plain)?(?P<suffix>\.[^.]+)?"
)


def temporary_for(path: Path) -> Path:
    """Return a fresh temporary name beside `path` that tells which file it is for.

    It keeps the extension (writers choose the format by it) and starts with a dot.
    """
    return path.with_name(f"{TEMPORARY_PREFIX}{path.stem}.{uuid.uuid4().hex[:12]}.tmp{path.suffix}")


@contextlib.contextmanager
def passing(temporary: Path) -> Iterator[Path]:
    """Remove a file of that name in the end, at a hard one of the process too."""
    _UNFINISHED.add(temporary)
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _UNFINISHED.discard(temporary)


@contextlib.contextmanager
def replacing(path: Path, ready: Callable[[Path], None] = lambda temporary: None) -> Iterator[Path]:
    """Give a temporary path beside `path`; on a clean exit it is synced and takes the final name.

    On any error it is removed and the final name is left as it was.

    Args:
        path: the final name.
        ready: told the temporary path once that file is whole, before it takes the name; may raise.

    Raises:
        WriteError: the folder or the disk does not take the file.
    """
    with passing(temporary_for(path)) as temporary:
        try:
            yield temporary
            sync_to_disk(temporary)
            ready(temporary)
            temporary.replace(path)
            sync_to_disk(path.parent)
        except OSError as error:
            raise WriteError(f"Can't write {path}: {error.strerror or error}.") from error


def remove_unfinished() -> None:
    """Remove what is being written: the process ends now, in the midst of it."""
    for temporary in tuple(_UNFINISHED):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path, is_mine: Callable[[Path], bool]) -> None:
    """Remove temporary files that a killed process left in `folder`.

    Args:
        folder: searched itself, not its subfolders.
        is_mine: told the final path a temporary file was meant for; only those it claims are removed, since
            other renders may be writing into the same folder.
    """
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*.tmp*"):
        match = _TEMPORARY.fullmatch(leftover.name)
        if match and is_mine(folder / f"{match['stem']}{match['suffix'] or ''}"):
            leftover.unlink(missing_ok=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk. Raises OSError when the disk does not take it."""
    # Windows can't open a folder, and needs no sync of one to keep a rename.
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
