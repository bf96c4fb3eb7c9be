"""Put finished frames on disk: journal line, the file's final name, saved state, in this order.

The line says what the file is like that takes the name right after it: so a file without a line is not ours,
and a line without its file is a frame that a kill has prevented.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..disk.atomic import replacing
from ..disk.fingerprint import Fingerprint
from ..images import Plate, write_plate
from ..images.layers import Layers
from ..state.checkpoints import Checkpoints
from ..state.journal import Entry, Journal, KnownReference
from ..state.origins import counted
from ..state.saved_state import SavedState
from .comp_layers import CompLayers
from .composed import Composed
from .debug_writer import DebugWriter
from .plan import Plan
from .present import Guard


@dataclass(frozen=True)
class Written:
    """A frame that is on disk.

    Attributes:
        frame: its number.
        path: its file.
        notes: what the user should know of it.
    """

    frame: int
    path: Path
    notes: tuple[str, ...] = ()


class FrameWriter:
    """Writes the frames of one render.

    Args:
        plan: where they go and how they are composed.
        journal: told of every frame.
        checkpoints: takes the states that come along.
        debug: shows what the network saw and said, where asked for.

    Attributes:
        came_from: digest of the state that was handed in before the first frame; empty where none was.
        guard: knows which files may be replaced, and which frames' stay.
        patch_guard: the same of patches; None where none are written.
    """

    def __init__(
        self, plan: Plan, journal: Journal, checkpoints: Checkpoints, debug: DebugWriter | None = None
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._checkpoints = checkpoints
        self._debug = debug
        self._ticked = time.monotonic()
        self.came_from = ""
        self.guard = Guard(plan.sources.output)
        self.patch_guard: Guard | None = None
        self._layers = CompLayers(plan)

    @property
    def shows_debug(self) -> bool:
        """Whether debug layers are written: the untouched plate is then needed beside the filled one."""
        return self._debug is not None

    @property
    def takes_fills(self) -> bool:
        """Whether what is laid into a plate is written alone, too."""
        return self._layers.takes_fills

    def write(
        self,
        composed: Composed,
        marks: Mapping[int, Mapping[str, Fingerprint]],
        saved: SavedState | None,
    ) -> Written:
        """Write a frame, note it, and keep the state after it.

        Args:
            composed: the frame; not of a warm-up.
            marks: fingerprints of what was read since the frame before.
            saved: the state after this frame, where it is due.

        Raises:
            WriteError: the disk does not take it.
        """
        given, clean = composed.given, composed.clean
        frame = given.step.frame
        path = self._plan.sources.output.path(frame)
        assert given.plate is not None  # warm-up steps are not written
        notes = given.notes
        if self._debug is not None:
            notes += self._debug.write(given, clean or given.plate, composed.outputs)
        came_from = self.came_from if frame == self._plan.sources.first else ""
        crops = self._plan.places(frame)

        kept = self.guard.keeps(frame)
        rest = self._plan.rest
        origins = {} if given.hole is None or kept else counted(given.hole, given.patch, rest)

        layers = self._layers.of_output(given, composed.fills)
        references = {
            each: KnownReference(
                digest=self._plan.references[each].mark.digest, touched=each in given.references
            )
            for each in self._plan.references_of(frame)
        }

        def put(patch: Fingerprint | None) -> tuple[str, ...]:
            def note(file: Path) -> None:
                whole = Fingerprint.of(file), marks, crops, came_from, origins, kept, patch
                self._note(Entry(frame, *whole, references=references))

            if kept:
                note(path)
                return ()
            if clean is None:
                assert given.plate is not None
                self._put_unchanged(frame, given.plate, note, layers)
                return ()
            return write_plate(clean, path, layers=layers, ready=note)

        known = self._plan.sources.notes
        plate, fills = given.plate, composed.fills
        written = self._with_patch(frame, lambda at: self._layers.patch(at, plate, given, fills), put)
        notes += tuple(told for told in written if told not in known)
        if saved is not None:
            self._checkpoints.add(saved)
        return Written(frame, path, notes)

    def copy(self, frame: int) -> Written:
        """Write a frame of a shot that has no hole anywhere.

        Raises:
            ImageError: its plate is damaged; it is read whole for that, though nothing of it changes.
            WriteError: the disk does not take it.
        """
        sources = self._plan.sources
        path = sources.output.path(frame)
        plate = sources.plate.plate(frame)
        marks = sources.fingerprints(frame)

        kept = self.guard.keeps(frame)
        layers = self._layers.of_output(None, ())

        def put(patch: Fingerprint | None) -> tuple[str, ...]:
            def note(file: Path) -> None:
                self._note(Entry(frame, Fingerprint.of(file), {frame: marks}, {}, kept=kept, patch=patch))

            if kept:
                note(path)
            else:
                self._put_unchanged(frame, plate, note, layers)
            return ()

        self._with_patch(frame, lambda at: self._layers.patch(at, plate, None, ()), put)
        return Written(frame, path)

    def _with_patch(
        self,
        frame: int,
        patch: Callable[[Path], Plate],
        put: Callable[[Fingerprint | None], tuple[str, ...]],
    ) -> tuple[str, ...]:
        """Write a frame and its patch, both noted in one line before the first of them takes its name.

        Args:
            frame: its number.
            patch: makes the patch, told what it will be called.
            put: writes the frame, told the patch that goes with it; returns notes.
        """
        sequence, guard = self._plan.sources.patch, self.patch_guard
        if sequence is None or (guard is not None and guard.keeps(frame)):
            return put(None)
        path = sequence.path(frame)
        told: list[str] = []

        def ready(file: Path) -> None:
            if guard is not None:
                guard.check(frame)
            told.extend(put(Fingerprint.of(file)))

        write_plate(patch(path), path, ready=ready)
        return tuple(told)

    def _note(self, entry: Entry) -> None:
        """Note a frame whose file is whole and about to take its name, or is kept as someone left it."""
        if not entry.kept:
            self.guard.check(entry.frame)
        now = time.monotonic()
        self._journal.append(replace(entry, seconds=now - self._ticked))
        self._ticked = now

    def _put_unchanged(
        self, frame: int, plate: Plate, note: Callable[[Path], None], layers: Layers | None
    ) -> None:
        """Write a frame that has no hole: the very file where the format is kept, else its pixels.

        Args:
            frame: its number.
            plate: the frame.
            note: told the file before it takes its name.
            layers: added to it, where layers are asked for.
        """
        sources = self._plan.sources
        source, path = sources.plate.path(frame), sources.output.path(frame)
        same = source.suffix.lower() == path.suffix.lower() and not sources.storage.is_given
        if same and layers is None:
            with replacing(path, note) as temporary:
                shutil.copyfile(source, temporary)
        else:
            write_plate(plate, path, layers=layers, ready=note)
