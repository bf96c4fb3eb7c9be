"""Whether an input file is still the one a render used.

A file's size and modification time decide quickly; where they differ (a copy on another machine, a touched
file) its content does. When an OpenEXR file was written is no part of its content: hosts write the same plate
again before every render.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError
from .regular import open_regular

_HEAD = 1 << 16
"""Bytes at a file's start that are searched for a date; an OpenEXR header is much shorter."""

_EXR_DATE = re.compile(rb"(?<=\0capDate\0string\0\x13\0\0\0)[0-9: ]{19}")
"""The value of OpenEXR's attribute for the date, as the file format lays it out."""


@dataclass(frozen=True)
class Fingerprint:
    """What a file was like when it was read.

    Attributes:
        size: in bytes.
        modified: modification time in nanoseconds.
        digest: BLAKE2b of the content without an OpenEXR file's date, 32 hexadecimal digits.
    """

    size: int
    modified: int
    digest: str

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Read the file once. Raises ImageError when it can't be read."""
        try:
            with open_regular(path) as stream:
                status = os.fstat(stream.fileno())
                head = hashlib.blake2b(_EXR_DATE.sub(b"", stream.read(_HEAD)), digest_size=16)
                digest = hashlib.file_digest(stream, lambda: head)
        except OSError as error:
            raise ImageError(f"Can't read {path}: {error.strerror or error}.") from error
        return cls(status.st_size, status.st_mtime_ns, digest.hexdigest())

    def is_of(self, path: Path) -> bool:
        """Whether the file at `path` has this very size and time, so that its content need not be read."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)

    def still_holds(self, path: Path) -> bool:
        """Whether the file at `path` has the same content."""
        try:
            status = path.stat()
        except OSError:
            return False
        if status.st_size != self.size:
            return False
        if status.st_mtime_ns == self.modified:
            return True
        try:
            return Fingerprint.of(path).digest == self.digest
        except ImageError:
            return False
