"""Saved states of one shot on disk: few, whole, and enough to go back to any frame cheaply."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from ..disk.folders import make_folder
from ..errors import StateError
from .key import RANGE, ShotKey, check_key
from .saved_state import SavedState, read_state, write_state

log = logging.getLogger("cleanplate.state")

_NAME = re.compile(r"state\.(?P<frame>0|-?[1-9][0-9]{0,14})\.safetensors")


class Checkpoints:
    """The states kept in one folder.

    The newest `keep // 2` stay whole, so that a resume loses little; of the older ones those are thinned that
    stand closest together, so that a seek never rolls forward far. The count is bounded by `keep`.

    Args:
        folder: made when the first state is written.
        key: what the states must be valid for.
        keep: most states kept, at least 2.
    """

    def __init__(self, folder: Path, key: ShotKey, *, keep: int = 12) -> None:
        if keep < 2:
            raise ValueError(f"keep must be at least 2, got {keep}")
        self.folder = folder
        self.key = dict(key)
        self.keep = keep

    def frames(self) -> list[int]:
        """Return the frames after which a state is kept, in order."""
        names = (_NAME.fullmatch(path.name) for path in self.folder.glob("state.*.safetensors"))
        return sorted(int(match["frame"]) for match in names if match)

    def path(self, frame: int) -> Path:
        """Return the file that holds the state after `frame`."""
        return self.folder / f"state.{frame}.safetensors"

    def add(self, state: SavedState) -> None:
        """Write a state and thin the others. Raises WriteError when the disk does not take it."""
        make_folder(self.folder)
        write_state(self.path(state.frame), state)
        self._thin()

    def newest(self, *, below: int, from_frame: int) -> SavedState | None:
        """Return the newest readable state with ``from_frame <= frame < below``; None when there is none.

        A damaged, foreign or misnamed file is passed over with a log line: an older state gives the same
        pixels.
        """
        for frame in reversed(self.frames()):
            if not from_frame <= frame < below:
                continue
            try:
                state = self._read(frame)
            except StateError as error:
                log.warning("%s It is passed over.", error)
                continue
            return state
        return None

    def _read(self, frame: int) -> SavedState:
        """Return the state after `frame`. Raises StateError when its file holds anything else."""
        path = self.path(frame)
        state = read_state(path)
        if state.frame != frame:
            raise StateError(
                f"State file {path} holds the state after frame {state.frame}, not {frame} as its name says."
            )
        # Those that another range touches are dropped when it is gone on with (`render.outgrown`).
        check_key(state.key, self.key, f"State file {path}", besides=RANGE)
        return state

    def drop_from(self, frame: int, reason: str) -> None:
        """Delete the states at `frame` and after it."""
        stale = [kept for kept in self.frames() if kept >= frame]
        for kept in stale:
            self.path(kept).unlink(missing_ok=True)
        if stale:
            log.info("Dropped %d saved states from frame %d on: %s.", len(stale), frame, reason)

    def _thin(self) -> None:
        frames = self.frames()
        while len(frames) > self.keep:
            older = frames[: len(frames) - self.keep // 2]
            # The one whose removal leaves the smallest gap; the very first stays as long as it can.
            gaps = {older[i]: older[i + 1] - older[i - 1] for i in range(1, len(older) - 1)}
            victim = min(gaps, key=lambda frame: (gaps[frame], frame)) if gaps else older[0]
            self.path(victim).unlink(missing_ok=True)
            frames.remove(victim)
