"""The list of finds: written for people to look at and edit, read back to say what is damage.

::

    {"version": 1, "plate": "...", "finds": [
        {"frame": 1012, "kind": "dirt", "box": [310, 42, 9, 14], "pixels": 61, "white": true,
         "contrast": 88.5, "score": 0.86}, ...]}

A find that is taken out of the list is left alone in the picture. An entry whose box meets no find of its
kind is someone's own: its whole box counts as damage. Only `frame`, `kind` and `box` (left, top, width,
height in pixels of the data window) are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..box import Box
from ..damage.finder import Damage, Find
from ..disk.atomic import replacing
from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..errors import SettingsError
from ..job.strict import shown

VERSION = 1
_MOST = 1 << 20
_Pixels = Annotated[int, Field(ge=-(1 << 20), le=1 << 20)]


class Entry(BaseModel):
    """One entry that was read."""

    model_config = ConfigDict(frozen=True)

    frame: Annotated[int, Field(ge=-(1 << 40), le=1 << 40)]
    kind: Literal["dirt", "scratch"]
    box: tuple[
        _Pixels, _Pixels, Annotated[int, Field(ge=1, le=1 << 20)], Annotated[int, Field(ge=1, le=1 << 20)]
    ]

    @property
    def place(self) -> Box:
        """The box by its corners."""
        left, top, width, height = self.box
        return Box(left, top, left + width, top + height)


class _List(BaseModel):
    version: Literal[1]
    finds: Annotated[list[Entry], Field(max_length=_MOST)]


def as_entry(frame: int, find: Find) -> dict[str, Any]:
    """Return a find as it stands in the list."""
    return {
        "frame": frame,
        "kind": find.kind,
        "box": [find.left, find.top, find.width, find.height],
        "pixels": find.pixels,
        "white": find.white,
        "contrast": find.contrast,
        "score": find.score,
    }


def write_list(path: Path, plate: str, entries: Iterable[dict[str, Any]]) -> None:
    """Write the list, an entry a line. Raises WriteError."""
    lines = ",\n  ".join(json.dumps(entry) for entry in entries)
    head = f'{{"version": {VERSION}, "plate": {json.dumps(plate)}, "finds": ['
    with replacing(path) as temporary:
        temporary.write_text(f"{head}\n  {lines}\n]}}\n", "utf-8")


class FindList:
    """What a list says is damage.

    Args:
        entries: all of it.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_frame: dict[int, list[Entry]] = {}
        for entry in entries:
            self._by_frame.setdefault(entry.frame, []).append(entry)

    @classmethod
    def read(cls, path: Path) -> FindList:
        """Read a list. Raises SettingsError where it can't be read or has a wrong entry."""
        try:
            return cls(_List.model_validate(load_json(read_regular(path).decode("utf-8"), str(path))).finds)
        except (OSError, UnicodeDecodeError, UnreadableError) as error:
            raise SettingsError(f"Can't read the list of finds {path}: {error}") from error
        except ValidationError as error:
            raise SettingsError(f"List of finds {path}: {_told(error)}") from None

    def beyond(self, frames: range, width: int, height: int) -> list[Entry]:
        """Return the entries that lie on frames that are not there, or wholly beyond the picture."""
        every = [entry for entries in self._by_frame.values() for entry in entries]
        picture = Box(0, 0, width, height)
        return [one for one in every if one.frame not in frames or one.place.shared(picture) is None]

    def chosen(self, frame: int, damage: Damage) -> Damage:
        """Return what of a frame's finds is in the list, and what is in it besides."""
        height, width = damage.labels.shape
        labels = np.zeros((height, width), np.int32)
        finds: list[Find] = []
        entries = self._by_frame.get(frame, [])
        used: set[Entry] = set()
        for number, find in enumerate(damage.finds, 1):
            place = Box(find.left, find.top, find.left + find.width, find.top + find.height)
            meets = [one for one in entries if one.kind == find.kind and one.place.meets(place)]
            used.update(meets)
            if meets:
                finds.append(find)
                labels[damage.labels == number] = len(finds)
        for entry in entries:
            box = entry.place.within(width, height)
            if entry in used or box.width <= 0 or box.height <= 0:
                continue
            own = Find(
                entry.kind, box.x0, box.y0, box.width, box.height, box.width * box.height, True, 0.0, 1.0
            )
            finds.append(own)
            labels[box.slices] = len(finds)
        return replace(damage, labels=labels, finds=tuple(finds))


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place, kind = first["loc"], first["type"]
    expected = first["msg"].removeprefix("Input should be ")
    if place[:1] != ("finds",) or len(place) < 2:
        if place[:1] == ("version",):
            return (
                f"its version should be {VERSION}, got {shown(first['input'])}."
                if kind != "missing"
                else (f'it has no "version": {VERSION}; is it a list that --review wrote?')
            )
        return 'it has no list "finds"; is it a list that --review wrote?'
    which, field = f"find {int(place[1]) + 1}", ".".join(map(str, place[2:]))
    wrong = f"lacks its {field}" if kind == "missing" else f"has a wrong {field or 'entry'}: {expected}"
    got = "" if kind == "missing" else f", got {shown(first['input'])}"
    return (
        f"{which} {wrong}{got}; a find has a frame, a kind (dirt or scratch) and a box (left, top, width, "
        "height in pixels)."
    )
