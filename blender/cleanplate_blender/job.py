"""One inpaint from beginning to end, a step at a time, without ever waiting: whoever owns it polls it.

    export   a child Blender renders plate and matte from a copy of the file
    plan     the core says what is new or has changed
    fill     the core fills that

To look at a shot only, the core probes it once it is exported.

Knows nothing of bpy.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Generator
from pathlib import Path

from .child import Child
from .findings import Finding, in_timeline, warned
from .follow import Event, Follower
from .places import Places, at_number
from .problem import Cancelled, InpaintError
from .request import Request

PATIENCE_SECONDS = 90.0
"""How long the core may take to save its state when it is cancelled."""

Steps = Generator[None, None, None]

_STOPPED = (130, 143)
_MODES = {"start": "--resume", "resume": "--resume", "overwrite": "--overwrite"}


class Job:
    """One inpaint; job.json and export.json are written and the copy of the file is saved.

    Args:
        request: what is asked for.
        core: the words that start `cleanplate`.
        core_env: its environment.
        blender: the words that start the child Blender; the path of export.json is added.
        own_group: see `Child`.
        looks_only: nothing is filled; the core says what it would warn of.

    Attributes:
        text: what it is at, for the artist.
        fraction: how much of that is done, 0..1.
        done: what was done, a sentence, once it has ended well.
        error: why it ended otherwise.
        findings: what the core warned of.
        newest: the last frame that is written, while it fills.
    """

    def __init__(
        self,
        request: Request,
        core: list[str],
        core_env: dict[str, str],
        blender: list[str],
        *,
        own_group: bool,
        looks_only: bool = False,
    ) -> None:
        self._looks_only = looks_only
        self.request = request
        self.text = "Starting"
        self.fraction = 0.0
        self.done = ""
        self.error: InpaintError | None = None
        self._core = core
        self._core_env = core_env
        self._blender = blender
        self._own_group = own_group
        self._child: Child | None = None
        self.findings: list[Finding] = []
        self.newest: Path | None = None
        self._cancelled = False
        self._frames = False
        self._deadline: float | None = None
        self._steps = self._run()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.done and self.error is None

    def poll(self) -> bool:
        """Go on as far as that takes no waiting; returns whether it is still running."""
        if self.running:
            try:
                next(self._steps)
            except StopIteration:
                self._clean_up()
            except InpaintError as error:
                self._end(error)
            except OSError as error:
                self._end(InpaintError(f"{error.filename}: {error.strerror}", self._places.log))
        return self.running

    def cancel(self) -> None:
        """Ask it to stop; what was filled stays, and the next inpaint goes on from there."""
        self._cancelled = True

    def stop(self) -> None:
        """Stop at once, and wait until its process has ended."""
        if self.running:
            self._end(Cancelled("Stopped.", self._places.log))

    @property
    def subject(self) -> str:
        """The plate strip's name."""
        return self.request.plate_strip

    @property
    def log(self) -> Path:
        """Where its processes say more."""
        return self._places.log

    @property
    def _verb(self) -> str:
        if self.request.detect:
            return "Searched"
        return "Repaired" if self.request.repair else "Filled"

    @property
    def _places(self) -> Places:
        return self.request.places

    def _end(self, error: InpaintError) -> None:
        self.error = error
        self._steps.close()
        self._clean_up()

    def _clean_up(self) -> None:
        if self._child is not None:
            self._child.kill()
        for path in (self._places.blend_copy, self._places.cancel_file):
            with contextlib.suppress(OSError):
                path.unlink()

    def _run(self) -> Steps:
        if self.request.parts:
            yield from self._export()
        if self._looks_only:
            yield from self._probe()
            return
        planned = yield from self._plan()
        why = in_timeline("; ".join(planned["reasons"]), self.request.shift)
        if planned["action"] == "occupied":
            raise InpaintError(f"{why}. Choose another folder, or remove them.", self._places.log)
        if planned["action"] == "nothing":
            self.done = f"Nothing to do: {why}."
            return
        yield from self._fill(planned)
        warnings = "".join(f" Warning: {each.text}" for each in self.findings)
        self.done = f"{self._verb} {_frames(planned)}: {why}.{warnings}"

    def _export(self) -> Steps:
        self._say("Opening a copy of the file", 0)
        follower = Follower(self._places.export_progress)
        child = self._start([*self._blender, str(self._places.export_file)], None, None)
        ends: list[Event] = []

        def on_event(event: Event) -> None:
            if event["event"] == "frame":
                done, total = event["done"], event["total"]
                self._say(f"Rendering the {event['kind']} {done}/{total}", done / total)
            else:
                ends.append(event)

        yield from self._watch(child, follower, on_event, self._stop_now)
        if not ends or ends[-1]["event"] != "done":
            why = ends[-1]["message"] if ends else child.last_words() or "it ended unexpectedly"
            raise InpaintError(f"Blender could not render plate and matte: {why}", self._places.log)

    def _probe(self) -> Steps:
        self._say("Looking at the shot", 0)
        told = self._places.job / "told.json"
        words = ["probe", "--job", str(self._places.job_file), "--json"]
        child = self._start([*self._core, *words], self._core_env, told)
        yield from self._watch(child, Follower(self._places.plan), lambda event: None, self._stop_now)
        try:
            report = json.loads(told.read_text("utf-8"))
        except ValueError:
            raise self._failure(child, "") from None
        shift = self.request.shift
        stops = [report["problem"]["message"]] if report["problem"] else []
        warnings = [warning["message"] for warning in report["warnings"]]
        self.findings = [warned(message, shift) for message in (*stops, *warnings)]
        self.done = "Before you render:" if self.findings else "Looked at: nothing speaks against a render."

    def _plan(self) -> Generator[None, None, Event]:
        self._say("Looking at what has changed", 0)
        follower = Follower(self._places.plan)
        words = ["render", "--job", str(self._places.job_file), "--dry-run", "--progress", "json"]
        child = self._start([*self._core, *words], self._core_env, self._places.plan)
        told: list[Event] = []

        def on_event(event: Event) -> None:
            self._say_phase(event)
            if event["event"] == "plan":
                told.append(event)

        yield from self._watch(child, follower, on_event, self._stop_now)
        if child.exit_code():
            raise self._failure(child, "")
        if not told:
            raise InpaintError("The core did not say what it would render.", self._places.log)
        return told[-1]

    def _fill(self, planned: Event) -> Steps:
        self._say(f"Filling {_frames(planned)}", 0)
        with contextlib.suppress(FileNotFoundError):
            self._places.cancel_file.unlink()
        follower = Follower(self._places.progress)
        mode = _MODES[planned["action"]]
        words = ["render", "--job", str(self._places.job_file), mode, "--progress", "none"]
        child = self._start([*self._core, *words], self._core_env, None)
        failed: list[str] = []

        def on_event(event: Event) -> None:
            self._say_phase(event)
            if event["event"] == "frame":
                self._frames = True
                self._see(event["frame"])
                self._say(filling(event), event["done"] / event["total"])
            elif event["event"] == "error":
                failed.append(str(event["message"]))
            elif event["event"] == "note" and event.get("code"):
                self.findings.append(warned(event["message"], self.request.shift))

        yield from self._watch(child, follower, on_event, self._stop_patiently)
        if child.exit_code():
            raise self._failure(child, failed[-1] if failed else "")

    def _watch(
        self,
        child: Child,
        follower: Follower,
        on_event: Callable[[Event], None],
        on_cancel: Callable[[Child], None],
    ) -> Steps:
        """Pass events on until the process has ended; `on_cancel` is called as long as it ought to stop."""
        ended = False
        while not ended:
            # Asked before the events are read: those it sent last are there then.
            ended = child.exit_code() is not None
            for event in follower.events():
                on_event(event)
            if self._cancelled and not ended:
                on_cancel(child)
            if not ended:
                yield

    def _stop_now(self, child: Child) -> None:
        child.kill()
        raise Cancelled("Stopped before anything was filled.", self._places.log)

    def _stop_patiently(self, child: Child) -> None:
        """Let the core save its state; kill it when that takes too long."""
        if self._deadline is None:
            self._deadline = time.monotonic() + PATIENCE_SECONDS
            self._places.cancel_file.touch()
        self.text = "Stopping"
        if time.monotonic() > self._deadline:
            child.kill()

    def _failure(self, child: Child, told: str) -> InpaintError:
        code = child.exit_code()
        if code in _STOPPED or self._cancelled:
            return Cancelled(told or "Stopped.", self._places.log)
        why = told or child.last_words() or f"The core ended unexpectedly (exit code {code})."
        return InpaintError(why, self._places.log)

    def _start(self, words: list[str], env: dict[str, str] | None, output: Path | None) -> Child:
        self._child = Child(words, env, self._places.log, output, self._own_group)
        return self._child

    def _see(self, number: int) -> None:
        path = at_number(self.request.output, number)
        if path.is_file():
            self.newest = path

    def _say_phase(self, event: Event) -> None:
        """Show what the core is at before and between frames, and how much of it is done."""
        if event["event"] != "phase":
            return
        done, total = event["done"], event["total"]
        what = str(event["what"])
        text = what[:1].upper() + what[1:] + (f" {done}/{total}" if total else "")
        self._say(text, self.fraction if self._frames or not total else done / total)

    def _say(self, text: str, fraction: float) -> None:
        self.text, self.fraction = text, min(max(fraction, 0.0), 1.0)


def filling(event: Event) -> str:
    """Say how far the frames are, how fast they come and how long it still takes."""
    left, seconds = float(event.get("eta") or 0), float(event.get("seconds") or 0)
    fps = (event["total"] - event["done"]) / left if left else 1 / max(seconds, 1e-3)
    return f"Filling {event['done']}/{event['total']}, {fps:.1f} fps, {clock(left)} left"


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds, or hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _frames(planned: Event) -> str:
    total = planned["last"] - planned["first"] + 1
    return f"{planned['frames']} of {total} frames"
