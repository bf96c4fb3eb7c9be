"""What a render has finished: one line for each written frame, so that a resume knows where it stood.

The journal lies beside the saved states. Its first line is the key everything in it is valid for; each
further line is one frame with the fingerprints of its file and of the inputs read for it. It is written just
before the file takes its name: a line without its file is a frame that a kill has prevented, and a file
without any line is not ours. A line cut short by a kill finishes no frame, but tells whose its file is.

Frames that are to be rendered again leave a line of another kind, with the file that stands there until then:
it may be replaced, and anything else that is found there may not (see `written_files`). The same goes for a
frame's patch, where one is written beside the output.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..disk.atomic import replacing
from ..disk.fingerprint import Fingerprint
from ..disk.folders import make_folder, remove_own
from ..disk.regular import read_regular
from ..errors import StateError, WriteError
from .folder import finds_path, journals_of
from .key import ShotKey, check_key
from .saved_state import Frame

Inputs = Mapping[int, Mapping[str, Fingerprint]]
"""Fingerprints by frame and by kind: ``plate``, ``matte``, ``shadow``, ``paint`` of a key frame; of a
restoration ``protect``, of a retargeting ``clean``."""

_MOST_BYTES = 1 << 28
_Kind = Annotated[str, Field(pattern="^(plate|matte|shadow|paint|protect|clean)$")]


class KnownReference(BaseModel):
    """A reference frame as a written frame knew it.

    Attributes:
        digest: of its file.
        touched: whether it had a part in the frame.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    digest: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    touched: bool


@dataclass(frozen=True)
class Entry:
    """One written frame.

    Attributes:
        frame: its number.
        output: the file as it was written; a journal of before 0.2 tells only its size, and no digest.
        inputs: what was read for it since the frame before.
        crops: where the crop of each lane stood and what it filled.
        handed_in: digest of the state that was handed in for it; empty where none was.
        origins: pixels of its hole by where they came from (`state.origins`); empty without a hole, and in
            journals of before 0.3.
        kept: the file is not ours: it was left as it was found, with this fingerprint.
        patch: the frame's patch as it was written; None where there is none of ours.
        seconds: since the frame before it in the same run; 0 where nobody noted it.
        references: the reference frames of its take, by their frames; those that it shows, or a frame that
            was looked at for it.
    """

    frame: int
    output: Fingerprint
    inputs: Inputs
    crops: Mapping[str, str]
    handed_in: str = ""
    origins: Mapping[str, int] = field(default_factory=dict)
    kept: bool = False
    patch: Fingerprint | None = None
    seconds: float = field(default=0.0, compare=False)
    references: Mapping[int, KnownReference] = field(default_factory=dict)

    def is_whole(self, path: Path) -> bool:
        """Whether the file at `path` is as it was written: its size, and where that is known its content."""
        return not self.kept and is_file_of(self.output, path)


class Journal:
    """The journal of one output.

    Args:
        path: its file.
        key: what it is valid for.
        made: how the frames are rendered that come now (version, device, machine), for people to read.
    """

    def __init__(self, path: Path, key: ShotKey, made: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.key = dict(key)
        self._made = {"made": dict(made)} if made else {}

    def read(self, besides: Collection[str] = ()) -> list[Entry] | None:
        """Return the entries in the order they were written; None when there is no journal.

        Args:
            besides: parts in which its key may differ from this one's.

        Raises:
            StateError: the journal is of a render with another key; says what differs.
        """
        lines = self._lines()
        key = self._key(lines)
        if key is None:
            return None
        advice = "Go on with the settings that it has, or start again with --overwrite."
        check_key(key, self.key, f"The render in {self.path.parent}", besides=besides, advice=advice)
        return [entry for entry in map(_entry, lines[1:]) if entry is not None]

    def found_key(self) -> dict[str, str] | None:
        """Return the key of the render that is on disk, whatever it is; None when there is no journal."""
        return self._key(self._lines())

    def _lines(self) -> list[bytes]:
        """Return the lines, none when there is no journal. Raises StateError."""
        try:
            return _lines(self.path)
        except FileNotFoundError:
            return []

    def found_made(self) -> dict[str, str]:
        """Return how the frames on disk were rendered; empty where nobody noted it."""
        lines = self._lines()
        first = None if not lines else _First.read(lines[0])
        return {} if first is None else first.made

    def _key(self, lines: list[bytes]) -> dict[str, str] | None:
        """Return what a journal is valid for; None for one that doesn't say: it can't be believed."""
        first = None if not lines else _First.read(lines[0])
        return None if first is None else first.key

    def read_own(self) -> list[Entry]:
        """Return the entries if they are of this very render, and nothing if they are not."""
        try:
            return self.read() or []
        except StateError:
            return []

    def restart(
        self,
        entries: list[Entry],
        standing: Mapping[int, Fingerprint] | None = None,
        patches: Mapping[int, Fingerprint] | None = None,
    ) -> None:
        """Write the journal anew with these entries only.

        Args:
            entries: frames that are finished.
            standing: by frame, files that stand where others are to come: they may be replaced.
            patches: the same of patches.
        """
        make_folder(self.path.parent)
        with replacing(self.path) as temporary:
            lines = [json.dumps({"key": self.key, **self._made}), *(_line(entry) for entry in entries)]
            lines += [
                json.dumps({"frame": frame, kind: asdict(file)})
                for kind, files in (("standing", standing), ("standing_patch", patches))
                for frame, file in sorted((files or {}).items())
            ]
            temporary.write_text("\n".join(lines) + "\n", "utf-8")

    def append(self, entry: Entry) -> None:
        """Add one entry and sync it. Raises WriteError when the disk does not take it."""
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(_line(entry) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise WriteError(f"Can't write {self.path}: {error.strerror or error}.") from error


def files_noted(path: Path) -> Iterator[tuple[int, Fingerprint | None]]:
    """Yield the frames of a journal and the files that a render wrote or may replace there.

    None stands for a file of someone else's that was left as it was. A journal that is not there, or can't be
    read, notes none.
    """
    try:
        lines = _lines(path)
    except (FileNotFoundError, StateError):
        return
    for line in lines[1:]:
        entry = _entry(line)
        if entry is not None:
            yield entry.frame, None if entry.kept else entry.output
            continue
        standing, torn = _Standing.read(line), _TORN.match(line)
        if standing is not None:
            yield standing.frame, standing.standing
        elif torn is not None:
            yield int(torn[1]), Fingerprint(int(torn[2]), int(torn[3]), torn[4].decode("ascii"))


def patches_noted(path: Path) -> Iterator[tuple[int, Fingerprint]]:
    """Yield the frames of a journal and the patches that a render wrote or may replace there."""
    try:
        lines = _lines(path)
    except (FileNotFoundError, StateError):
        return
    for line in lines[1:]:
        entry, standing = _entry(line), _StandingPatch.read(line)
        if entry is not None and entry.patch is not None:
            yield entry.frame, entry.patch
        elif standing is not None:
            yield standing.frame, standing.standing_patch


def is_file_of(noted: Fingerprint, path: Path) -> bool:
    """Whether the file at `path` is the one that a journal notes; of before 0.2, only its size is known."""
    if not noted.digest and not noted.modified:
        return size_of(path) == noted.size
    return noted.still_holds(path)


def forget_elsewhere(root: Path, own: Path, first: int, last: int) -> None:
    """Take the frames that are rendered now out of all other journals of the output.

    A whole render and its chunks have a journal each. Without this, one of them could later believe a frame
    that another has replaced.

    Args:
        root: the output's state folder.
        own: the folder, `root` or one in it, whose journal is left alone.
        first, last: the frames.
    """
    for path in journals_of(root):
        if path.parent == own or not path.is_file():
            continue
        lines = _lines(path)
        kept = [line for line in lines if not first <= _frame(line, otherwise=first - 1) <= last]
        if len(kept) == len(lines):
            continue
        if len(kept) == 1 and path.parent != root:
            states = path.parent.glob("state.*.safetensors")
            remove_own(path.parent, [path, finds_path(path.parent), *states])
        else:
            with replacing(path) as temporary:
                temporary.write_bytes(b"\n".join(kept) + b"\n")


def size_of(path: Path) -> int | None:
    """Return a file's size; None where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


class _Read(BaseModel):
    """A line of a journal, read back: anyone may have written it."""

    model_config = ConfigDict(strict=True)

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """Return what a line says; None for one that says something else."""
        try:
            return cls.model_validate_json(line)
        except ValidationError:
            return None


class _First(_Read):
    key: dict[str, str]
    made: dict[str, str] = {}


class _Numbered(_Read):
    frame: Frame


class _Written(_Numbered):
    size: Annotated[int, Field(ge=0)]
    modified: int = 0
    digest: str = ""
    inputs: dict[Frame, dict[_Kind, Fingerprint]]
    crops: dict[str, str]
    handed_in: str = ""
    origins: dict[str, Annotated[int, Field(ge=0)]] = {}
    kept: bool = False
    patch: Fingerprint | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    references: dict[Frame, KnownReference] = {}


class _Standing(_Numbered):
    standing: Fingerprint


class _StandingPatch(_Numbered):
    standing_patch: Fingerprint


_TORN = re.compile(
    rb'\{"frame": (-?[0-9]{1,15}), "size": ([0-9]{1,18}), '
    rb'"modified": (-?[0-9]{1,20}), "digest": "([0-9a-f]{32})"'
)
"""How the line of a frame begins: what a kill leaves of it may be no more."""


def _lines(path: Path) -> list[bytes]:
    """Return a file's lines. Raises FileNotFoundError; StateError when it can't be read."""
    try:
        return read_regular(path, _MOST_BYTES).splitlines()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StateError(f"Can't read {path}: {error.strerror or error}.") from error


def _frame(line: bytes, *, otherwise: int) -> int:
    """Return the frame that a line is of; `otherwise` for one that is of none."""
    found = _Numbered.read(line)
    return otherwise if found is None else found.frame


def _entry(line: bytes) -> Entry | None:
    """Return what a line says; None for one that says something else: its frame is rendered again."""
    found = _Written.read(line)
    if found is None:
        return None
    output = Fingerprint(found.size, found.modified, found.digest)
    written = found.handed_in, found.origins, found.kept, found.patch, found.seconds, found.references
    return Entry(found.frame, output, found.inputs, found.crops, *written)


def _line(entry: Entry) -> str:
    inputs = {
        str(frame): {kind: asdict(fingerprint) for kind, fingerprint in files.items()}
        for frame, files in entry.inputs.items()
    }
    record = {"frame": entry.frame, **asdict(entry.output), "inputs": inputs, "crops": dict(entry.crops)}
    more: dict[str, object] = {
        "handed_in": entry.handed_in,
        "origins": dict(entry.origins),
        "kept": entry.kept,
        "patch": None if entry.patch is None else asdict(entry.patch),
        "seconds": round(entry.seconds, 3),
    }
    more["references"] = {str(frame): known.model_dump() for frame, known in entry.references.items()}
    return json.dumps(record | {name: value for name, value in more.items() if value})
