"""One page for many shots: a row a shot with a moving thumbnail, state, faults and cost.

The folder of an index holds ``shots.json`` (what there is to be, written before the first frame) and a folder
a shot with its page. Whoever finishes a page writes the index anew from what lies there, so that the tasks of
a farm need no one to gather their results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence
from ..disk.atomic import replacing
from ..disk.bounded import UnreadableError, load_json
from ..disk.folders import make_folder
from ..disk.regular import read_regular
from ..errors import CleanplateError, InputError, WriteError
from ..state.noted import noted_entries
from .decisions import decision_beside
from .moving import MOVING
from .page import rendered
from .place import PAGE
from .summary import Summary

INDEX, SHOTS = "index.html", "shots.json"
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_BYTES = 1 << 26


class Listed(BaseModel):
    """A shot that an index has a row for.

    Attributes:
        name: of the shot.
        output: where its frames go.
        frames: how many they are to be; 0 where nobody knows.
    """

    model_config = ConfigDict(strict=True)

    name: str
    output: str = ""
    frames: Annotated[int, Field(ge=0)] = 0


class _Shots(BaseModel):
    model_config = ConfigDict(strict=True)

    version: Literal[1] = 1
    title: str
    shots: list[Listed]


@dataclass(frozen=True)
class Row:
    """What an index says of a shot.

    Attributes:
        name: of the shot.
        state: "waiting", "rendering", "done", "failed" or "stopped".
        done, total: frames; 0 where unknown.
        seconds: that were spent on it.
        message: why it failed, or what looked wrong.
    """

    name: str
    state: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    message: str = ""


def folder_name(name: str) -> str:
    """Return the folder of a shot's page in the folder of an index: its name where that makes a plain one."""
    plain = _STRANGE.sub("_", name).strip("._")[:100]
    return plain or "shot"


def begin_index(folder: Path, title: str, shots: Iterable[Listed]) -> None:
    """Write down what an index is to have rows for, and the index as it is so far.

    Raises WriteError, InputError where the folder can't be made or written to.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise WriteError(f"Folder {folder} can't be made ({error.strerror or error}).") from error
    written = _Shots(title=title, shots=list(shots))
    with replacing(folder / SHOTS) as temporary:
        temporary.write_text(json.dumps(written.model_dump(), indent=1) + "\n", "utf-8", "backslashreplace")
    renew_index(folder)


def renew_index(folder: Path) -> Path:
    """Write an index anew from what lies in its folder; returns it.

    Raises InputError where the folder or its list can't be read, WriteError.
    """
    listed = _listed(folder)
    return write_index(folder, listed.title, [_row(one, folder) for one in listed.shots])


def write_index(folder: Path, title: str, rows: Sequence[Row], *, live: bool = False) -> Path:
    """Write an index; returns it.

    Args:
        folder: which holds a folder with the page of each shot that has one.
        title: of the page.
        rows: in order.
        live: whether it is to be renewed by itself: more will come.
    """
    data = {
        "version": 1,
        "title": title,
        "live": live or any(row.state in ("waiting", "rendering") for row in rows),
        "shots": [asdict(row) | _found(folder, row) for row in rows],
    }
    text = rendered(
        "index.html", title=title, data=data, scripts=("base.js", "index.js"), styles=("index.css",)
    )
    with replacing(folder / INDEX) as temporary:
        temporary.write_text(text, "utf-8")
    return folder / INDEX


def listed_name(folder: Path, output: str, job: str | None = None) -> str | None:
    """Return what an index calls a shot; None where it does not know it.

    Args:
        folder: of the index; it need not be there yet.
        output: of the shot.
        job: its job.json, which a farm calls as the index calls the shot.
    """
    shots = _listed(folder).shots if folder.is_dir() else []
    by_output = next((one.name for one in shots if one.output == output), None)
    by_job = next((one.name for one in shots if job is not None and one.name == Path(job).stem), None)
    return by_output or by_job


def _found(folder: Path, row: Row) -> dict[str, object]:
    """What the page of a row's shot says; nothing where there is none yet."""
    name = folder_name(row.name)
    summary = Summary.read(folder / name)
    decision = decision_beside(folder / name / PAGE)
    if summary is None:
        return {
            "page": None,
            "moving": None,
            "verdict": None,
            "headline": "",
            "sentences": [],
            "decision": "",
        }
    return {
        "page": f"{name}/{PAGE}",
        "moving": f"{name}/{MOVING}" if summary.moving else None,
        "verdict": summary.verdict,
        "sentences": summary.sentences,
        "decision": "" if decision is None else decision["decision"],
        "seconds": row.seconds or summary.seconds,
    }


def _row(listed: Listed, folder: Path) -> Row:
    """A shot's row by what its journal says, where nobody tells how it goes."""
    done, seconds = _noted(listed.output)
    summary = Summary.read(folder / folder_name(listed.name))
    if summary is not None or (listed.frames and done >= listed.frames):
        return Row(
            listed.name, "done", max(done, 0 if summary is None else summary.frames), listed.frames, seconds
        )
    return Row(listed.name, "rendering" if done else "waiting", done, listed.frames, seconds)


def _noted(output: str) -> tuple[int, float]:
    try:
        if not output or is_movie(output):
            return 0, 0.0
        entries = {entry.frame: entry for entry in noted_entries(FileSequence.parse(output))}
    except CleanplateError:
        return 0, 0.0
    return len(entries), sum(entry.seconds for entry in entries.values())


def _listed(folder: Path) -> _Shots:
    """The list of an index; made from the pages in its folder where there is none."""
    path = folder / SHOTS
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; --index takes the folder of an index.")
    try:
        return _Shots.model_validate(load_json(read_regular(path, _MOST_BYTES).decode("utf-8"), str(path)))
    except FileNotFoundError:
        pages = [(one.parent, Summary.read(one.parent)) for one in sorted(folder.glob(f"*/{PAGE}"))]
        shots = [Listed(name=one.name, output=found.output) for one, found in pages if found is not None]
        return _Shots(title="Shots", shots=shots)
    except OSError as error:
        raise InputError(f"Can't read {path}: {error.strerror or error}.") from error
    except (UnreadableError, UnicodeDecodeError, ValidationError):
        raise InputError(f"{path} is no list of an index; give another folder.") from None
