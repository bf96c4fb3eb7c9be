"""Painted key frames on disk: each made once, whoever needs it first, and made anew when its inputs changed.

A key frame is an EXR file, the whole plate with its hole painted, and beside it a note of what it was made
from. A file that is not as its note says was changed by hand: it is taken as it is and never overwritten. The
note is written first, then the file takes its name, so that a kill between the two leaves neither file
believed to be an artist's nor one that would not be noticed as old.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ..clips.clip import Clip
from ..disk.atomic import remove_leftovers, replacing
from ..disk.fingerprint import Fingerprint
from ..disk.lock import holding
from ..disk.regular import read_regular
from ..errors import OutputBusyError, WriteError
from ..images import Plate, write_plate
from ..images.color_copy import color_copy
from ..images.layers import Layers, picture_of
from ..progress.notes import notes
from ..progress.watch import Watch, unwatched
from ..state.folder import paint_folder
from ..state.journal import KnownReference
from ..state.key import FIRST_FRAME
from .key_frames import KeyFrame
from .plan import Plan

PAINTER = 6
"""Version of what paints key frames: counted up when it gives other pixels; older ones are made anew."""

_MOST_BYTES = 1 << 24
_LOOK_SECONDS = 1.0

_IRRELEVANT = frozenset(
    {
        *("model", FIRST_FRAME, "stored as", "working size", "warmup", "pre roll"),
        *("grain", "border match", "context", "region"),
    }
)
"""Parts of a render's key that a painted key frame does not depend on."""


class _Note(BaseModel):
    """What a key frame was made from."""

    model_config = ConfigDict(strict=True)

    painter: int = 1
    key: dict[str, str]
    painted: Fingerprint | None
    inputs: dict[int, dict[str, Fingerprint]]
    parents: dict[int, Fingerprint]
    references: dict[int, KnownReference] = {}


@dataclass(frozen=True)
class Made:
    """What a key frame is made of.

    Attributes:
        plate: the whole picture; None where it is found to need no paint of its own.
        parents: the key frames whose paint went into it.
        references: the reference frames that had a part in it.
        copied: where the painter copied its pixels from (`copied_places`); None where it painted nothing.
    """

    plate: Plate | None
    parents: tuple[int, ...]
    references: frozenset[int] = frozenset()
    copied: Layers | None = None


Reaches = Callable[[int, int, Watch], bool]
"""Returns whether a reference frame reaches another frame's hole."""


def _reaches_all(reference: int, frame: int, watch: Watch) -> bool:
    return True


class KeyFiles:
    """The key frames of one output on disk.

    Args:
        plan: of the render.
        reaches: asked of reference frames that a key frame does not know, or knows otherwise.
    """

    def __init__(self, plan: Plan, reaches: Reaches = _reaches_all) -> None:
        self._plan = plan
        self._reaches = reaches
        self._folder = paint_folder(plan.sources.output)
        self._key = {name: part for name, part in plan.key.items() if name not in _IRRELEVANT}
        self._told_of_another_painter = False

    def path(self, frame: int) -> Path:
        """Return where a key frame lies."""
        return self._folder / f"paint.{frame:04d}.exr"

    def copied_path(self, frame: int) -> Path:
        """Return where a picture lies of where a key frame's pixels were copied from, if there is one."""
        return self._folder / "copied" / f"copied.{frame:04d}.exr"

    def is_painted(self, frame: int) -> bool:
        """Whether a frame that was seen to is a key frame; or it was found to need no paint of its own."""
        return self.path(frame).is_file()

    def mark(self, frame: int) -> Fingerprint:
        """Return the fingerprint of what is there for a frame that was seen to. Raises ImageError."""
        return Fingerprint.of(self.file(frame))

    def file(self, frame: int) -> Path:
        """Return the file that tells what became of a frame: its picture, or the note that there is none."""
        path = self.path(frame)
        return path if path.is_file() else self._note_path(frame)

    def is_edited(self, frame: int) -> bool:
        """Whether somebody changed a key frame by hand, or put one there."""
        path, note = self.path(frame), self._note(frame)
        if not path.is_file():
            return False
        return note is None or note.painted is None or not note.painted.still_holds(path)

    def holds(self, frame: int, watch: Watch = unwatched) -> bool:
        """Whether what is there for a frame still holds: its inputs have not changed, or it was edited."""
        if self.is_edited(frame):
            return True
        note = self._note(frame)
        if note is None or (note.painted is not None) != self.path(frame).is_file():
            return False
        if note.painter != PAINTER or note.key != self._key or not self._are_as_they_were(note, watch):
            return False
        return not self._has_other_references(frame, note, watch)

    def ensure(
        self,
        key: KeyFrame,
        make: Callable[[], Made],
        looked_at: Mapping[str, range],
        watch: Watch,
    ) -> None:
        """See to a frame: make it a key frame, or find that it needs none, unless that is known.

        Args:
            key: which; its parents have been seen to.
            make: paints it.
            looked_at: the frames whose plates and mattes it is made from, by kind.
            watch: called again and again while another process paints it; may raise to stop.

        Raises:
            WriteError: the disk does not take it.
        """
        while not self.holds(key.frame, watch):
            with contextlib.suppress(_BusyError), self._alone(key.frame, watch):
                if not self.holds(key.frame, watch):
                    self._tell_of_another_painter(key.frame)
                    remove_leftovers(self._folder, lambda path: path.stem == self.path(key.frame).stem)
                    self._write(key.frame, make(), looked_at)

    def _tell_of_another_painter(self, frame: int) -> None:
        note = self._note(frame)
        if note is not None and note.painter != PAINTER and not self._told_of_another_painter:
            self._told_of_another_painter = True
            notes.info("Another version of the painter made the key frames there are: they are made anew.")

    @contextlib.contextmanager
    def _alone(self, frame: int, watch: Callable[[], None]) -> Iterator[None]:
        """Hold a key frame while the block runs. Raises _BusyError."""
        name = f"key frame {frame}"
        lock = holding(self._folder, name, (frame, frame), wait_seconds=_LOOK_SECONDS, watch=watch)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lock)
            except OutputBusyError as busy:
                raise _BusyError from busy
            yield

    def _write(self, frame: int, made: Made, looked_at: Mapping[str, range]) -> None:
        path = self.path(frame)
        parents = {parent: self.mark(parent) for parent in made.parents}
        inputs = self._inputs(looked_at)
        references = {
            each: KnownReference(
                digest=self._plan.references[each].mark.digest, touched=each in made.references
            )
            for each in self._plan.references_of(frame)
        }

        def note(painted: Fingerprint | None) -> None:
            told = _Note(
                painter=PAINTER,
                key=self._key,
                painted=painted,
                inputs=inputs,
                parents=parents,
                references=references,
            )
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise WriteError(f"Can't write {path}: {error.strerror or error}.") from error
            with replacing(self._note_path(frame)) as temporary:
                temporary.write_text(told.model_dump_json(), "utf-8")

        self._write_copied(frame, made)
        if made.plate is None:
            note(None)
            return
        with replacing(path, ready=lambda whole: note(Fingerprint.of(whole))) as temporary:
            write_plate(color_copy(made.plate, path), temporary)

    def _write_copied(self, frame: int, made: Made) -> None:
        path = self.copied_path(frame)
        try:
            path.parent.mkdir(exist_ok=True)
            remove_leftovers(path.parent, lambda whole: whole == path)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"Can't write {path}: {error.strerror or error}.") from error
        if made.plate is not None and made.copied is not None:
            with replacing(path) as temporary:
                write_plate(picture_of(path, made.copied, made.plate), temporary)

    def _inputs(self, looked_at: Mapping[str, range]) -> dict[int, dict[str, Fingerprint]]:
        inputs: dict[int, dict[str, Fingerprint]] = {}
        for kind, frames in looked_at.items():
            for frame in frames:
                inputs.setdefault(frame, {})[kind] = self._clip(kind).fingerprint(frame)
        return inputs

    def _clip(self, kind: str) -> Clip:
        sources = self._plan.sources
        if kind == "sample" and sources.sample is not None:
            return sources.sample
        return sources.clips.get(kind, sources.matte)

    def _has_other_references(self, frame: int, note: _Note, watch: Watch) -> bool:
        """Whether a reference frame that had a part in it is another one or gone, or a new one reaches it."""
        there = set(self._plan.references_of(frame))
        for each in sorted(there | set(note.references)):
            known = note.references.get(each)
            now = self._plan.references[each].mark.digest if each in there else None
            if known is not None and known.digest == now:
                continue
            if (known is not None and known.touched) or (each in there and self._reaches(each, frame, watch)):
                return True
        return False

    def _are_as_they_were(self, note: _Note, watch: Watch) -> bool:
        files = {
            (self._clip(kind).path(frame), mark)
            for frame, marks in note.inputs.items()
            for kind, mark in marks.items()
        }
        parents = note.parents.items()
        return all(mark.still_holds(path) for path, mark in files) and all(
            mark.still_holds(self.file(parent)) and self.holds(parent, watch) for parent, mark in parents
        )

    def _note_path(self, frame: int) -> Path:
        return self.path(frame).with_suffix(".json")

    def _note(self, frame: int) -> _Note | None:
        try:
            return _Note.model_validate_json(read_regular(self._note_path(frame), _MOST_BYTES))
        except (OSError, ValidationError):
            return None


class _BusyError(Exception):
    """Another process paints this key frame now."""
