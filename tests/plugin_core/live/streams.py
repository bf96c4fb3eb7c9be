"""Streams through pipes of this process, filled by something that costs nothing."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from plugin_core.job.settings import Settings
from plugin_core.live import pipe as pipes
from plugin_core.live.meter import Meter, Pace
from plugin_core.live.run import Matte, Output, run_stream
from plugin_core.live.source import Asked
from plugin_core.live.telling import Telling
from plugin_core.progress.stop import Stop

GREEN = (10, 200, 30)


class Painter:
    """Fills with one color; counts its takes. Notes what it was made for."""

    def __init__(self, width: int, height: int, before: Callable[[], None] = lambda: None) -> None:
        self.size = width, height
        self.steps = self.cuts = 0
        self._before = before

    def step(self, plate, matte):
        assert plate.shape == (self.size[1], self.size[0], 3) and matte.shape == plate.shape[:2]
        self._before()
        self.steps += 1
        filled = plate.copy()
        filled[matte] = GREEN
        return filled

    def cut(self):
        self.cuts += 1


class Run:
    """One stream from bytes to bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, source: bytes | Iterator[bytes] = b"") -> None:
        self.fillers: list[Painter] = []
        self.before: Callable[[], None] = lambda: None
        self.stop = Stop()
        self.meter = Meter()
        self._source = source
        self._monkeypatch = monkeypatch

    def __call__(
        self, asked: Asked, matte: Matte, *, y4m: bool | None = None, realtime: bool = False
    ) -> bytes:
        sent, taken = os.pipe(), os.pipe()
        here = {"in": io.FileIO(sent[0], "rb"), "out": io.FileIO(taken[1], "wb")}
        original_in, original_out = pipes.open_in, pipes.open_out

        def open_in(name, hear):
            if name != pipes.STANDARD:
                return original_in(name, hear)
            return pipes.PipeIn(here["in"], "Standard input", hear)

        def open_out(name, hear):
            return (
                pipes.PipeOut(here["out"], "Standard output")
                if name == pipes.STANDARD
                else original_out(name, hear)
            )

        self._monkeypatch.setattr("plugin_core.live.source.open_in", open_in)
        self._monkeypatch.setattr("plugin_core.live.run.open_out", open_out)
        come: list[bytes] = []
        threads = [
            threading.Thread(target=self._send, args=(sent[1],)),
            threading.Thread(target=self._take, args=(taken[0], come)),
        ]
        for thread in threads:
            thread.start()
        try:
            run_stream(
                asked,
                matte,
                Output(y4m=y4m),
                self._open,
                Telling("lines", self.meter, "painter", "cpu"),
                Settings(grow=0, feather=0),
                self.stop,
                realtime=realtime,
            )
        finally:
            for file in here.values():
                file.close()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
            self.out = b"".join(come)
        return self.out

    @property
    def pace(self) -> Pace:
        return self.meter.pace()

    def _open(self, width: int, height: int) -> Painter:
        self.fillers.append(Painter(width, height, lambda: self.before()))
        return self.fillers[-1]

    def _send(self, descriptor: int) -> None:
        source = [self._source] if isinstance(self._source, bytes) else self._source
        try:
            with open(descriptor, "wb", buffering=0) as pipe:
                for part in source:
                    view = memoryview(part)
                    while len(view):
                        view = view[pipe.write(view) :]
        except BrokenPipeError:
            pass

    def _take(self, descriptor: int, come: list[bytes]) -> None:
        with open(descriptor, "rb", buffering=0) as pipe:
            while part := pipe.read(1 << 16):
                come.append(part)


def noise(count: int, size: int, seed: int = 0) -> list[bytes]:
    """Frames of so many bytes each, of middling values."""
    rng = np.random.default_rng(seed)
    return [rng.integers(60, 190, size).astype(np.uint8).tobytes() for _ in range(count)]
