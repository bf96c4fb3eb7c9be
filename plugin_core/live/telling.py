"""What a stream tells while it runs, on standard error: the video has standard output.

For people a line at the start, one at the end, and between them, on a terminal, one that is renewed; for
machines JSON lines::

    {"event": "start", "width": 1920, "height": 1080, "pixels": "yuv420p", "rate": 25.0, "model": "vinet", "device": "cpu"}
    {"event": "frames", "frames": 250, "dropped": 3, "fps": 24.9, "latency_ms": 51.2, "behind": 2}
    {"event": "note", "message": "..."}
    {"event": "done", ...as frames}
    {"event": "error", "message": "...", "exit_code": 2}
"""  # noqa: E501 - a line is a line

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from ..errors import CleanplateError
from ..progress.terminal import say, say_for_now
from .meter import Meter, Pace
from .stream import Work

_RENEWED_SECONDS = 0.5
_JSON_SECONDS = 1.0


@dataclass
class Telling:
    """Tells of one stream.

    Args:
        how: ``lines``, ``json`` or ``none``.
        meter: of the stream.
        model, device: what fills, where.
    """

    how: str
    meter: Meter
    model: str
    device: str
    _next: float = 0.0

    def start(self, work: Work, rate: float | None) -> None:
        """Tell of the first frame."""
        layout = work.picture.layout
        if self.how == "json":
            self._event(
                "start",
                width=layout.width,
                height=layout.height,
                pixels=layout.pixels.name,
                rate=rate,
                model=self.model,
                device=self.device,
            )
        else:
            told = "unknown rate" if rate is None else f"{rate:.5g} fps"
            self._line(f"{layout}, {told}; model {self.model} on {self.device}")

    def note(self, message: str) -> None:
        """Tell what a person should know."""
        if self.how == "json":
            self._event("note", message=message)
        else:
            self._line(message)

    def tick(self) -> None:
        """Tell how it gets on, where that is due."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_JSON_SECONDS if self.how == "json" else _RENEWED_SECONDS)
        pace = self.meter.pace()
        if self.how == "json" and pace.frames:
            self._event("frames", **_figures(pace))
        elif self.how == "lines":
            with contextlib.suppress(OSError):
                say_for_now(_words(pace))

    def end(self, error: CleanplateError | None) -> None:
        """Tell how it went, and why it ended where that was not the last frame."""
        pace = self.meter.pace()
        if self.how == "json":
            self._event("done", **_figures(pace))
            if error is not None:
                self._event("error", message=str(error), exit_code=error.exit_code)
        elif pace.frames:
            self._line(_words(pace))

    def _line(self, text: str) -> None:
        if self.how == "lines":
            with contextlib.suppress(OSError):
                say_for_now("")
                say(f"cleanplate: {text}", stream=sys.stderr)

    def _event(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(OSError):
            say(json.dumps({"event": kind, **fields}, ensure_ascii=False), stream=sys.stderr)


def _figures(pace: Pace) -> dict[str, float]:
    return {
        "frames": pace.frames,
        "dropped": pace.dropped,
        "fps": round(pace.fps, 2),
        "latency_ms": round(pace.latency, 1),
        "behind": pace.behind,
    }


def _words(pace: Pace) -> str:
    dropped = f", {pace.dropped} dropped" if pace.dropped else ""
    speed = f", {pace.fps:.1f} fps, latency {pace.latency:.0f} ms" if pace.fps else ""
    return f"{pace.frames} frames{dropped}{speed}"
