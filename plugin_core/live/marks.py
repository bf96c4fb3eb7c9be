"""What somebody marks while a stream runs: boxes and brush strokes that follow what they were laid on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from .mattes import Mattes
from .picture import Incoming
from .stream import Control
from .track import Tracked, View

MOST = 8
"""Marks at a time: each takes milliseconds a frame."""

Side = FiniteFloat


class Shape(BaseModel):
    """A mark as it is drawn, in pixels of the picture: a box by two corners, or a brush's way.

    Attributes:
        kind: of the two.
        points: x and y of each.
        radius: of the brush.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["box", "brush"]
    points: list[tuple[Side, Side]] = Field(min_length=1, max_length=4096)
    radius: Side = Field(8.0, ge=0.5, le=1024)

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return (H, W), where it lies."""
        drawn = np.zeros((height, width), np.uint8)
        limit = 2 * max(height, width)
        ways = np.clip(np.array(self.points), -limit, limit).round().astype(np.int32)
        if self.kind == "box":
            (left, top), (right, bottom) = ways.min(axis=0), ways.max(axis=0)
            drawn[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1
        else:
            thickness = max(1, round(2 * self.radius))
            cv2.polylines(drawn, [ways.reshape(-1, 1, 2)], False, 1, thickness, cv2.LINE_8)
        return drawn > 0


@dataclass
class _Mark:
    mask: NDArray[np.bool_]
    position: int
    tracked: Tracked | None = field(default=None)


class Marks:
    """The marks of a stream, drawn by one thread and followed by another.

    On a movie that begins again a mark waits for the frame that it was drawn on. Until then its object was
    taken for background: so what was seen is forgotten where a mark begins.

    Args:
        base: what is filled besides; None for nothing.
        control: of the stream: told of each mark that begins.
    """

    def __init__(self, base: Mattes | None, control: Control) -> None:
        self._base = base
        self._control = control
        self._lock = threading.Lock()
        self._drawn: list[Shape] = []
        self._marks: list[_Mark] = []
        self._last: Incoming | None = None
        self._under = np.zeros((0, 0), bool)
        self._position = -1

    def draw(self, shape: Shape) -> bool:
        """Lay a mark on the frame that comes next; False where there are too many."""
        with self._lock:
            if len(self._marks) + len(self._drawn) >= MOST:
                return False
            self._drawn.append(shape)
            return True

    def undo(self) -> None:
        """Take the last mark away."""
        with self._lock:
            (self._drawn or self._marks or [None]).pop()

    def clear(self) -> None:
        """Take all marks away."""
        with self._lock:
            self._drawn, self._marks = [], []

    @property
    def state(self) -> tuple[int, int, int]:
        """How many marks there are, how many have lost their object, how many wait for their frame."""
        with self._lock:
            lost = sum(mark.tracked is not None and mark.tracked.lost for mark in self._marks)
            waiting = sum(mark.tracked is None for mark in self._marks)
            return len(self._marks) + len(self._drawn), lost, waiting

    def of(self, frame: Incoming, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return what is filled on a frame. The same frame given again is no further frame."""
        height, width = rgb.shape[:2]
        is_new = self._last is None or frame.picture is not self._last.picture
        if is_new:
            self._last = frame
            # A stream of mattes has one for each frame, and no more.
            self._under = np.zeros((height, width), bool) if self._base is None else self._base.of(frame, rgb)
        hole = self._under.copy()
        begins = is_new and frame.begins
        with self._lock:
            if is_new:
                self._position = 0 if begins else self._position + 1
            for shape in self._drawn:
                self._marks.append(_Mark(shape.mask(height, width), self._position))
            self._drawn = []
            if not self._marks:
                return hole
            view = View(rgb)
            for mark in self._marks:
                hole |= self._place(mark, view, begins=begins)
        return hole

    def _place(self, mark: _Mark, view: View, *, begins: bool) -> NDArray[np.bool_]:
        if begins:
            mark.tracked = None
        if self._position < mark.position or mark.mask.shape != view.shape:
            return np.zeros(view.shape, bool)
        if mark.tracked is None:
            mark.tracked = Tracked(view, mark.mask)
            self._control.takes += 1
            return mark.mask
        return mark.tracked.follow(view)
