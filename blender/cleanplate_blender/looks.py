"""What the buttons call that look at a clean plate which is there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import bpy

from . import compat, painted, patches, preferences, read, result, running, views
from .aside import Aside
from .command import environment
from .findings import found
from .places import Places
from .prepare import prepare
from .problem import InpaintError
from .properties import DEFAULTS, DETECT, REPAIR, settings

_FAULTS = 9
"""The core's exit code where it has found faults."""


def check_result(self: Any, context: Any) -> set[str]:
    """Say what is wrong with the clean plate, or with the shot before there is one, and on which frame."""

    def begin() -> tuple[running.Work, running.Ending]:
        wishes = compat.scene_of(context).cleanplate
        if wishes.mode not in (REPAIR, DETECT) and made_or_none(context) is None:
            asked = {name: getattr(wishes, name) for name in settings(DEFAULTS)}
            return prepare(context, asked, looks_only=True), lambda job: str(job.done)
        made = made_of(context)

        def ending(job: Aside) -> str:
            job.findings = found(job.told, made.shift)
            return "Checked:" if job.findings else "Checked: no faults."

        return _aside(context, made, "Checking", ["qc"], also_fine=(_FAULTS,)), ending

    return running.run(self, begin)


def show(self: Any, context: Any) -> set[str]:
    """Look at the plate, at what was changed, or at where the pixels come from."""
    scene, view = compat.scene_of(context), self.view
    if not views.needs_pictures(view):
        try:
            made = made_of(context)
            views.show(scene, made, view, made.folder, [])
        except InpaintError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        running.state.message, running.state.failed = f"Shown: {view.lower()}.", False
        return {"FINISHED"}
    # Blender may have made the scene anew until the pictures are there.
    name, kept = scene.name, running.state.findings

    def begin() -> tuple[Aside, running.Ending]:
        made = made_of(context)
        plate, folder = made.plate, Places(made.folder).views

        def ending(job: Aside) -> str:
            shown = bpy.data.scenes.get(name)
            now = None if shown is None else result.made(shown, plate)
            if now is None:
                raise InpaintError(f"The clean plate of '{plate}' is gone.")
            views.show(shown, now, view, folder, job.told["views"])
            job.findings = kept
            return f"Shown: {view.lower()}. Show > Result leads back."

        return _aside(context, made, "Making pictures", ["review", "--views", str(folder)]), ending

    return running.run(self, begin)


def paint_frame(self: Any, context: Any) -> set[str]:
    """Open this frame of the clean plate in the Image Editor; paint, and press Inpaint."""
    scene = compat.scene_of(context)
    wishes = scene.cleanplate
    try:
        image, folder = painted.open_frame(made_of(context), scene.frame_current, wishes.reference)
    except InpaintError as error:
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    wishes.reference = folder
    painted.show(context, image)
    self.report({"INFO"}, "Paint in the Image Editor, then press Inpaint.")
    return {"FINISHED"}


def patch_strip(self: Any, context: Any) -> set[str]:
    """Lay the fill alone over the plate as a strip of its own, to be graded, blurred or masked."""
    try:
        patches.lay(compat.scene_of(context), made_of(context))
    except InpaintError as error:
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def go_to_frame(self: Any, context: Any) -> set[str]:
    """Go to the frame that this is about."""
    compat.scene_of(context).frame_set(self.frame)
    return {"FINISHED"}


def made_of(context: Any) -> result.Made:
    """Return the clean plate of the chosen plate. Raises InpaintError when there is none."""
    made = made_or_none(context)
    if made is None:
        raise InpaintError("There is no clean plate yet; press Inpaint.")
    return made


def made_or_none(context: Any) -> result.Made | None:
    """Return the clean plate of the chosen plate; None for none. Raises InpaintError where none is chosen."""
    scene = compat.scene_of(context)
    wishes = scene.cleanplate
    plate, _ = read.chosen(context, wishes.plate, wishes.matte, repair=wishes.mode in (REPAIR, DETECT))
    return result.made(scene, plate.name)


def open_log(self: Any, context: Any) -> set[str]:
    """Open the last log as Blender opens any file."""
    log = _log(context)
    if log is None or not log.is_file():
        self.report({"ERROR"}, "There is no log yet.")
        return {"CANCELLED"}
    return set(bpy.ops.wm.path_open(filepath=str(log)))


def open_folder(self: Any, context: Any) -> set[str]:
    """Open the folder of the last clean plate."""
    log = _log(context)
    if log is None:
        self.report({"ERROR"}, "Nothing was inpainted yet.")
        return {"CANCELLED"}
    return set(bpy.ops.wm.path_open(filepath=str(log.parent.parent)))


def review(self: Any, context: Any) -> set[str]:
    """Make a page of the last clean plate for the browser, and open it."""
    log = _log(context)
    job = None if log is None else log.with_name("job.json")
    if log is None or job is None or not job.is_file():
        self.report({"ERROR"}, "Nothing was inpainted yet.")
        return {"CANCELLED"}
    try:
        words = [*preferences.command(context), "review", "--job", str(job), "--open", "--quiet"]
        with log.open("ab") as said:
            subprocess.Popen(
                words, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )
    except (InpaintError, OSError) as error:
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    self.report({"INFO"}, "The review page opens when it is made; if it does not, see the log.")
    return {"FINISHED"}


def _aside(
    context: Any, made: result.Made, text: str, words: list[str], also_fine: tuple[int, ...] = ()
) -> Aside:
    """Call the core on the job of a clean plate. Raises InpaintError."""
    places = Places(made.folder)
    if not places.job_file.is_file():
        raise InpaintError(f"{places.job_file} is gone; press Inpaint again.")
    return Aside(
        made.plate,
        text,
        [*preferences.command(context), *words, "--job", str(places.job_file), "--json", "--quiet"],
        environment(),
        places.log,
        own_group=not bpy.app.background,
        also_fine=also_fine,
    )


def _log(context: Any) -> Path | None:
    """Return the log of the chosen plate's clean plate, else the last one; None for none."""
    try:
        return Places(made_of(context).folder).log
    except (AttributeError, InpaintError):
        return running.state.log
