"""A marked block at the end of a user's text file: added and taken out, all else kept byte for byte."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..disk.atomic import replacing
from ..errors import InputError, WriteError


@dataclass(frozen=True)
class Block:
    """Lines of ours in a file of the user's.

    Attributes:
        file: made, with its folder, when it is not there; a link is followed.
        lines: what stands between the markers; ASCII, so that any encoding of the file will do.
        host: the host's name, which is in the markers.
        comment: what begins a comment in that file.
    """

    file: Path
    lines: tuple[str, ...]
    host: str
    comment: str = "#"

    def install(self, *, dry_run: bool) -> str:
        """Add the block, or bring the one that is there up to date. See `Change.install`."""
        before = self._read()
        head, old, tail = self._split(before or b"")
        new = self._block(b"\r\n" if b"\r\n" in (before or b"") else b"\n")
        if old == new:
            return f"{self.file} has the lines for {self.host} already."
        if not old and before is not None:
            # This line break is ours too: the file may not end with one.
            head += new[-2:] if new.endswith(b"\r\n") else b"\n"
        self._write(head + new + tail, dry_run)
        done = "bring up to date" if old else "add"
        return f"{_done(dry_run, done)} the lines for {self.host} in {self.file}."

    def uninstall(self, *, dry_run: bool) -> str:
        """Take the block out; a file that was made for it and holds nothing else goes with it."""
        head, old, tail = self._split(self._read() or b"")
        if not old:
            return f"{self.file} has no lines for {self.host}."
        if not head + tail:
            if not dry_run:
                self._remove()
            return f"{_done(dry_run, 'remove')} {self.file}, which held the lines for {self.host} only."
        head = head.removesuffix(b"\n").removesuffix(b"\r")
        self._write(head + tail, dry_run)
        return f"{_done(dry_run, 'remove')} the lines for {self.host} from {self.file}."

    def _begin(self) -> str:
        return f"{self.comment} >>> cleanplate {self.host} >>>"

    def _end(self) -> str:
        return f"{self.comment} <<< cleanplate {self.host} <<<"

    def _block(self, newline: bytes) -> bytes:
        undo = f"{self.comment} Added by `cleanplate install {self.host}`; `... --uninstall` takes it out."
        lines = (self._begin(), undo, *self.lines, self._end())
        return b"".join(line.encode("ascii") + newline for line in lines)

    def _read(self) -> bytes | None:
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"Can't read {self.file}: {error.strerror or error}.") from error

    def _split(self, text: bytes) -> tuple[bytes, bytes, bytes]:
        """Return what stands before the block, the block (empty when there is none) and what stands after.

        Raises InputError when only one of the markers is there, or one of them twice.
        """
        begin, end = self._begin().encode("ascii"), self._end().encode("ascii")
        if begin not in text and end not in text:
            return text, b"", b""
        start, stop = text.find(begin), text.find(end)
        if text.count(begin) != 1 or text.count(end) != 1 or stop < start:
            raise InputError(
                f"{self.file} has damaged markers: expected one line '{self._begin()}' and after it one line "
                f"'{self._end()}'. Remove what is left of them by hand; nothing was changed."
            )
        after = text.find(b"\n", stop)
        after = len(text) if after < 0 else after + 1
        return text[:start], text[start:after], text[after:]

    def _write(self, text: bytes, dry_run: bool) -> None:
        if dry_run:
            return
        target = self.file.resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"Can't make {target.parent}: {error.strerror or error}.") from error
        with replacing(target) as temporary:
            temporary.write_bytes(text)
            if target.exists():
                shutil.copymode(target, temporary)

    def _remove(self) -> None:
        try:
            self.file.unlink()
        except OSError as error:
            raise WriteError(f"Can't remove {self.file}: {error.strerror or error}.") from error


def _done(dry_run: bool, what: str) -> str:
    """Say what was done, or what would be."""
    if dry_run:
        return f"Would {what}"
    return {"add": "Added", "remove": "Removed", "bring up to date": "Brought up to date"}[what]
