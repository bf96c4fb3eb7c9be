"""What is remembered of an output's frames: what each was made of, and the file that came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..clips.sequence import FileSequence, compact
from ..disk.fingerprint import Fingerprint
from ..errors import InputError, WriteError
from ..job.settings import Run
from ..render.resume import HOW_TO_GO_ON
from ..state.folder import output_folder

_NAME = "retarget.jsonl"


@dataclass(frozen=True)
class Made:
    """One frame that was written.

    Attributes:
        of: digest of all that it was made of.
        file: what its file was like.
    """

    of: str
    file: Fingerprint


class Record:
    """The frames of one output, a line each; the last line of a frame counts.

    Args:
        output: the sequence.
    """

    def __init__(self, output: FileSequence) -> None:
        self._path = output_folder(output) / _NAME
        self._output = output
        self._made = self._read()

    def check(self, frames: range, run: Run) -> tuple[frozenset[int], frozenset[int]]:
        """Return which frames are there and ours, and which are there and are to be left as they are.

        Args:
            frames: that are asked for.
            run: says whether to go on, to start again, or to leave what others have changed.

        Raises:
            InputError: there are frames and nothing says what to do with them, or somebody changed them.
        """
        there = [frame for frame in self._output.frames_on_disk() if frame in frames]
        if not there or run.overwrite:
            return frozenset(), frozenset()
        if not run.goes_on:
            raise InputError(f"Output {self._output} has frames {compact(there)} already; {HOW_TO_GO_ON}.")
        ours = frozenset(frame for frame in there if self._is_ours(frame))
        others = frozenset(there) - ours
        if others and not run.keep_edited:
            raise InputError(
                f"Frames {compact(sorted(others))} of output {self._output} were changed since they were "
                "written, or are not of a retargeting; leave them as they are with --keep-edited, or start "
                "again with --overwrite."
            )
        return ours, others

    def keep(self, frames: range, run: Run, made_of: Mapping[int, str]) -> frozenset[int]:
        """Return which frames need not be made again.

        Args:
            frames, run: as of `check`, which raises.
            made_of: the digest of each frame, as it would be made now; asked only where it matters.
        """
        ours, others = self.check(frames, run)
        return others | {frame for frame in ours if self._made[frame].of == made_of[frame]}

    def note(self, frame: int, made_of: str, file: Path) -> None:
        """Note a frame whose file is whole and about to take its name. Raises WriteError."""
        made = Made(made_of, Fingerprint.of(file))
        line = json.dumps({"frame": frame, "of": made.of, **asdict(made.file)})
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(f"{line}\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise WriteError(f"Can't write {self._path}: {error.strerror or error}.") from error
        self._made[frame] = made

    def _is_ours(self, frame: int) -> bool:
        return frame in self._made and self._made[frame].file.still_holds(self._output.path(frame))

    def _read(self) -> dict[int, Made]:
        made: dict[int, Made] = {}
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except OSError:
            return made
        for line in lines:
            # A line that a kill has cut short stands for a frame that never got its name.
            with suppress(ValueError, KeyError, TypeError):
                one = json.loads(line)
                file = Fingerprint(int(one["size"]), int(one["modified"]), str(one["digest"]))
                made[int(one["frame"])] = Made(str(one["of"]), file)
        return made
