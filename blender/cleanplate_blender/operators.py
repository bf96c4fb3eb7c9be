"""What the buttons and scripts call."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty

from . import compat, looks, preferences, read, running, views
from .prepare import prepare
from .problem import InpaintError
from .properties import DEFAULTS, settings


def inpaint(self: Any, context: Any) -> set[str]:
    """Inpaint: beside Blender where it has a window, else before this returns."""
    return running.run(
        self, lambda: (prepare(context, _wishes(self, context), self.from_current), running.place)
    )


def cancel(self: Any, context: Any) -> set[str]:
    """Stop; what was filled stays, and the next inpaint goes on from there."""
    return {"FINISHED"} if running.cancel() else {"CANCELLED"}


def cancel_poll(cls: type, context: Any) -> bool:
    """Whether there is anything to cancel."""
    return running.state.job is not None


def swap(self: Any, context: Any) -> set[str]:
    """Exchange plate and matte."""
    try:
        wishes = compat.scene_of(context).cleanplate
        plate, matte = read.chosen(context, wishes.plate, wishes.matte)
    except InpaintError as error:
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    wishes.plate, wishes.matte = matte.name, plate.name
    return {"FINISHED"}


def check(self: Any, context: Any) -> set[str]:
    """Start cleanplate and say which version it is."""
    try:
        told = preferences.check(preferences.of(context).command)
    except InpaintError as error:
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    self.report({"INFO"}, told)
    return {"FINISHED"}


def make_operators() -> list[type]:
    """Return the operators' classes."""
    wishes = settings(DEFAULTS)
    wishes["from_current"] = BoolProperty(
        name="From Current Frame",
        options={"SKIP_SAVE"},
        description="Take plate and matte before the current frame as they were",
    )
    waits = {
        "wait": BoolProperty(
            name="Wait",
            options={"SKIP_SAVE"},
            description="Return when it is done; without a window that is always so",
        )
    }
    for options in wishes.values():
        options.keywords.setdefault("options", {"SKIP_SAVE"})
    view = EnumProperty(name="View", items=views.ITEMS)
    frame = IntProperty(name="Frame")
    return [
        _operator("inpaint", "Inpaint", inpaint, {**wishes, **waits}, has_strips),
        _operator("cancel", "Cancel", cancel, poll=cancel_poll),
        _operator("swap", "Swap Plate and Matte", swap, poll=has_strips),
        _operator("check_result", "Check", looks.check_result, waits, has_strips),
        _operator("show", "Show", looks.show, {"view": view, **waits}, has_strips, undo=True),
        _operator("paint_frame", "Paint This Frame", looks.paint_frame, poll=has_strips, undo=True),
        _operator("patch_strip", "Patch over Plate", looks.patch_strip, poll=has_strips, undo=True),
        _operator("go_to_frame", "Go to Frame", looks.go_to_frame, {"frame": frame}, has_strips),
        _operator("open_log", "Open Log", looks.open_log),
        _operator("open_folder", "Reveal Folder", looks.open_folder),
        _operator("review", "Review", looks.review),
        _operator("check", "Check cleanplate", check),
    ]


def has_strips(cls: type, context: Any) -> bool:
    """Whether there is a sequence to work on."""
    scene = compat.scene_of(context)
    return scene is not None and scene.sequence_editor is not None


def _operator(
    name: str, label: str, execute: Any, wishes: Any = None, poll: Any = None, *, undo: bool = False
) -> type:
    members = {
        "bl_idname": f"cleanplate.{name}",
        "bl_label": label,
        "bl_description": execute.__doc__.rstrip("."),
        "__doc__": execute.__doc__,
        "__annotations__": wishes or {},
        "execute": execute,
        "bl_options": {"REGISTER", "UNDO"} if undo else {"REGISTER"},
    }
    if poll is not None:
        members["poll"] = classmethod(poll)
    return type(f"CLEANPLATE_OT_{name}", (bpy.types.Operator,), members)


def _wishes(operator: Any, context: Any) -> read.Wishes:
    """Return the scene's settings with those over them that a script has given."""
    scene = compat.scene_of(context).cleanplate
    given = operator.properties
    return {
        name: getattr(operator if given.is_property_set(name) else scene, name) for name in settings(DEFAULTS)
    }
