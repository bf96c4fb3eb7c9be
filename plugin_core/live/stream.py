"""A stream: one thread reads, this one fills, one writes, with one frame between them and no more.

Without a clock a frame is read only once the one three before it is written: reading, filling and writing
each have a frame, so that what is written is at most two frames behind what was read. In real time frames
come when they are due, and one that is not begun when the next comes is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import Interrupted
from .filler import Filler, OpenFiller
from .handoff import Handoff
from .mattes import Mattes
from .meter import Meter
from .picture import Incoming, Picture
from .source import Reader

IN_FLIGHT = 3
"""Frames between reading and writing."""

_TURN_SECONDS = 0.1
_PAUSE_SECONDS = 0.02

_LATE_SECONDS = 1.0
"""So far behind its clock, the sender has stalled: the clock starts anew."""

_LAST_FRAME_SECONDS = 0.5
"""After a stop the frame that is being written may take so long."""


@dataclass(frozen=True)
class Work:
    """A frame on its way.

    Attributes:
        frame: as it came.
        rgb: its picture, (H, W, 3) uint8.
        hole: (H, W), what is filled.
        number: of the frames that came, from 0.
        come: when, by `time.monotonic`.
        take: which take it is of, from 0.
    """

    frame: Incoming
    rgb: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    number: int
    come: float
    take: int

    @property
    def picture(self) -> Picture:
        """In the samples it came in."""
        return self.frame.picture


class Sink(Protocol):
    """Takes what is done, in order, in a thread of its own."""

    def write(self, work: Work, fill: NDArray[np.uint8], missed: int) -> None:
        """Take a frame and its filled picture, (H, W, 3) uint8; before it so many were dropped.

        Raises CleanplateError where it can't.
        """
        ...


class Control:
    """What somebody who looks may ask of a stream while it runs.

    Attributes:
        paused: no further frame is read.
        takes: counted up by what says that all that was seen so far is of no use.
    """

    def __init__(self) -> None:
        self.paused = False
        self.takes = 0
        self._again = threading.Event()

    def again(self) -> None:
        """Have the frame that is shown while it is paused filled again."""
        self._again.set()

    def asked_again(self) -> bool:
        """Whether that was asked for since it was last asked here."""
        asked = self._again.is_set()
        self._again.clear()
        return asked


class Stream:
    """One run from the first frame to the last.

    Args:
        reader: of the frames.
        mattes: what is filled on each.
        open_filler: opens what fills them; called again when their size changes.
        sinks: take what is done.
        meter: counts.
        hear: called all the while, by all its threads; raises Interrupted once it is to stop.
        note: told what a person should know, in a sentence.
        realtime: frames are dropped rather than late.
        clock: frames are held until they are due by the reader's rate; False for what keeps time itself.
        control: pauses it.
    """

    def __init__(
        self,
        reader: Reader,
        mattes: Mattes,
        open_filler: OpenFiller,
        sinks: Sequence[Sink],
        meter: Meter,
        hear: Callable[[], None],
        note: Callable[[str], None],
        *,
        realtime: bool = False,
        clock: bool = True,
        control: Control | None = None,
    ) -> None:
        self._reader = reader
        self._mattes = mattes
        self._open_filler = open_filler
        self._sinks = sinks
        self._meter = meter
        self._hear = hear
        self._note = note
        self._realtime = realtime
        self._pace = _Clock(reader, hear) if realtime and clock else None
        self._control = control
        self._filler: Filler | None = None
        self._size = (0, 0)
        self._take = 0
        self._write_error: BaseException | None = None
        self._read: Handoff[Work] = Handoff()
        self._done: Handoff[tuple[Work, NDArray[np.uint8]]] = Handoff()
        self._free = threading.Semaphore(IN_FLIGHT)
        self._warm = threading.Event()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Run to the end of the frames; ``tick`` is called after each frame and ten times a second.

        Raises:
            Interrupted: it was asked to stop.
            CleanplateError: what reading, filling or writing ended with, after the frames before that.
        """
        threading.Thread(target=self._reading, name="read", daemon=True).start()
        writing = threading.Thread(target=self._writing, name="write", daemon=True)
        writing.start()
        try:
            self._filling(tick)
        finally:
            self._read.abandon()
            self._done.end()
            self._wait_for(writing, tick)
        self._hear()
        if self._write_error is not None:
            raise self._write_error

    def _wait_for(self, writing: threading.Thread, tick: Callable[[], None]) -> None:
        """Let the last frames be written; after a stop for a moment only."""
        until: float | None = None
        while writing.is_alive() and (until is None or time.monotonic() < until):
            writing.join(_TURN_SECONDS)
            tick()
            try:
                self._hear()
            except Interrupted:
                until = until or time.monotonic() + _LAST_FRAME_SECONDS

    def _filling(self, tick: Callable[[], None]) -> None:
        while True:
            self._hear()
            try:
                work = self._read.take(_TURN_SECONDS)
            except TimeoutError:
                tick()
                continue
            if work is None:
                return
            fill = self._fill(work)
            self._warm.set()
            self._hand_on(work, fill, tick)
            tick()

    def _fill(self, work: Work) -> NDArray[np.uint8]:
        height, width = work.rgb.shape[:2]
        if self._filler is None or self._size != (width, height):
            if self._filler is not None:
                self._note(
                    f"From frame {work.number + 1} on the video is {width}x{height}, not "
                    f"{self._size[0]}x{self._size[1]}: what was seen before is forgotten, and what is sent "
                    "keeps its size."
                )
            self._filler, self._size = self._open_filler(width, height), (width, height)
        elif work.take != self._take:
            self._filler.cut()
        self._take = work.take
        return self._filler.step(work.rgb, work.hole)

    def _hand_on(self, work: Work, fill: NDArray[np.uint8], tick: Callable[[], None]) -> None:
        while True:
            self._hear()
            try:
                self._done.put((work, fill), _TURN_SECONDS)
                return
            except TimeoutError:
                tick()

    def _reading(self) -> None:
        try:
            self._read_all()
        except BaseException as error:
            self._read.end(error)
        finally:
            self._read.end()
            self._reader.close()

    def _read_all(self) -> None:
        frames = iter(self._reader)
        number = take = 0
        while self._may_read():
            frame = next(frames, None)
            if frame is None:
                return
            if self._pace is not None:
                self._pace.wait_for_next()
            take += frame.begins
            if not self._offer(frame, number, take):
                return
            number += 1
            if self._control is not None and self._control.paused:
                number = self._pause(frame, number, take)

    def _may_read(self) -> bool:
        """Wait until a frame may be read; False where nobody wants any more."""
        while not self._realtime and not self._free.acquire(timeout=_TURN_SECONDS):
            self._hear()
        self._hear()
        return True

    def _offer(self, frame: Incoming, number: int, take: int) -> bool:
        come = time.monotonic()
        self._meter.come(number)
        rgb = frame.picture.rgb()
        hole = self._mattes.of(frame, rgb)
        if self._control is not None:
            take += self._control.takes
        work = Work(frame, rgb, hole, number, come, take)
        if not self._realtime:
            return self._read.put(work)
        listening, before = self._read.replace(work)
        if before is not None:
            self._meter.drop()
        # The first takes longer, since all is set up by it.
        while listening and number == 0 and not self._warm.wait(_TURN_SECONDS):
            self._hear()
        return listening

    def _pause(self, frame: Incoming, number: int, take: int) -> int:
        """Wait, and give the same frame again where that is asked for; returns the next number."""
        assert self._control is not None
        while self._control.paused:
            self._hear()
            if self._control.asked_again() and self._offer(frame, number, take):
                number += 1
            time.sleep(_PAUSE_SECONDS)
        if self._pace is not None:
            self._pace.start_anew()
        return number

    def _writing(self) -> None:
        before = -1
        try:
            while (done := self._done.take()) is not None:
                work, fill = done
                for sink in self._sinks:
                    sink.write(work, fill, work.number - before - 1)
                before = work.number
                self._meter.written(work.number, work.come)
                self._free.release()
        except BaseException as error:
            self._write_error = error
            self._done.abandon(error)


class _Clock:
    """Says when the next frame is due."""

    def __init__(self, reader: Reader, hear: Callable[[], None]) -> None:
        self._reader = reader
        self._hear = hear
        self._due: float | None = None

    def wait_for_next(self) -> None:
        """Wait until the next frame is due, by the reader's rate; not at all where nobody knows that."""
        rate = self._reader.rate
        now = time.monotonic()
        if rate is None:
            return
        if self._due is None or now - self._due > _LATE_SECONDS:
            self._due = now
        while (left := self._due - time.monotonic()) > 0:
            self._hear()
            time.sleep(min(left, _TURN_SECONDS))
        self._due += float(1 / rate)

    def start_anew(self) -> None:
        """The next frame is due at once, and the others by it."""
        self._due = None
