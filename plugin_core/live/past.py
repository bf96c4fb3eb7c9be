"""Fills frames one after the other from what was seen before: memory of the plate first, then the network."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..network.contract import Network
from ..regions.hole import Hole
from .plate_memory import PlateMemory, Remembered
from .rest import Rest
from .view import Floats, Pixels, View, reduced, reduced_known, reduced_mask, view_of
from .way import SeenFrame, Way, on_plate

Mask = NDArray[np.bool_]

FRINGE_PX = 3
"""So close to the hole nothing enters the memory: the object's soft edge, its motion blur."""

_AROUND_PX = 24
"""What passes by so near to the hole is no background: what it covers is remembered, too."""

_OFF_PX, _LOW_PX = 1.0, 4.0
"""What may be so many pixels off its place is shown only as its low frequencies, of so many."""

_SOFT_PX = 3
"""What is remembered fades into what the network says over so many pixels."""

_SURE_PX, _SURE_CELLS = 0.36, 0.18
"""Where there and back part by more plate pixels, or this much of a view's, what was seen is not taken."""


@dataclass
class Stats:
    """Of the last frame.

    Attributes:
        ms: milliseconds by stage: motion, memory, network.
        known: share of the hole that was seen before, 0..1; 1 without a hole.
        age: frames since that was seen, in the mean.
        trust: confidence in the fill, 0..1, in the mean; 0 for what was never seen.
        network: whether the network was asked.
    """

    ms: dict[str, float] = field(default_factory=dict)
    known: float = 1.0
    age: float = 0.0
    trust: float = 1.0
    network: bool = False


@dataclass(frozen=True)
class _Last:
    """The frame before, at plate resolution.

    Attributes:
        picture: (H, W, 3), its own, with what is remembered and said laid in.
        box: around what is hidden.
        hidden, unknown: (h, w) over it, what does not show the background, and what is not remembered.
    """

    picture: Pixels
    box: Box
    hidden: Mask
    unknown: Mask

    def reduced(self, scale: int) -> SeenFrame:
        """Return it as it is seen at another scale."""
        height, width = self.picture.shape[:2]
        hidden, unknown = (
            reduced_mask(mask, self.box, width, height, scale) for mask in (self.hidden, self.unknown)
        )
        return SeenFrame(reduced(self.picture, scale), hidden, unknown)


class PastFiller:
    """Fills a take's frames in their order.

    Args:
        network: fills what was never seen.
    """

    def __init__(self, network: Network) -> None:
        self._memory = PlateMemory()
        beside = ThreadPoolExecutor(1, "cleanplate-live")
        self._rest = Rest(network, beside)
        self._way = Way(self._rest.reach, beside)
        self._past: deque[SeenFrame] = deque(maxlen=self._rest.reach)
        self._view: View | None = None
        self._last: _Last | None = None
        self.stats = Stats()

    def cut(self) -> None:
        """Forget everything: a new take."""
        self._forget_views()
        self._memory.forget()
        self._view = self._last = None

    def fill(self, plate: Pixels, hole: Hole | None) -> Floats | None:
        """Fill a frame.

        Args:
            plate: (H, W, 3) RGB, display-referred: uint8, or float32 around 0..1; the same type and size
                within a take. It is not changed.
            hole: what is filled; None for nothing.

        Returns:
            The fill over the hole's box, (h, w, 3) float32 around 0..1; None without a hole.
        """
        self.stats = Stats()
        if hole is None:
            self._pass(plate)
            return None
        clock = _Clock(self.stats.ms)
        height, width = plate.shape[:2]
        box, inside, hidden = _hidden(hole, width, height)
        view = self._look(view_of(hole.box, width, height, self._view))
        slot = view.kept(width, height)
        small = reduced(plate, view.scale)
        small_hidden = reduced_mask(hidden, box, width, height, view.scale)
        moved = self._way.advance(view, small, small_hidden, self._past[0] if self._past else None)
        if moved is not None and moved.movers.any():
            hidden |= on_plate(moved.movers.astype(np.float32), view, box) > 0.5
        clock.lap("motion")
        if moved is not None:
            flow = moved.flow
            field = on_plate(np.dstack([flow.motion, flow.doubt, moved.off]), view, box)
            field *= view.scale
            x, y = _grid(box)
            sure = field[..., 2] < max(_SURE_PX, _SURE_CELLS * view.scale)
            self._memory.advance(box, hidden, x + field[..., 0], y + field[..., 1], sure, field[..., 3])
        else:
            self._memory.begin(box, hidden)
        found = self._memory.remembered()
        unknown = inside & ~found.known
        last = plate.copy()
        part = last[box.slices]
        part[found.known] = _as(found.picture[found.known], plate.dtype)
        seen = self._seen(last, small, small_hidden, unknown, box)
        clock.lap("memory")
        mine = hole.box.moved(-box.x0, -box.y0).slices
        fill = _soft(found)[mine]
        if plate.dtype == np.uint8:
            fill = fill * np.float32(1 / 255)
        if unknown.any():
            said = on_plate(self._rest.fill(view, seen, self._past, self._way), view, box)
            weight = _softened(found.known, hidden & ~found.known)[..., None]
            fill = said[mine] + weight[mine] * (fill - said[mine])
            part[unknown] = _as(said[unknown] * (255 if plate.dtype == np.uint8 else 1), plate.dtype)
            clock.lap("network")
        else:
            self._rest.forget()
        self._memory.see(slot, last[slot.slices])
        self._past.appendleft(seen)
        self._last = _Last(last, box, hidden, unknown)
        self._note(found, inside, asked=bool(unknown.any()))
        return np.asarray(fill, np.float32)

    def _look(self, view: View) -> View:
        """Take up a view; at another scale the frames before are seen anew."""
        if self._view is None or view.scale != self._view.scale:
            self._forget_views()
            if self._last is not None:
                self._past.append(self._last.reduced(view.scale))
                height, width = self._last.picture.shape[:2]
                slot = view.kept(width, height)
                self._memory.see(slot, self._last.picture[slot.slices])
        self._view = view
        return view

    def _pass(self, plate: Pixels) -> None:
        """Take a frame on which nothing is hidden."""
        self._forget_views()
        self._view = None
        nothing = np.zeros((0, 0), np.bool_)
        self._last = _Last(plate.copy(), Box(0, 0, 0, 0), nothing, nothing)
        self._memory.begin(Box(0, 0, 0, 0), nothing)

    def _forget_views(self) -> None:
        self._rest.forget()
        self._way.forget()
        self._past.clear()

    def _seen(self, last: Pixels, small: Floats, small_hidden: Mask, unknown: Mask, box: Box) -> SeenFrame:
        """Return the frame reduced, with what is remembered laid in."""
        assert self._view is not None
        scale = self._view.scale
        height, width = last.shape[:2]
        cells = Box(box.x0 // scale, box.y0 // scale, -(-box.x1 // scale), -(-box.y1 // scale))
        cells = cells.within(width // scale, height // scale)
        small_unknown = reduced_mask(np.zeros((0, 0), np.bool_), Box(0, 0, 0, 0), width, height, scale)
        wide = Box(*(scale * edge for edge in cells))
        shared = box.shared(wide)
        if shared is not None:
            shown = np.ones((wide.height, wide.width), np.float32)
            shown[shared.moved(-wide.x0, -wide.y0).slices] = ~unknown[shared.moved(-box.x0, -box.y0).slices]
            small[cells.slices], small_unknown[cells.slices] = reduced_known(last[wide.slices], shown, scale)
        return SeenFrame(small, small_hidden, small_unknown)

    def _note(self, found: Remembered, inside: Mask, *, asked: bool) -> None:
        known = found.known & inside
        count = max(1, int(np.count_nonzero(inside)))
        self.stats.network = asked
        self.stats.known = np.count_nonzero(known) / count
        self.stats.age = float(found.age[known].mean()) if known.any() else 0.0
        self.stats.trust = float(found.trust[inside].sum()) / count


class _Clock:
    """Notes how long what was done since the last lap took."""

    def __init__(self, ms: dict[str, float]) -> None:
        self._ms = ms
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._ms[stage] = 1000 * (now - self._since)
        self._since = now


def _hidden(hole: Hole, width: int, height: int) -> tuple[Box, Mask, Mask]:
    """Return a box around what can't be remembered of a frame, and over it the hole and all of that."""
    box = hole.box.grown(_AROUND_PX).within(width, height)
    inside = np.zeros((box.height, box.width), np.uint8)
    inside[hole.box.moved(-box.x0, -box.y0).slices] = hole.alpha > 0
    side = 2 * FRINGE_PX + 1
    hidden = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return box, inside.view(np.bool_), hidden.view(np.bool_)


def _grid(box: Box) -> tuple[Floats, Floats]:
    columns = np.arange(box.x0, box.x1, dtype=np.float32)
    return columns[None], np.arange(box.y0, box.y1, dtype=np.float32)[:, None]


def _as(values: Floats, dtype: np.dtype[Any]) -> Pixels:
    """Return values as a plate has them."""
    if dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return values


def _soft(found: Remembered) -> Floats:
    """Return what is remembered, blurred by as much as it may be off its place."""
    share = np.where(found.known, np.clip(found.off / _OFF_PX, 0, 1), np.float32(0))
    if share.max() < 0.1:
        return found.picture
    weight = found.known.astype(np.float32)
    low, near = (
        cv2.GaussianBlur(values, (0, 0), _LOW_PX, borderType=cv2.BORDER_REPLICATE)
        for values in (found.picture * weight[..., None], weight)
    )
    low = low / np.maximum(near, np.float32(1e-3))[..., None]
    return np.asarray(found.picture + share[..., None] * (low - found.picture), np.float32)


def _softened(known: Mask, unknown: Mask) -> Floats:
    """Return how much of what is known is shown: 1 inside, falling towards what is unknown."""
    side = 2 * _SOFT_PX + 1
    near = cv2.blur(unknown.astype(np.float32), (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.where(known, np.clip(1 - 2 * near, 0, 1), np.float32(0))
