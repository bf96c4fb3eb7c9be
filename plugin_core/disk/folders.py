"""Folders: made however deep they lie, and removed only when nothing of anyone else's is in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there.

    `Path.mkdir` calls itself for every folder above, and Python has no room for a thousand of them.

    Raises:
        OSError: one of them can't be made.
    """
    missing, above = [folder], folder.parent
    while not above.exists() and above != above.parent:
        missing.append(above)
        above = above.parent
    for lacking in reversed(missing):
        lacking.mkdir(exist_ok=True)


@contextlib.contextmanager
def leaving_no_empty(folder: Path) -> Iterator[None]:
    """On any error, remove the folders on the way to `folder` that were not there before and are empty."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def remove_own(folder: Path, files: Iterable[Path]) -> None:
    """Remove files of ours, and then their folder, which stays where it holds anything else."""
    with contextlib.suppress(OSError):
        for path in files:
            path.unlink(missing_ok=True)
        folder.rmdir()
