"""One render per output: a lock that ends with its process, and says who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputBusyError, WriteError


@contextlib.contextmanager
def holding(folder: Path, output: str) -> Iterator[None]:
    """Hold the lock of one output while the block runs.

    The operating system ends the lock with the process, however that dies, so none is ever left behind. The
    file stays: removing it could let two renders lock two different files of the same name.

    Args:
        folder: where the lock file lies; made when it is not there.
        output: what is locked, for messages.

    Raises:
        OutputBusyError: another render holds it.
        WriteError: the folder can't be written to, or can't hold a lock.
    """
    from filelock import FileLock, Timeout

    # A generator may be carried on by another thread than began it; the lock must not care.
    lock = FileLock(folder / "lock", thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputBusyError(
            f"Output {output} is being written by another render{_holder(folder)}; wait for it or stop it."
        ) from None
    except NotImplementedError as error:
        raise WriteError(f"The file system of {folder} has no file locks; write to another.") from error
    except OSError as error:
        raise WriteError(f"Can't write to {folder}: {error.strerror or error}.") from error
    try:
        _sign(folder)
        yield
    finally:
        lock.release()


def _sign(folder: Path) -> None:
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    with contextlib.suppress(OSError):
        (folder / "owner.json").write_text(json.dumps(owner), "utf-8")


def _holder(folder: Path) -> str:
    try:
        owner = json.loads((folder / "owner.json").read_text("utf-8"))
        return f" (process {owner['pid']} on {owner['host']}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
