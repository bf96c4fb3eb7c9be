"""One render for each frame of an output: a lock file that tells its owner, and outlives nobody for long.

A render claims its range of frames. Ranges that don't overlap are claimed side by side, so that the chunks of
one output may run on several machines at once. A claim is a small file made with O_EXCL, which is atomic on
local disks, NFS and SMB alike; no lock daemon is needed. Its owner touches it every few seconds. Whoever
finds it

* on the same machine, looks whether the owner's process still runs: a killed render blocks nobody;
* on another machine, watches it: one that is touched is in use, one that stays silent is of a dead machine
  and is taken over. Only the watcher's own clock counts, so clocks that differ do no harm.

An owner that was silent for too long (a paused machine, a mount that hung) and wakes up finds its file signed
by another, and stops before its next frame. Should two ever work side by side until then, they write the same
pixels under the same names, each file whole.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ..errors import OutputBusyError, WriteError
from .folders import make_folder
from .owner import place, start_of
from .regular import read_regular

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("cleanplate.disk")

BEAT_SECONDS = 5.0
"""How often an owner touches its file."""

SILENT_SECONDS = 45.0
"""How long another machine's file must stay untouched before it is taken over."""

_LOOK_SECONDS = 1.0
_WHOLE = "lock.all"
_NAME = re.compile(r"lock\.(?:all|(?P<first>-?[0-9]{1,18})_(?P<last>-?[0-9]{1,18}))")
_BEGINNING = '{"frames": "'
"""What a lock file begins with, even one whose owner died while writing it."""

_MOST_BYTES = 1 << 16
_LEAST, _MOST = -sys.maxsize, sys.maxsize


@dataclass(frozen=True)
class Owner:
    """What a lock file says.

    Attributes:
        frames: what is claimed, such as ``1051-1100``; ``all`` of the output where no range is given.
        host: name of the machine.
        place: tells whose process numbers these are, see `owner.place`.
        pid: process number.
        started: when the process began, in the kernel's ticks; empty if unknown.
        since: local time of the claim, for people.
        token: makes this claim unlike any other.
    """

    frames: str
    host: str
    place: str
    pid: Annotated[int, Field(ge=0, lt=1 << 32)]
    started: str
    since: str
    token: str


_OWNER = TypeAdapter(Owner)


class Claim:
    """Frames that this render alone may write, until `release`."""

    def __init__(self, path: Path, owner: Owner) -> None:
        self._path = path
        self._owner = owner
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that the frames are still ours to write.

        Raises:
            OutputBusyError: another machine took them over, thinking this one dead.
            WriteError: the lock file has gone: the disk was unmounted, or the folder removed.
        """
        now = _read(self._path)
        if now is None and not self._path.exists():
            raise WriteError(
                f"{self._path} has gone: the output's disk was unmounted, or its .cleanplate folder removed; "
                "mend that and go on with --resume."
            )
        if now is not None and now.token != self._owner.token:
            raise OutputBusyError(
                f"Process {now.pid} on {now.host} took this render over while it was silent; what was "
                "written is whole, and the other goes on."
            )

    def release(self) -> None:
        """Give the frames free."""
        self._over.set()
        self._thread.join()
        _remove(self._path, self._owner.token)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            now = _read(self._path)
            if now is not None and now.token == self._owner.token:
                with contextlib.suppress(OSError):
                    os.utime(self._path)


@contextlib.contextmanager
def holding(
    folder: Path,
    output: str,
    frames: tuple[int, int] | None,
    *,
    wait_seconds: float = 0,
    watch: Callable[[], None] = lambda: None,
) -> Iterator[Claim]:
    """Hold frames of one output while the block runs.

    Args:
        folder: where the lock files lie; made when it is not there.
        output: what is locked, for messages.
        frames: first and last frame; None for the whole output.
        wait_seconds: how long to wait for a render that holds some of them.
        watch: called now and then while waiting; may raise to stop.

    Raises:
        OutputBusyError: another render holds some of the frames.
        WriteError: the folder can't be written to, or holds something else where a lock file would be.
    """
    give_up = time.monotonic() + wait_seconds
    while True:
        try:
            claim = _claim(folder, output, frames, watch)
            break
        except OutputBusyError as busy:
            if time.monotonic() >= give_up:
                raise
            log.warning("%s Waiting for it.", busy)
            _pause_until(min(give_up, time.monotonic() + 20 * _LOOK_SECONDS), watch)
        except OSError as error:
            raise WriteError(f"Can't write to {folder}: {error.strerror or error}.") from error
    try:
        yield claim
    finally:
        claim.release()


def _claim(folder: Path, output: str, frames: tuple[int, int] | None, watch: Callable[[], None]) -> Claim:
    make_folder(folder)
    name = _WHOLE if frames is None else f"lock.{frames[0]}_{frames[1]}"
    path, owner = folder / name, _ourselves(frames)
    while not _create(path, owner):
        _refuse_living(path, output, watch)
    claim = Claim(path, owner)
    try:
        for other in folder.glob("lock.*"):
            if other != path and _overlap(other.name, name):
                _refuse_living(other, output, watch)
    except BaseException:
        claim.release()
        raise
    return claim


def _create(path: Path, owner: Owner) -> bool:
    """Make the file unless it is there. Raises OSError when the folder can't be written to."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(owner)))
    except FileExistsError:
        return False
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise
    return True


def _overlap(one: str, other: str) -> bool:
    """Whether two lock files claim a frame in common; told by their names, which are there before content.

    A name that no lock file has (``lock.1_9.bak``) claims nothing.
    """
    names = [_NAME.fullmatch(name) for name in (one, other)]
    if None in names:
        return False
    (a, b), (c, d) = ((int(name["first"] or _LEAST), int(name["last"] or _MOST)) for name in names if name)
    return a <= d and c <= b


def _refuse_living(path: Path, output: str, watch: Callable[[], None]) -> None:
    """Raise OutputBusyError if the owner of a lock file lives; else remove the file.

    What is no lock file is neither waited for nor removed: WriteError.
    """
    owner = _read(path)
    if owner is None and not _may_be_ours(path):
        raise WriteError(f"{path} is not a lock file of a render; move it away.")
    if _lives(path, owner, watch):
        raise OutputBusyError(
            f"Output {output} is being written by another render{_about(owner)}; wait for it or stop it."
        )
    log.info("%s was left by a render that died; it is taken over.", path)
    _remove(path, owner.token if owner is not None else None)


def _is_touched(path: Path, owner: Owner | None, watch: Callable[[], None]) -> bool:
    """Watch another machine's lock file until it is touched or has been silent for long enough."""
    before, silent = _stamp(path), 0.0
    if before is not None:
        log.warning("Looking whether the render%s still lives: up to %.0f s.", _about(owner), SILENT_SECONDS)
    while silent < SILENT_SECONDS:
        look = time.monotonic()
        _pause_until(look + _LOOK_SECONDS, watch)
        now = _stamp(path)
        if now is None:
            return False
        if now != before:
            return True
        # A look that took long itself (the mount hung) says nothing about the owner meanwhile.
        silent += min(time.monotonic() - look, 2 * _LOOK_SECONDS)
    return False


def _stamp(path: Path) -> tuple[int, int] | None:
    """Modification time and file number, asked of the server; None when the file has gone."""
    try:
        # NFS clients look afresh only when a file is opened.
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def _pause_until(end: float, watch: Callable[[], None]) -> None:
    while (left := end - time.monotonic()) > 0:
        watch()
        time.sleep(min(left, 0.2))


def _read(path: Path) -> Owner | None:
    """Return what a lock file says; None when it is gone, or its owner died while writing it."""
    try:
        return _parsed(read_regular(path, _MOST_BYTES))
    except OSError:
        return None


def _parsed(content: bytes) -> Owner | None:
    try:
        return _OWNER.validate_json(content, strict=True)
    except ValidationError:
        return None


def _may_be_ours(path: Path) -> bool:
    """Whether a file may be a lock file that was cut short, or has gone meanwhile."""
    try:
        begins = read_regular(path, _MOST_BYTES)[: len(_BEGINNING)]
    except FileNotFoundError:
        return True
    except OSError as error:
        return error.errno not in (errno.EINVAL, errno.EFBIG)
    return _BEGINNING.encode().startswith(begins)


def _remove(path: Path, token: str | None) -> None:
    """Remove a lock file, if it is still the one that is meant."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":  # an open file can't be removed there
            if _token_of(read_regular(path, _MOST_BYTES)) == token:
                path.unlink()
            return
        with path.open("r+b") as stream:
            # Between a look and the removal another may have removed this file and made its own of the name.
            # Who holds the very file that was looked at is alone with it; who comes second finds another.
            with contextlib.suppress(OSError):
                fcntl.flock(stream, fcntl.LOCK_EX)
            same = os.fstat(stream.fileno()).st_ino == path.stat().st_ino
            if same and _token_of(stream.read(_MOST_BYTES)) == token:
                path.unlink()


def _token_of(content: bytes) -> str | None:
    owner = _parsed(content)
    return None if owner is None else owner.token


def _ourselves(frames: tuple[int, int] | None) -> Owner:
    pid = os.getpid()
    return Owner(
        "all" if frames is None else f"{frames[0]}-{frames[1]}",
        socket.gethostname(),
        place(),
        pid,
        start_of(pid) or "",
        time.strftime("%Y-%m-%d %H:%M:%S"),
        uuid.uuid4().hex,
    )


def _lives(path: Path, owner: Owner | None, watch: Callable[[], None]) -> bool:
    if owner is not None and owner.place == place():
        start = start_of(owner.pid)
        if start is None or (start and start != owner.started):
            return False
        if start:
            return True
    return _is_touched(path, owner, watch)


def _about(owner: Owner | None) -> str:
    if owner is None:
        return ""
    return f" (process {owner.pid} on {owner.host}, frames {owner.frames}, since {owner.since})"
