"""What a reviewer decided and noted: a JSON that the page gives to download and that lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..errors import InputError

ENDING = ".decision.json"
_MOST_BYTES = 1 << 24

_Text = Annotated[str, Field(max_length=20_000)]


class Note(BaseModel):
    """What was noted on a frame."""

    model_config = ConfigDict(extra="forbid", strict=True)

    frame: int
    text: _Text


class Decision(BaseModel):
    """What was decided of a shot.

    Attributes:
        version: of this format.
        shot, result: what was looked at, as the page called it.
        decision: what came of it.
        reviewer: who looked.
        date: when it was saved, ISO 8601.
        notes: by frame.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    shot: _Text
    result: _Text
    decision: Literal["approved", "rejected", "undecided"]
    reviewer: _Text = ""
    date: _Text = ""
    notes: list[Note] = []

    @classmethod
    def read(cls, path: Path) -> Decision:
        """Read one. Raises InputError when it is none."""
        what = f"Decision {path}"
        try:
            fields = load_json(read_regular(path, _MOST_BYTES).decode("utf-8-sig"), what)
            return cls.model_validate(fields)
        except OSError as error:
            raise InputError(f"Can't read {path}: {error.strerror or error}.") from error
        except UnreadableError as error:
            raise InputError(str(error)) from None
        except UnicodeDecodeError:
            raise InputError(f"{what} is not UTF-8 text; save it from the page again.") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "it"
            raise InputError(f"{what}: {where}: {first['msg']}; save it from the page again.") from None

    def lines(self) -> list[str]:
        """Return it as text: what was decided, then a line for each note."""
        who = f" by {self.reviewer}" if self.reviewer else ""
        when = f" on {self.date}" if self.date else ""
        notes = sorted(self.notes, key=lambda note: note.frame)
        return [
            f"{self.decision:9}  {self.shot}{who}{when}",
            *(f"  {one.frame}: {one.text}" for one in notes),
        ]


def decisions_in(path: Path) -> Iterator[Path]:
    """Yield the decisions of a file, or of a folder and the folders in it, by name.

    Raises InputError where there is nothing of that name.
    """
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(path.rglob(f"*{ENDING}"))
    else:
        raise InputError(f"There is no page, folder or {ENDING} at {path}.")


def decision_beside(page: Path) -> dict[str, Any] | None:
    """Return the newest decision beside a page, as plain values; None where there is none to be read."""
    found = [path for path in page.parent.glob(f"*{ENDING}") if path.is_file()]
    for path in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            return Decision.read(path).model_dump(mode="json")
        except InputError:
            continue
    return None
