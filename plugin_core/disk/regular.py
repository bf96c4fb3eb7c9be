"""Read files that may be anything: never wait for a pipe, never open a device, never fill the memory."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

MOST_BYTES = 64 << 20


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, or what a link to one leads to.

    Raises:
        OSError: it is not there, can't be read, or is a pipe, a device or a folder; `strerror` says which.
    """
    # Looked at first, since opening a device may do something; opened so that a pipe put there meanwhile does
    # not make us wait; and looked at again, since only the opened one counts.
    _refuse_other(path.stat().st_mode, path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse_other(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what a regular file holds. Raises OSError as `open_regular` does, and where it is too large."""
    with open_regular(path) as stream:
        # As much as is asked for is laid aside first, so no more is asked for than can be there.
        content = stream.read(min(os.fstat(stream.fileno()).st_size, most_bytes) + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes >> 20} MB", str(path))
    return content


def _refuse_other(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, not a file", str(path))
