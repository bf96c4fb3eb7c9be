"""Put finished frames on disk: journal line, the file's final name, saved state, in this order.

The line says what the file is like that takes the name right after it: so a file without a line is not ours,
and a line without its file is a frame that a kill has prevented.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..disk.atomic import replacing
from ..disk.fingerprint import Fingerprint
from ..images import Plate, write_plate
from ..network.contract import StepOutput
from ..state.checkpoints import Checkpoints
from ..state.journal import Entry, Journal
from ..state.origins import counted
from ..state.saved_state import SavedState
from .debug_writer import DebugWriter
from .plan import Plan
from .present import Guard
from .step_input import StepInput


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
    """

    def __init__(
        self, plan: Plan, journal: Journal, checkpoints: Checkpoints, debug: DebugWriter | None = None
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._checkpoints = checkpoints
        self._debug = debug
        self.came_from = ""
        self.guard = Guard(plan.sources.output)

    @property
    def shows_debug(self) -> bool:
        """Whether debug layers are written: the untouched plate is then needed beside the filled one."""
        return self._debug is not None

    def write(
        self,
        given: StepInput,
        outputs: Mapping[str, StepOutput],
        clean: Plate | None,
        marks: Mapping[int, Mapping[str, Fingerprint]],
        saved: SavedState | None,
    ) -> Written:
        """Write a frame, note it, and keep the state after it.

        Args:
            given: the step that was run; not a warm-up.
            outputs: what the network gave for every lane, by its name.
            clean: the filled plate; None where there is no hole.
            marks: fingerprints of what was read since the frame before.
            saved: the state after this frame, where it is due.

        Raises:
            WriteError: the disk does not take it.
        """
        frame = given.step.frame
        path = self._plan.sources.output.path(frame)
        assert given.plate is not None  # warm-up steps are not written
        notes = given.notes
        if self._debug is not None:
            notes += self._debug.write(given, clean or given.plate, outputs)
        came_from = self.came_from if frame == self._plan.sources.first else ""
        crops = self._plan.places(frame)

        kept = self.guard.keeps(frame)
        rest = self._plan.rest
        origins = {} if given.hole is None or kept else counted(given.hole, given.patch, rest)

        def note(file: Path) -> None:
            self._note(Entry(frame, Fingerprint.of(file), marks, crops, came_from, origins, kept))

        if kept:
            note(path)
        elif clean is None:
            self._put_unchanged(frame, given.plate, note)
        else:
            known = self._plan.sources.notes
            notes += tuple(told for told in write_plate(clean, path, ready=note) if told not in known)
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
        marks = {"plate": sources.plate.fingerprint(frame), "matte": sources.matte.fingerprint(frame)}

        kept = self.guard.keeps(frame)

        def note(file: Path) -> None:
            self._note(Entry(frame, Fingerprint.of(file), {frame: marks}, {}, kept=kept))

        if kept:
            note(path)
        else:
            self._put_unchanged(frame, plate, note)
        return Written(frame, path)

    def _note(self, entry: Entry) -> None:
        """Note a frame whose file is whole and about to take its name, or is kept as someone left it."""
        if not entry.kept:
            self.guard.check(entry.frame)
        self._journal.append(entry)

    def _put_unchanged(self, frame: int, plate: Plate, note: Callable[[Path], None]) -> None:
        """Write a frame that has no hole: the very file where the format is kept, else its pixels.

        Args:
            frame: its number.
            plate: the frame.
            note: told the file before it takes its name.
        """
        sources = self._plan.sources
        source, path = sources.plate.path(frame), sources.output.path(frame)
        if source.suffix.lower() == path.suffix.lower() and not sources.storage.is_given:
            with replacing(path, note) as temporary:
                shutil.copyfile(source, temporary)
        else:
            write_plate(plate, path, ready=note)
