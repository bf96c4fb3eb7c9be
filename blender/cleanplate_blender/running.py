"""The inpaint that this Blender is at, and the last thing that went wrong.

With a window a timer of Blender's polls the job: unlike a modal operator it keeps neither autosave nor other
operators waiting, and Blender is free. Without one, `wait` does it all before it returns.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from . import compat, patches, preview, result, views
from .aside import Aside
from .findings import Finding
from .job import Job
from .problem import Cancelled, InpaintError

TICK_SECONDS = 0.2


Work = Job | Aside
Ending = Callable[[Any], str]
"""Called with what has ended well: shows it and returns a sentence. May raise InpaintError."""


@dataclass
class State:
    """What the panel shows.

    Attributes:
        job: the running one.
        message: what the last one did, or why it failed.
        failed: whether it failed.
        log: the last one's log.
        findings: what it found to look at.
        ending: what is called once the running one has ended well.
    """

    job: Work | None = None
    message: str = ""
    failed: bool = False
    log: Path | None = None
    findings: list[Finding] = field(default_factory=list)
    ending: Ending | None = None


state = State()


def check_free() -> None:
    """Raise InpaintError while a job is running."""
    if state.job is not None:
        raise InpaintError(f"'{state.job.subject}' is being inpainted; wait, or cancel it.")


def begin(job: Work, ending: Ending) -> None:
    """Take a job on. Raises InpaintError while there is another."""
    check_free()
    state.job, state.message, state.failed, state.log = job, "", False, job.log
    state.findings, state.ending = [], ending


def begin_aside(job: Work, ending: Ending) -> None:
    """Take a job on and let Blender's timer poll it. Raises as `begin` does."""
    begin(job, ending)
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=TICK_SECONDS, persistent=True)


def wait(job: Work, ending: Ending) -> None:
    """Take a job on and return when it has ended. Raises InpaintError when it fails."""
    begin(job, ending)
    told = ""
    try:
        with _cancelled_by_sigterm(job) as stopped:
            while job.poll():
                if job.text != told:
                    told = job.text
                    print(f"cleanplate: {job.subject}: {told}", flush=True)
                time.sleep(TICK_SECONDS / 4)
    finally:
        job.stop()
        finish(undo=False)
    if stopped:
        signal.raise_signal(signal.SIGTERM)
    if job.error is not None:
        raise job.error


def run(operator: Any, make: Callable[[], tuple[Work, Ending]]) -> set[str]:
    """Begin what an operator asks for; wait for it where Blender has no window, or where `wait` is set.

    Args:
        operator: the pressed one.
        make: returns what is begun, and its ending; may raise InpaintError.

    Returns what an operator returns.
    """
    try:
        check_free()
        job, ending = make()
        if not bpy.app.background and not operator.wait:
            begin_aside(job, ending)
            return {"FINISHED"}
        wait(job, ending)
    except Cancelled as error:
        operator.report({"WARNING"}, str(error))
        return {"CANCELLED"}
    except InpaintError as error:
        if state.job is None:
            fail(error)
        operator.report({"ERROR"}, str(error) if error.log is None else f"{error} Log: {error.log}")
        return {"CANCELLED"}
    operator.report({"INFO"}, state.message)
    return {"FINISHED"}


def tick() -> float | None:
    """Called by Blender's timer: go on with the job; returns when to be called again, None for never."""
    try:
        return _go_on()
    except Exception as error:
        # Blender drops a timer that raises; the job must not be left without one.
        traceback.print_exc()
        stop()
        fail(InpaintError(f"This should not happen; please report it with the log: {error!r}", state.log))
        return None


def _go_on() -> float | None:
    if state.job is None:
        return None
    if state.job.poll():
        show_progress()
        return TICK_SECONDS
    finish(undo=True)
    show_progress()
    return None


def cancel() -> bool:
    """Ask the running job to stop; returns whether there is one."""
    if state.job is not None:
        state.job.cancel()
    return state.job is not None


def stop() -> None:
    """Stop the running job at once: Blender is closed, another file opened, or the extension disabled."""
    if state.job is not None:
        state.job.stop()
        state.message, state.failed, state.job = "Stopped.", False, None


def finish(*, undo: bool) -> None:
    """Show the result of a job that has ended, or say why there is none."""
    job, state.job = state.job, None
    ending, state.ending = state.ending, None
    if job is None or ending is None:
        return
    if job.error is None:
        try:
            state.message = ending(job)
            state.findings = job.findings
        except InpaintError as error:
            job.error = error
        if undo and job.error is None:
            _push_undo()
    if job.error is not None:
        state.message = str(job.error)
        state.failed = not isinstance(job.error, Cancelled)
        state.log = job.error.log or state.log


def fail(error: InpaintError) -> None:
    """Keep why a job could not even begin."""
    state.message, state.failed = str(error), True
    state.log, state.findings = error.log, []


def place(job: Job) -> str:
    """Show the clean plate that a job has made. Raises InpaintError where its strips are gone."""
    request = job.request
    scene = bpy.data.scenes.get(request.scene)
    if scene is None or scene.sequence_editor is None:
        raise InpaintError(
            f"The scene '{request.scene}' is gone; the clean plate is in {Path(request.output).parent}."
        )
    names = {strip.name for strip in compat.all_strips(scene)}
    if not {request.plate_strip, request.matte_strip or request.plate_strip} <= names:
        raise InpaintError(
            "Plate or matte strip was removed or renamed meanwhile; the clean plate is in "
            f"{Path(request.output).parent}."
        )
    if request.detect:
        result.place_damage(scene, request)
        return " ".join((job.done, *request.notes))
    result.place(scene, request)
    views.back(scene, request.plate_strip)
    patches.refresh(scene, request.plate_strip)
    return " ".join((job.done, *request.notes))


def _push_undo() -> None:
    """Make the strip a step of its own that can be undone."""
    window = bpy.context.window or next(iter(bpy.context.window_manager.windows), None)
    if window is None:
        return
    # A failure here must not cost the result.
    with contextlib.suppress(RuntimeError), bpy.context.temp_override(window=window):
        bpy.ops.ed.undo_push(message="Inpaint")


def show_progress() -> None:
    """Draw the panels anew, and say in the status bar what is going on."""
    job = state.job
    text = None if job is None else f"Cleanplate: {job.text}"
    for window in bpy.context.window_manager.windows:
        window.workspace.status_text_set(text)
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


@contextlib.contextmanager
def _cancelled_by_sigterm(job: Work) -> Iterator[list[int]]:
    """While the block runs, a farm's SIGTERM stops the job with its state saved; it is noted in the list."""
    stopped: list[int] = []

    def handle(number: int, frame: Any) -> None:
        stopped.append(number)
        job.cancel()

    try:
        before = signal.signal(signal.SIGTERM, handle)
    except ValueError:  # not in the main thread
        yield stopped
        return
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def on_load(*_: Any) -> None:
    """Another file is about to be opened: what runs belongs to this one."""
    stop()


def register() -> None:
    """See that nothing is left running."""
    atexit.register(stop)
    bpy.app.handlers.load_pre.append(on_load)


def unregister() -> None:
    """Stop what runs."""
    stop()
    atexit.unregister(stop)
    if on_load in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(on_load)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    preview.forget()
