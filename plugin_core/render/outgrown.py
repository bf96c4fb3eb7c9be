"""A render whose range has grown: what it had before is gone on with where that is still the same.

Frames that were added on disk can change what is near the end of those that were there: what looks at them. A
shot that begins earlier is another one from its first frame on, and so is rendered again. Anything else that
differs makes another render (`state.key`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ..state.journal import Entry
from ..state.key import FIRST_FRAME, FRAMES_ON_DISK, ShotKey
from .plan import MOTION, Plan

_SPAN = re.compile(r"(-?[0-9]+)-(-?[0-9]+)")


@dataclass(frozen=True)
class Outgrown:
    """In what a render of before had another range, and what of it that touches.

    Attributes:
        parts: of the key, those that may differ; none where the range is the same.
        touched: the first frame whose pixels may be others now.
        why: what has changed, without a full stop.
        needs_view: whether a frame holds only if it says in which view its motion was measured.
    """

    parts: tuple[str, ...] = ()
    touched: int = sys.maxsize
    why: str = ""
    needs_view: bool = False

    def untouched(self, entries: Iterable[Entry]) -> dict[int, Entry]:
        """Return the frames that still hold, by their numbers."""
        return {
            entry.frame: entry
            for entry in entries
            if entry.frame < self.touched and (MOTION in entry.crops or not self.needs_view)
        }


def outgrown(found: ShotKey | None, plan: Plan) -> Outgrown:
    """Compare the range of a render on disk with that of one which would go on with it.

    Args:
        found: key of the render on disk; None where there is none.
        plan: the render as asked for now.
    """
    if found is None:
        return Outgrown()
    before, now = (key.get(FIRST_FRAME, "") for key in (found, plan.key))
    if before != now and _is_earlier(now, before):
        why = f"The shot begins at frame {now}, not at {before} as before: all frames are rendered again"
        return Outgrown((FIRST_FRAME, FRAMES_ON_DISK), -sys.maxsize, why)
    old, new = (_SPAN.fullmatch(key.get(FRAMES_ON_DISK, "")) for key in (found, plan.key))
    if old is None or new is None or old[0] == new[0]:
        return Outgrown()
    lows, highs = (sorted((int(old[end]), int(new[end]))) for end in (1, 2))
    source = lows[0] if lows[0] != lows[1] else highs[0] + 1
    why = f"Frames on disk are {new[0]}, and were {old[0]}"
    touched = _touched(source, plan) if lows[0] == lows[1] else -sys.maxsize
    return Outgrown((FRAMES_ON_DISK,), touched, why, needs_view=plan.motion is not None)


def _touched(source: int, plan: Plan) -> int:
    """Return the first frame that looks at a frame which is new at the end, or was there and is gone."""
    touched = source - plan.schedule.input_reach
    if plan.settings.warmup or plan.settings.pre_roll:
        return min(touched, plan.schedule.first_touched(min(source, plan.sources.upper)))
    return touched


def _is_earlier(now: str, before: str) -> bool:
    try:
        return int(now) < int(before)
    except ValueError:
        return False
