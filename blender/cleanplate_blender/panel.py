"""The panel in the sequencer's sidebar."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from . import compat, preview, read, result, running
from .catalog import choice, presets
from .problem import InpaintError
from .properties import DETECT, REPAIR

_CHARACTERS_A_LINE = 44
_FINDINGS = 5


def draw(self: Any, context: Any) -> None:
    """Draw the panel."""
    layout = self.layout
    scene = compat.scene_of(context)
    if scene is None or scene.sequence_editor is None:
        layout.label(text="Add a plate and a matte strip first")
        return
    plate = _draw_strips(layout, context, scene)
    _draw_settings(layout, scene.cleanplate)
    _draw_job(layout)
    made = None if plate is None or running.state.job is not None else result.made(scene, plate.name)
    if made is not None:
        _draw_looks(layout, made)
    elif plate is not None and running.state.job is None and scene.cleanplate.mode not in (REPAIR, DETECT):
        layout.operator("cleanplate.check_result", text="Check before Rendering", icon="VIEWZOOM")
    _draw_message(layout)


def make_panel() -> type:
    """Return the panel's class."""
    return type(
        "CLEANPLATE_PT_inpaint",
        (bpy.types.Panel,),
        {
            "bl_label": "Inpaint",
            "bl_space_type": "SEQUENCE_EDITOR",
            "bl_region_type": "UI",
            "bl_category": "Cleanplate",
            "__doc__": "Plate, matte, settings and buttons.",
            "draw": draw,
        },
    )


def _draw_strips(layout: Any, context: Any, scene: Any) -> Any:
    """Draw what plate and matte are; returns the plate, None where that can't be told."""
    wishes = scene.cleanplate
    repair = wishes.mode in (REPAIR, DETECT)
    column = layout.column(align=True)
    column.prop(wishes, "mode", text="")
    for name in ("plate", "matte") if repair else ("plate", "matte", "shadow"):
        column.prop_search(wishes, name, scene.sequence_editor, compat.strips_property(), icon="SEQUENCE")
    try:
        plate, matte = read.chosen(context, wishes.plate, wishes.matte, repair=repair)
    except InpaintError as error:
        _draw_text(layout, str(error), "INFO")
        return None
    row = layout.row()
    if matte is None:
        row.label(text=plate.name)
        return plate
    row.label(text=f"{plate.name}  {'where' if repair else 'minus'}  {matte.name}")
    row.operator("cleanplate.swap", text="", icon="ARROW_LEFTRIGHT")
    return plate


def _draw_settings(layout: Any, wishes: Any) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(wishes, "range")
    if wishes.mode in (REPAIR, DETECT):
        for name in ("sensitivity", "matte_from", "use_invert", "color", "folder"):
            column.prop(wishes, name)
        return
    for name in ("matte_from", "use_invert", "grow", "feather", "quality"):
        column.prop(wishes, name)
    looks = column.column()
    looks.enabled = "propagate" not in presets(choice(wishes.quality))
    looks.prop(wishes, "use_real_pixels")
    frames = looks.row()
    frames.enabled = wishes.use_real_pixels
    frames.prop(wishes, "search_frames")
    for name in ("paint", "reference", "use_patch", "use_grain", "color", "model", "device", "folder"):
        column.prop(wishes, name)


def _draw_job(layout: Any) -> None:
    job = running.state.job
    if job is None:
        row = layout.row()
        row.scale_y = 1.4
        row.operator("cleanplate.inpaint", icon="BRUSH_DATA")
        layout.operator("cleanplate.inpaint", text="Update from Current Frame").from_current = True
        return
    icon = 0 if job.newest is None else preview.icon_of(job.newest)
    if icon:
        layout.template_icon(icon_value=icon, scale=8)
    layout.progress(text=job.text, factor=job.fraction)
    layout.operator("cleanplate.cancel", icon="CANCEL")


def _draw_looks(layout: Any, made: result.Made) -> None:
    """Draw what can be done with a clean plate that is there."""
    row = layout.row(align=True)
    row.operator_menu_enum("cleanplate.show", "view", text="Show", icon="HIDE_OFF")
    row.operator("cleanplate.check_result", icon="VIEWZOOM")
    row.operator("cleanplate.review", icon="URL")
    if not made.repaired:
        row = layout.row(align=True)
        row.operator("cleanplate.paint_frame", icon="TPAINT_HLT")
        row.operator("cleanplate.patch_strip", icon="IMAGE_ALPHA")


def _draw_message(layout: Any) -> None:
    state = running.state
    if not state.message:
        return
    box = layout.box()
    _draw_text(box, state.message, "ERROR" if state.failed else "CHECKMARK")
    for finding in state.findings[:_FINDINGS]:
        _draw_text(box, finding.text, "INFO")
        if finding.frame is not None:
            go = box.operator("cleanplate.go_to_frame", text=f"Go to Frame {finding.frame}", icon="PLAY")
            go.frame = finding.frame
    if state.log is not None:
        row = box.row(align=True)
        row.operator("cleanplate.open_folder", icon="FILE_FOLDER")
        row.operator("cleanplate.open_log", icon="TEXT")


def _draw_text(layout: Any, text: str, icon: str) -> None:
    """Draw a text in lines: Blender's labels have one only."""
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, _CHARACTERS_A_LINE)):
        column.label(text=line, icon="BLANK1" if index else icon)
