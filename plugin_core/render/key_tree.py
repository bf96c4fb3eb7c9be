"""Between the regular key frames, further ones: only where the paint beside them does not cover the hole."""

from __future__ import annotations

from collections.abc import Callable

from ..progress.watch import Watch
from .key_frames import WAYSIDE, KeyFrame
from .plan import Plan

_CLOSEST = WAYSIDE
"""Key frames are no nearer to each other than this."""


class KeyTree:
    """Finds the key frames beside a frame: the same ones, whatever was asked for before.

    Args:
        plan: of the render.
        see_to: paints a frame, or finds that it needs no paint of its own; returns whether it is a key frame.
            Its parents have been seen to.
    """

    def __init__(self, plan: Plan, see_to: Callable[[KeyFrame, Watch], bool]) -> None:
        self._plan = plan
        self._see_to = see_to
        self._regular = {key.frame: key for key in plan.keys}
        self._known: dict[int, bool] = {}

    def beside(self, frame: int, watch: Watch) -> tuple[tuple[int, ...], frozenset[int]]:
        """Return the key frames whose paint a frame takes, and all frames that were seen to for it."""
        span = self._plan.span(frame)
        if span is None:
            return (), frozenset()
        for key in span.keys:
            self._line(key, watch)
        before, after, first, last = span.before, span.after, span.first, span.last
        asked = {key for key in span.keys if self._known[key]}
        before = before if before in asked else None
        after = after if after in asked else None
        while last - first >= 2 * _CLOSEST and (before is not None or after is not None):
            middle = WAYSIDE * round((first + last) / (2 * WAYSIDE))
            if not self._plan.has_hole(middle):
                break
            parents = tuple(key for key in (before, after) if key is not None)
            asked.add(middle)
            if not self._is_key(KeyFrame(middle, parents, regular=False), watch):
                break
            if frame == middle:
                return (middle,), frozenset(asked)
            if frame < middle:
                after, last = middle, middle
            else:
                before, first = middle, middle
        keys = dict.fromkeys(key for key in (before, after) if key is not None)
        return tuple(keys), frozenset(asked)

    def _line(self, key: int, watch: Watch) -> None:
        """See to a regular key frame, and before it to those whose paint it takes."""
        line = [key]
        while line[-1] not in self._known and self._regular[line[-1]].parents:
            line += self._regular[line[-1]].parents
        for each in reversed(line):
            self._is_key(self._regular[each], watch)

    def _is_key(self, key: KeyFrame, watch: Watch) -> bool:
        if key.frame not in self._known:
            self._known[key.frame] = self._see_to(key, watch)
        return self._known[key.frame]
