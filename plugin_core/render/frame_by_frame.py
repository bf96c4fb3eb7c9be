"""An output whose frames are each made of files of their own, in any order: what is there, and what is left.

Restoration and retargeting write so. A render does not: its frames have a state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..clips.clip import Clip
from ..disk.atomic import remove_leftovers
from ..disk.fingerprint import Fingerprint
from ..disk.lock import Claim, holding
from ..errors import Interrupted
from ..job.job import Job
from ..job.settings import Run
from ..memory import give_back
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase, Watch
from ..state.folder import journal_path, output_folder
from ..state.journal import Entry, Journal, files_noted, forget_elsewhere
from ..state.key import ShotKey, differences
from .folder import state_folder
from .present import Guard, Present, look, refuse_precious
from .recorded import job_to_record, record
from .resume import refuse_existing
from .sources import Sources

STOPPED = "Stopped; what was written is kept, go on with --resume."


@dataclass(frozen=True)
class Made:
    """What of a range is there.

    Attributes:
        present: its files, by whose they are.
        whole: frames that are as they were written, from files and decisions that are as they were.
        changed: (name, then, now) of what the frames that are there were made with, where that differs.
        is_begun: whether there is a journal.
    """

    present: Present
    whole: Mapping[int, Entry]
    changed: tuple[tuple[str, str, str], ...] = ()
    is_begun: bool = False


@dataclass(frozen=True)
class ToMake:
    """The frames of an output that are to be made, ascending.

    Attributes:
        frames: their numbers.
        claim: of the output; looked after before each frame.
        stop: asked before each frame.
        is_all: whether nothing that is there stays.
    """

    frames: Sequence[int]
    claim: Claim
    stop: Stop
    is_all: bool

    def __iter__(self) -> Iterator[int]:
        """Yield them. Raises Interrupted, and OutputBusyError where the output is held no longer."""
        for frame in self.frames:
            self.claim.check()
            if (code := self.stop.requested()) is not None:
                raise Interrupted(STOPPED, code)
            yield frame
            give_back()


@dataclass
class FrameByFrame:
    """The frames of one output.

    Args:
        sources: of the run.
        run: says whether to go on, to start again, or to leave what others have changed.
        key: what all frames depend on, by name.
        clips: what frames are made from, by kind, as the journal notes it.
        near: given a frame, the frames of those clips that it is made from.
        place: given a frame, what was decided for it alone, by name.
    """

    sources: Sources
    run: Run
    key: ShotKey
    clips: Mapping[str, Clip]
    near: Callable[[int], range]
    place: Callable[[int], Mapping[str, str]] = lambda frame: {}
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = state_folder(self.sources, self.run.chunk)
        self._journal = Journal(journal_path(self.folder), self.key)
        self._guard = Guard(self.sources.output)
        self._prints: dict[tuple[str, int], Fingerprint] = {}
        self._there: dict[str, frozenset[int]] = {}
        self._since = time.monotonic()

    @property
    def frames(self) -> range:
        """The frames that are asked for."""
        return range(self.sources.first, self.sources.last + 1)

    @contextmanager
    def begun(
        self, job: Job, color: str, reporters: Reporters, stop: Stop, recorded: Callable[[Job], None]
    ) -> Iterator[ToMake]:
        """Hold the output while the block runs; gives the frames that are to be made.

        Args:
            job: left beside the output.
            color: what the plate's values are taken for, for people.
            reporters: told that it begins.
            stop: asked before each frame.
            recorded: told the job as it is left.

        Raises:
            InputError, StateError: see `check`.
            OutputBusyError: somebody else writes the output.
        """
        watch = reporters.watch(stop, STOPPED)
        with self._held(watch) as claim:
            todo = self._begin(watch)
            recorded(record(job_to_record(job, self.sources), self.sources.output))
            reporters.start(
                first=self.sources.first,
                last=self.sources.last,
                done=len(self.frames) - len(todo),
                output=str(self.sources.output),
                color=color,
            )
            self._since = time.monotonic()
            yield ToMake(todo, claim, stop, len(todo) == len(self.frames))

    @contextmanager
    def _held(self, watch: Callable[[], None]) -> Iterator[Claim]:
        sources, run = self.sources, self.run
        root = output_folder(sources.output)
        if not (run.goes_on or run.overwrite or root.exists()):
            refuse_existing(sources)  # no run of ours: leave nothing behind when refusing it
        part = None if run.chunk is None else (sources.first, sources.last)
        with holding(root, str(sources.output), part, wait_seconds=run.wait_seconds, watch=watch) as claim:
            yield claim

    def check(self) -> None:
        """Refuse what can't be gone on with; changes nothing.

        Raises:
            InputError: frames are there and nothing says what becomes of them, or somebody changed them.
            StateError: what is there was made with other settings.
        """
        self._checked()

    def look(self, watch: Watch) -> Made:
        """Say what is there; changes nothing. Raises StateError for a journal that can't be read."""
        known = self._journal.found_key()
        changed = () if known is None else tuple(differences(known, self.key))
        latest = {} if changed else _latest(self._journal.read() or [])
        present = look(self.sources.output, self.frames, latest)
        return Made(present, self._whole(latest, watch), changed, known is not None)

    def _begin(self, watch: Watch) -> list[int]:
        """Return the frames to make; the journal then knows whose the files are that stand there."""
        sources, run = self.sources, self.run
        present, noted = self._checked()
        whole = self._whole(noted, watch)
        kept = present.precious if run.keep_edited else frozenset()
        remove_leftovers(self.folder, lambda path: True)
        ours = {sources.output.path(frame).name for frame in self.frames}
        remove_leftovers(sources.output.folder, lambda path: path.name in ours)
        todo = [frame for frame in self.frames if frame not in whole and frame not in kept]
        standing = {frame: file for frame, file in present.files.items() if frame in todo}
        earlier = {
            frame: file
            for frame, file in files_noted(self._journal.path)
            if file is not None and frame not in whole and (frame in kept or frame not in self.frames)
        }
        self._guard = Guard(sources.output, standing, kept)
        self._journal.restart(list(whole.values()), {**earlier, **standing})
        forget_elsewhere(output_folder(sources.output), self.folder, sources.first, sources.last)
        return todo

    def note(self, frame: int, file: Path) -> None:
        """Note a frame whose file is whole and about to take its name.

        Raises:
            WriteError: somebody has put a file in its place meanwhile, or the disk does not take the note.
        """
        self._guard.check(frame)
        inputs = {other: self._inputs(other) for other in self.near(frame)}
        began, self._since = self._since, time.monotonic()
        seconds = self._since - began
        self._journal.append(Entry(frame, Fingerprint.of(file), inputs, self.place(frame), seconds=seconds))

    def _checked(self) -> tuple[Present, dict[int, Entry]]:
        sources, run = self.sources, self.run
        if not (run.goes_on or run.overwrite):
            refuse_existing(sources)
        noted = _latest(self._journal.read() or []) if run.goes_on else {}
        present = look(sources.output, self.frames, noted)
        if not (run.keep_edited or run.overwrite):
            refuse_precious(sources.output, present)
        return present, noted

    def _whole(self, latest: Mapping[int, Entry], watch: Watch) -> dict[int, Entry]:
        holds: dict[tuple[Path, Fingerprint], bool] = {}
        found = {}
        for number, (frame, entry) in enumerate(latest.items()):
            watch(Phase.COMPARING, number, len(latest))
            if entry.is_whole(self.sources.output.path(frame)) and self._holds(entry, holds):
                found[frame] = entry
        return found

    def _holds(self, entry: Entry, holds: dict[tuple[Path, Fingerprint], bool]) -> bool:
        """Whether a frame would be made of the same files and decisions now."""
        if entry.frame in self.frames:
            read = {frame: set(files) for frame, files in entry.inputs.items()}
            expected = {frame: self._kinds(frame) for frame in self.near(entry.frame)}
            if dict(entry.crops) != self.place(entry.frame) or read != expected:
                return False
        for frame, files in entry.inputs.items():
            for kind, known in files.items():
                clip = self.clips.get(kind)
                if clip is None:
                    return False
                file = clip.path(frame), known
                if file not in holds:
                    holds[file] = known.still_holds(file[0])
                if not holds[file]:
                    return False
        return True

    def _kinds(self, frame: int) -> set[str]:
        """Return which clips have a frame."""
        if not self._there:
            self._there = {kind: frozenset(clip.frames()) for kind, clip in self.clips.items()}
        return {kind for kind, clip in self.clips.items() if clip.is_still or frame in self._there[kind]}

    def _inputs(self, frame: int) -> dict[str, Fingerprint]:
        return {kind: self._print(kind, self.clips[kind], frame) for kind in sorted(self._kinds(frame))}

    def _print(self, kind: str, clip: Clip, frame: int) -> Fingerprint:
        if (kind, frame) not in self._prints:
            self._prints[kind, frame] = clip.fingerprint(frame)
            far = 3 * len(self.near(frame))
            for old in [old for old in self._prints if old[1] < frame - far]:
                del self._prints[old]
        return self._prints[kind, frame]


def _latest(entries: Iterable[Entry]) -> dict[int, Entry]:
    return {entry.frame: entry for entry in entries}
