"""How the background of a shot moves: pictures and motion of neighboring frames, each made once.

Pictures are seen at the motion view's size, a crop of the plate around every hole of the shot (see `plan`),
and motion is measured on a smaller one still: between neighbors, and between frames whose numbers divide by
four. Over eight frames it is put together, so that whoever looks far need not go step by step. All that is
found depends on the frames alone, never on the order in which it is asked for nor on the number of threads.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from .flow import FINE, Flow, Seen, flows_of, median
from .focus import Shown
from .itinerary import road
from .sampling import pixel_grid

Floats = NDArray[np.float32]
Codes = NDArray[np.int16]
Found = TypeVar("Found")

_ASIDE = 2
"""So much is done beside what the caller does."""

_WATCH_SECONDS = 0.1
"""How often whoever waits is asked whether to go on."""

_AHEAD = 4
"""Legs of a long road that are measured side by side."""

_MOTION_PX = 240
"""Motion is measured on at most this many pixels squared."""

LEAPS = (8, 4)
"""Frames that motion is known over in one, longest first: the longest that is measured comes last."""
MEASURED = LEAPS[-1]

_LEAP_SHARE, _LEAP_DOUBT_PX = 0.1, 0.4
"""A leap over which the camera carries the picture by more than this share of its size, or that is doubted
by more pixels of motion's size, is measured wrong, by whole pixels: it is put together from single steps."""

_COMPARED = 6
"""Frames whose focus is remembered: one, and those that it is carried from."""

_GONE_PX = np.float32(1000)
"""The doubt of what has left the view."""

_PARTS = np.float32(64)
"""Motion is kept in such parts of a pixel, up to 511 pixels."""

_CODE_SCALE, _CODE_ZERO = np.float32(16000), np.float32(8000)
"""Display-referred colors are kept as 16-bit codes, from -0.5 to 3.6."""


@dataclass(frozen=True)
class Look:
    """A frame as motion is measured on it.

    Attributes:
        picture: (H, W, 3) float32, display-referred.
        hole: (H, W), true where the frame does not show the background.
    """

    picture: Floats
    hole: NDArray[np.bool_]


@dataclass(frozen=True)
class _Kept:
    """A look as it is kept.

    Attributes:
        picture: (H, W, 3) in codes.
        hole: (H, W), 0 or 255.
        small: at motion's size.
    """

    picture: NDArray[np.uint16]
    hole: NDArray[np.uint8]
    small: Seen


@dataclass(frozen=True)
class Field:
    """Motion from one frame to another, (h, w, 3) at motion's size: x and y in pixels of the view, and doubt.

    Hundreds are kept at a time, so they are whole numbers of 64ths, which are finer than motion is measured,
    and of the second way to complete them only what differs is kept.

    Attributes:
        led: as the camera leads behind a hole.
        camera: (3, 3), from a point's homogeneous place in the one to that in the other, as most of the
            picture moves.
        too_far: whether it is not to be trusted, so far does the camera carry the picture.
    """

    led: Codes
    camera: NDArray[np.float64]
    too_far: bool
    _parted: tuple[tuple[slice, slice], Codes] | None

    @classmethod
    def of(cls, led: Codes, bordered: Codes, camera: NDArray[np.float64], *, too_far: bool = False) -> Field:
        """Keep a motion that was completed as the camera leads, and as the hole's border does."""
        # All numbers in a row: to ask pixel by pixel whether any of three differs takes ten times as long.
        differ = bounds((led != bordered).reshape(led.shape[0], -1))
        if differ is None:
            return cls(led, camera, too_far, None)
        parted = Box(differ.x0 // 3, differ.y0, -(-differ.x1 // 3), differ.y1).slices
        return cls(led, camera, too_far, (parted, bordered[parted].copy()))

    @property
    def bordered(self) -> Codes:
        """As the hole's border leads there; made anew at every access. Not to be changed."""
        if self._parted is None:
            return self.led
        there, bordered = self._parted
        whole = self.led.copy()
        whole[there] = bordered
        return whole

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""
        return self.led.nbytes + (0 if self._parted is None else self._parted[1].nbytes)


class Background:
    """The motion of one shot's background. For its caller's thread, and what that began `aside`.

    Args:
        look: returns a frame's picture and hole; called once for a frame while it is kept, from one thread.
        height, width: of the motion view.
        threads: that measure motion; None for one a core.
    """

    def __init__(
        self, look: Callable[[int], Look], height: int, width: int, threads: int | None = None
    ) -> None:
        self._look = look
        self.height, self.width = height, width
        scale = min(1.0, _MOTION_PX / math.sqrt(height * width))
        self._size = max(12, round(width * scale)), max(12, round(height * scale))
        self._per = np.float32(width / self._size[0]), np.float32(height / self._size[1])
        self._looking = ThreadPoolExecutor(1, "look")
        self.workers = ThreadPoolExecutor(threads or _cores(), "motion")
        # Workers that waited for what they are to measure themselves would wait forever.
        self._aside = ThreadPoolExecutor(_ASIDE, "aside")
        self._closed = False
        self._lock = threading.RLock()
        self._looks: dict[int, Future[_Kept]] = {}
        self._looked_at: set[int] = set()
        self._shown: dict[int, Shown] = {}
        self._pairs: dict[tuple[int, int], Future[tuple[Field, Field]]] = {}
        self._joins: dict[tuple[int, int], Field] = {}
        self._roads: dict[tuple[int, int], Floats] = {}
        self._wanted: Set[int] = frozenset()

    def colors(self, frame: int, x: Floats, y: Floats) -> Floats:
        """Sample a frame at points (h, w): display-referred RGB (h, w, 3)."""
        codes = cv2.remap(self._kept(frame).picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return (codes.astype(np.float32) - _CODE_ZERO) / _CODE_SCALE

    def hidden(self, frame: int, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Return which points (h, w) touch a frame's hole."""
        hole = cv2.remap(self._kept(frame).hole, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(hole > 2)

    def hole(self, frame: int) -> NDArray[np.bool_]:
        """Return which pixels of the view (H, W) a frame's hole covers."""
        return self._kept(frame).hole > 0

    def shown(self, frame: int) -> Shown:
        """Return a frame as its focus is compared."""
        known = self._shown.get(frame)
        if known is not None:
            return known
        kept = self._kept(frame)
        luma = cv2.transform(kept.picture, np.full((1, 3), 1 / 3)).astype(np.float32) / _CODE_SCALE
        shown = Shown.of(luma, kept.hole)
        with self._lock:
            while len(self._shown) >= _COMPARED:
                del self._shown[next(iter(self._shown))]
            self._shown[frame] = shown
        return shown

    def field(self, frame: int, to: int, watch: Callable[[], None] = lambda: None) -> Field:
        """Return the motion between two frames one apart, or one of `LEAPS` that both divide by.

        `watch` is called again and again while it is measured, and may raise to stop.
        """
        known = self._joins.get((frame, to))
        if known is not None:
            return known
        if abs(frame - to) <= MEASURED:
            pair = awaited(self._pair(*sorted((frame, to))), watch)
            measured = pair[0] if to > frame else pair[1]
            if abs(frame - to) == 1 or not measured.too_far:
                return measured
        join = self._joined(frame, to, watch)
        with self._lock:
            self._joins[frame, to] = join
        return join

    def road(self, post: int, source: int, watch: Callable[[], None] = lambda: None) -> Floats:
        """Return the motion from a frame to another however far away, as the camera leads: (h, w, 3).

        It is put together from the far end on, and what is known of it nearer to that serves again.

        Args:
            post: a frame whose number divides by the longest of `LEAPS`.
            source: the other one.
            watch: called again and again while it is measured; may raise to stop.
        """
        way = list(road(post, source))
        known = next((place for place, stop in enumerate(way) if (stop, source) in self._roads), len(way) - 1)
        left, wanted = list(pairwise(way[: known + 1])), self._wanted
        while left:
            near = left[-_AHEAD:]
            # All of a long road at once would fill the memory.
            self._forget({*wanted, *(frame for ends in near for frame in range(min(ends), max(ends) + 1))})
            self.ahead(reversed(near))
            frame, to = left.pop()
            led = self.field(frame, to, watch).led
            beyond = self._roads.get((to, source))
            chained = self._chained([led] if beyond is None else [led, beyond])
            with self._lock:
                self._roads[frame, source] = chained
        self._forget(wanted)
        return self._roads[post, source]

    def aside(self, work: Callable[[Callable[[], None]], Found]) -> Future[Found]:
        """Begin work that may wait for motion, beside what the caller does; `awaited` returns what it gives.

        It is handed a watch, which ends it once this is closed, and begins nothing aside itself.
        """
        return self._aside.submit(work, self._go_on)

    def _go_on(self) -> None:
        if self._closed:
            raise CancelledError

    def ahead(self, legs: Iterable[tuple[int, int]]) -> None:
        """Begin to measure motion that will be asked for by `field`."""
        for frame, to in legs:
            for ends in _measured(frame, to):
                self._pair(*sorted(ends))

    def looked_at(self, frames: Set[int]) -> int:
        """Return how many of some frames were looked at, and are still known."""
        return len(self._looked_at & frames)

    def moved(self, field: Codes | Floats, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return where points (h, w) of the view come to, and the doubt that adds.

        A field is in parts of a pixel, as `Field` has it, or in whole ones, as a road is.
        """
        across, down = self._per
        half = np.float32(0.5)
        at = (x + half) / across - half, (y + half) / down - half
        motion = in_pixels(cv2.remap(field, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        return x + motion[..., 0], y + motion[..., 1], motion[..., 2]

    def outside(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Return which points lie outside the view."""
        return (x < 0) | (x > self.width - 1) | (y < 0) | (y > self.height - 1)

    def keep(self, frames: Set[int]) -> None:
        """Forget all but some frames, and the motion between them."""
        self._wanted = frames
        self._forget(frames)
        first, last = min(frames, default=0) - LEAPS[0], max(frames, default=0)
        # Of a road those posts are kept that are near, or still ahead on the way to its end.
        with self._lock:
            self._roads = {
                (post, source): motion
                for (post, source), motion in self._roads.items()
                if first <= post <= max(last, source)
            }

    def _forget(self, besides: Set[int]) -> None:
        with self._lock:
            self._looks = {frame: look for frame, look in self._looks.items() if frame in besides}
            self._looked_at &= besides
            self._pairs = {ends: pair for ends, pair in self._pairs.items() if {*ends} <= besides}
            self._joins = {ends: join for ends, join in self._joins.items() if {*ends} <= besides}

    def close(self) -> None:
        """End the threads. What is being measured at the moment ends by itself, and nobody waits for it."""
        self._closed = True
        self._aside.shutdown(wait=False, cancel_futures=True)
        self._looking.shutdown(cancel_futures=True)
        self.workers.shutdown(wait=False, cancel_futures=True)

    def _kept(self, frame: int) -> _Kept:
        return self._looked(frame).result()

    def _looked(self, frame: int) -> Future[_Kept]:
        with self._lock:
            if frame not in self._looks:
                self._looks[frame] = self._looking.submit(self._see, frame)
            return self._looks[frame]

    def _see(self, frame: int) -> _Kept:
        look = self._look(frame)
        small = np.asarray(cv2.resize(look.picture, self._size, interpolation=cv2.INTER_AREA), np.float32)
        scaled = look.picture * _CODE_SCALE
        scaled += _CODE_ZERO + np.float32(0.5)
        codes = np.clip(scaled, 0, 65535, out=scaled).astype(np.uint16)
        hole = look.hole.view(np.uint8) * np.uint8(255)
        small_hole = cv2.resize(hole, self._size, interpolation=cv2.INTER_AREA) > 0
        self._looked_at.add(frame)
        return _Kept(codes, hole, Seen.of(small, small_hole, FINE))

    def _pair(self, earlier: int, later: int) -> Future[tuple[Field, Field]]:
        with self._lock:
            if (earlier, later) not in self._pairs:
                looks = self._looked(earlier), self._looked(later)
                self._pairs[earlier, later] = self.workers.submit(self._between, *looks)
            return self._pairs[earlier, later]

    def _between(self, first: Future[_Kept], second: Future[_Kept]) -> tuple[Field, Field]:
        forth, back = flows_of(first.result().small, second.result().small, FINE)
        return self._field(forth), self._field(back)

    def _field(self, flow: Flow) -> Field:
        across, down = self._per
        doubt = flow.doubt * max(across, down)
        # The camera is affine in pixels of motion's size; here it is one of homogeneous places in the view.
        to_small = np.array([[1 / across, 0, 0.5 / across - 0.5], [0, 1 / down, 0.5 / down - 0.5], [0, 0, 1]])
        camera = np.eye(3)
        camera[:2] += (flow.camera * np.array(self._per)[:, None]).astype(np.float64) @ to_small
        middle = flow.camera @ np.array([self._size[0] / 2, self._size[1] / 2, 1])
        carries = float(np.hypot(*middle)) > _LEAP_SHARE * max(self._size)
        too_far = carries or median(flow.doubt.ravel()) > _LEAP_DOUBT_PX
        motions = self._in_view(flow.motion, doubt), self._in_view(flow.bordered, doubt)
        return Field.of(*motions, camera, too_far=too_far)

    def _in_view(self, motion: Floats, doubt: Floats) -> Codes:
        x, y = cv2.split(motion)
        return _coded(np.asarray(cv2.merge([x * self._per[0], y * self._per[1], doubt])))

    def _joined(self, frame: int, to: int, watch: Callable[[], None]) -> Field:
        """Put motion together from what is measured on the way: over leaps, or a leap from single steps."""
        way = list(_measured(frame, to) if abs(to - frame) > MEASURED else _steps(frame, to))
        self.ahead(way)
        fields = [self.field(*ends, watch) for ends in way]
        camera = np.eye(3)
        for field in fields:
            camera = field.camera @ camera
        return Field.of(
            _coded(self._chained([field.led for field in fields])),
            _coded(self._chained([field.bordered for field in fields])),
            camera,
        )

    def _chained(self, fields: Sequence[Codes | Floats]) -> Floats:
        """Return motion (h, w, 3), in pixels, put together from that of legs on the way."""
        columns, rows = pixel_grid(Box(0, 0, *self._size))
        half = np.float32(0.5)
        begin = (columns + half) * self._per[0] - half, (rows + half) * self._per[1] - half
        x, y = begin
        doubt = np.zeros_like(x)
        for field in fields:
            x, y, more = self.moved(field, x, y)
            doubt = np.where(self.outside(x, y), _GONE_PX, doubt + more)
        return np.asarray(cv2.merge([x - begin[0], y - begin[1], doubt]))


def awaited(work: Future[Found], watch: Callable[[], None]) -> Found:
    """Return what work gives; `watch` is called again and again while it lasts, and may raise."""
    while not wait([work], _WATCH_SECONDS).done:
        watch()
    return work.result()


def _coded(motion: Floats) -> Codes:
    """Return motion (h, w, 3) as it is kept."""
    return np.asarray(np.rint(np.clip(motion * _PARTS, -32767, 32767)), np.int16)


def in_pixels(motion: NDArray[Any]) -> Floats:
    """Return motion (h, w, 3) in pixels, of codes as `Field` has them or already so."""
    floats = np.asarray(motion, np.float32)
    return floats / _PARTS if motion.dtype == np.int16 else floats


def _measured(frame: int, to: int) -> Iterator[tuple[int, int]]:
    """Yield the ends of the motions that are measured on the way between two frames."""
    return _steps(frame, to, min(abs(to - frame), MEASURED))


def _steps(frame: int, to: int, length: int = 1) -> Iterator[tuple[int, int]]:
    stride = length if to > frame else -length
    return ((stop, stop + stride) for stop in range(frame, to, stride))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
