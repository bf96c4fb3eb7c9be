"""Bytes from a descriptor and to it: whole frames, no buffer between, and a stop is heard while waiting."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import ImageError, InputError, MissingFramesError, WriteError

STANDARD = "-"
"""Names standard input, or output."""

_WAIT_MILLISECONDS = 100
_PIPE_BYTES = 1 << 20
"""What Linux lets a pipe hold at most, unasked: fewer, longer turns for large frames."""


class PipeIn:
    """Reads from a descriptor.

    Args:
        source: the file, opened without a buffer.
        name: as messages have it.
        hear: called all the while, also when nothing comes; raises Interrupted once it is to stop.
    """

    def __init__(self, source: io.FileIO, name: str, hear: Callable[[], None]) -> None:
        self._source = source
        self.name = name
        self._hear = hear
        self._poll = _waiting_on(source.fileno())
        _widen(source.fileno())

    def read_into(self, data: Any) -> int:
        """Fill a buffer; returns how many bytes came: fewer only at the end."""
        view = memoryview(data).cast("B")
        come = 0
        while come < len(view):
            count = self._some(view[come:])
            if count == 0:
                break
            come += count
        return come

    def line(self, most: int, begun: bytes = b"") -> bytes:
        """Return the rest of a line of text, without its end; what has come where the input ends in it.

        Raises ImageError where no line ends within ``most`` bytes.
        """
        text = bytearray(begun)
        one = bytearray(1)
        while not text.endswith(b"\n"):
            if len(text) > most:
                raise ImageError(f"{self.name}: no line of text where one is expected; is this y4m?")
            if not self.read_into(memoryview(one)):
                return bytes(text)
            text += one
        return bytes(text[:-1])

    def _some(self, view: memoryview) -> int:
        while self._poll is not None and not self._poll.poll(_WAIT_MILLISECONDS):
            self._hear()
        self._hear()
        try:
            return self._source.readinto(view) or 0
        except OSError as error:
            raise InputError(f"{self.name} can't be read: {error.strerror or error}.") from None

    def close(self) -> None:
        """Close it; the sender's next write fails."""
        with contextlib.suppress(OSError):
            self._source.close()


class PipeOut:
    """Writes to a descriptor.

    Args:
        target: the file, opened without a buffer.
        name: as messages have it.
    """

    def __init__(self, target: io.FileIO, name: str) -> None:
        self._target = target
        self.name = name
        _widen(target.fileno())

    def write(self, data: Any) -> None:
        """Write all of a buffer.

        Raises:
            WriteError: whoever read it has gone, or there is no room.
        """
        view = memoryview(data).cast("B")
        try:
            while len(view):
                view = view[self._target.write(view) or 0 :]
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EINVAL, errno.ECONNRESET):
                raise WriteError(f"{self.name} was closed by whoever read it.") from None
            raise WriteError(f"{self.name} can't be written: {error.strerror or error}.") from None

    def __enter__(self) -> PipeOut:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._target.close()


def open_in(name: str, hear: Callable[[], None]) -> PipeIn:
    """Open standard input, a named pipe or a file.

    A named pipe is waited for, here or by the first read, until somebody writes.

    Args:
        name: of it.
        hear: as of `PipeIn`.

    Raises:
        MissingFramesError: it is not there.
        InputError: it is a terminal, or can't be opened.
    """
    if name == STANDARD:
        if sys.stdin.isatty():
            raise InputError(
                "No video comes in: send it on, as in `ffmpeg ... | cleanplate stream`, or name it."
            )
        return PipeIn(io.FileIO(sys.stdin.fileno(), "rb", closefd=False), "Standard input", hear)
    if not Path(name).exists():
        raise MissingFramesError(f"{name} is not there; make a pipe with mkfifo, or name a movie.")
    try:
        return PipeIn(io.FileIO(_opened(name), "rb"), name, hear)
    except OSError as error:
        raise InputError(f"{name} can't be opened: {error.strerror}.") from None


def open_out(name: str, hear: Callable[[], None]) -> PipeOut:
    """Open standard output or a named pipe, which is waited for until somebody reads it.

    Args:
        name: of it.
        hear: called while nobody reads it; raises Interrupted once it is to stop.

    Raises:
        InputError: it is a terminal, or a file: half of one would look like a whole one.
    """
    if name == STANDARD:
        if sys.stdout.isatty():
            raise InputError("The video would go to the terminal; send it on, as in `| ffplay -`.")
        return PipeOut(io.FileIO(sys.stdout.fileno(), "wb", closefd=False), "Standard output")
    path = Path(name)
    if not path.exists() or stat.S_ISREG(path.stat().st_mode) or path.is_dir():
        raise InputError(
            f"{name} is no pipe; make one with mkfifo, or send standard output to a file with >."
        )
    while True:
        hear()
        try:
            # A pipe that nobody reads can't be opened in this way, and would be waited for deafly in another.
            descriptor = os.open(name, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise WriteError(f"{name} can't be opened: {error.strerror}.") from None
            time.sleep(_WAIT_MILLISECONDS / 1000)
            continue
        os.set_blocking(descriptor, True)
        return PipeOut(io.FileIO(descriptor, "wb"), name)


def _opened(name: str) -> int:
    """The descriptor of a file or a named pipe; on Linux the first read waits for a writer, and can stop."""
    if sys.platform != "linux":
        return os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _waiting_on(descriptor: int) -> select.poll | None:
    """What tells when bytes have come; None where the system has no such thing."""
    if os.name != "posix":
        return None
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    return poll


def _widen(descriptor: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
