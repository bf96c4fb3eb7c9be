"""Every error that Cleanplate raises on purpose, and the exit code of each.

    CleanplateError                 anything below; catch this one to catch them all
      InputError               2    what was asked for can't be done: bad option, bad file, sizes that differ
        SettingsError          2    a setting or job.json that does not validate
          MistakesError        2    several of them, as in a list of shots
        ImageError             2    a picture that can't be read, or isn't what it should be
      MissingFramesError       3    frames of the plate or matte are not on disk
      ModelError               4    a model bundle that is damaged, incomplete or too new
      StateError               4    a saved state that belongs to another shot, model or size
      DeviceError              5    the device asked for is not there or ran out of memory
        NotEnoughMemoryError   5    this machine, or a limit on this process, has too little memory
      WriteError               6    the output can't be written: no permission, disk full, mount gone
      OutputBusyError          7    another render is writing the same output
      BatchError               8    some shots of a batch failed; its summary says which and why
      Interrupted        130/143    stopped by SIGINT, a cancel file (130) or SIGTERM (143); state is saved

A message is one sentence or two, ready to be shown to an artist: what is wrong, where (file, frame), what was
expected and what was found, and what to do.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence


class CleanplateError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1

    @property
    def lines(self) -> tuple[str, ...]:
        """The message; several where several things are wrong."""
        return (str(self),)


class InputError(CleanplateError):
    """What was asked for can't be done as asked."""

    exit_code = 2


class SettingsError(InputError):
    """A setting, command line or job.json that does not validate."""


class MistakesError(SettingsError):
    """Several mistakes, each with a line of its own."""

    def __init__(self, lines: Sequence[str], exit_code: int = 2) -> None:
        super().__init__("\n".join(lines))
        self._lines = tuple(lines)
        self.exit_code = exit_code

    @property
    def lines(self) -> tuple[str, ...]:
        """The mistakes."""
        return self._lines


class ImageError(InputError):
    """A picture that can't be read, or isn't what it should be."""


class MissingFramesError(CleanplateError):
    """Frames of the plate or matte are not on disk."""

    exit_code = 3


class ModelError(CleanplateError):
    """A model bundle that is damaged, incomplete or too new."""

    exit_code = 4


class StateError(CleanplateError):
    """A saved state that belongs to another shot, model or size, or is damaged."""

    exit_code = 4


class DeviceError(CleanplateError):
    """The device asked for is not there, or ran out of memory."""

    exit_code = 5


class NotEnoughMemoryError(DeviceError):
    """This machine, or a limit that is set for this process, has too little memory."""


class WriteError(CleanplateError):
    """The output can't be written: the disk is full, or the mount has gone."""

    exit_code = 6


class OutputBusyError(CleanplateError):
    """Another render is writing the same output."""

    exit_code = 7


class BatchError(CleanplateError):
    """Some shots of a batch failed; the others are done."""

    exit_code = 8


class Interrupted(CleanplateError):  # noqa: N818 - it is a stop that was asked for, not a failure
    """The render was stopped on request and its state is saved."""

    exit_code = 130

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


_NO_MEMORY = re.compile(
    r"bad.?alloc|out of memory|insufficient memory|can't start new thread"
    r"|resource temporarily unavailable|(failed|unable|cannot|can't|could not) (to )?(allocate|map)",
    re.IGNORECASE,
)
_DISK = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}


def translated(error: BaseException) -> CleanplateError | None:
    """Return an error of ours for one of Python's or of a library's; None for what only a bug can be.

    For the edges, where nobody is left who could say more. What is known where it arises is translated there.
    """
    if isinstance(error, CleanplateError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("Stopped at once; go on with --resume from the last saved state.")
    if is_out_of_memory(error):
        return NotEnoughMemoryError(
            "Memory ran out; give it more, or render with a smaller --working-size or fewer shots at once. "
            "What was written stays, go on with --resume."
        )
    if isinstance(error, ImportError) and error.name:
        library = error.name.partition(".")[0]
        if library != __package__:
            return InputError(
                f"The library {library} can't be loaded ({error}); install Cleanplate again, with all that "
                "it needs: pip install --force-reinstall cleanplate."
            )
    if isinstance(error, OSError):
        where = "" if error.filename is None else f"{_short(str(error.filename))}: "
        kind = WriteError if error.errno in _DISK else InputError
        return kind(f"{where}{error.strerror or error}.")
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the system refused memory: every library says it in its own words, importing one included."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, Exception) and bool(_NO_MEMORY.search(str(error)))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:120]}...{text[-60:]}"
