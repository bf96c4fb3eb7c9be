"""Files of ours, copied into a host's folder and taken out again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..disk.atomic import replacing
from ..errors import InputError, WriteError


@dataclass(frozen=True)
class Files:
    """Files that stand in a host's folder because of us.

    Attributes:
        folder: the host's folder; made when it is not there.
        contents: what each file holds, by its path below `folder` with forward slashes.
        host: the host's name, for what is said.
    """

    folder: Path
    contents: Mapping[str, bytes]
    host: str

    def install(self, *, dry_run: bool) -> str:
        """Write the files that are not there or differ; each appears whole. See `Change.install`."""
        due = [name for name in self.contents if self._read(name) != self.contents[name]]
        if not due:
            return f"{self.folder} has the {len(self.contents)} files for {self.host} already."
        if dry_run:
            return f"Would write {len(due)} files for {self.host} to {self.folder}."
        for name in due:
            self._write(name)
        return f"Wrote {len(due)} files for {self.host} to {self.folder}."

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove the files, and folders that are empty then; what else lies there is left."""
        there = [name for name in self.contents if (self.folder / name).is_file()]
        if not there:
            return f"{self.folder} has no files for {self.host}."
        if dry_run:
            return f"Would remove {len(there)} files for {self.host} from {self.folder}."
        for name in there:
            self._remove(name)
        return f"Removed {len(there)} files for {self.host} from {self.folder}."

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"Can't read {self.folder / name}: {error.strerror or error}.") from error

    def _write(self, name: str) -> None:
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"Can't make {path.parent}: {error.strerror or error}.") from error
        with replacing(path) as temporary:
            temporary.write_bytes(self.contents[name])

    def _remove(self, name: str) -> None:
        path = self.folder / name
        try:
            path.unlink()
        except OSError as error:
            raise WriteError(f"Can't remove {path}: {error.strerror or error}.") from error
        # A folder with anything else in it stays, and so do the host's own.
        with contextlib.suppress(OSError):
            for folder in list(path.relative_to(self.folder).parents)[:-1]:
                if len(folder.parts) > 1:
                    (self.folder / folder).rmdir()
