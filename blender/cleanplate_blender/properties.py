"""What can be set: kept in the scene, shown in the panel, and given to the operator by scripts."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .catalog import FIELDS, described, items, ranged

STRIP, SHARED, PREVIEW = "STRIP", "SHARED", "PREVIEW"
BRIGHTNESS, ALPHA = "BRIGHTNESS", "ALPHA"
REMOVE, REPAIR, DETECT = "REMOVE", "REPAIR", "DETECT"

DEFAULTS: dict[str, Any] = {
    "grow": FIELDS["grow"]["default"],
    "feather": FIELDS["feather"]["default"],
    "quality": FIELDS["quality"]["default"].upper(),
    "use_real_pixels": True,
    "search_frames": FIELDS["propagate"]["default"],
    "use_grain": FIELDS["grain"]["default"] == "auto",
    "model": FIELDS["model"]["default"],
    "device": FIELDS["device"]["default"],
}
"""Settings whose default can be changed in the preferences."""


def settings(defaults: dict[str, Any]) -> dict[str, Any]:
    """Return every setting as Blender declares properties.

    Args:
        defaults: values for the keys of `DEFAULTS`.
    """
    return {
        "mode": EnumProperty(
            name="Mode",
            description="What is done to the plate",
            items=(
                (REMOVE, "Remove what is matted", "What the matte shows in white goes away"),
                (
                    REPAIR,
                    "Repair film damage",
                    "Dust, dirt, hairs and scratches are found and repaired; no matte is needed. One that is "
                    "given says what is repaired instead",
                ),
                (
                    DETECT,
                    "Find film damage",
                    "Mattes of dust, hairs and scratches in a strip above the plate; nothing is repaired",
                ),
            ),
        ),
        "plate": StringProperty(name="Plate", description="Strip that something is taken out of"),
        "matte": StringProperty(name="Matte", description="Strip that says where: white goes away"),
        "shadow": StringProperty(
            name="Shadow Matte",
            description="Strip that says where the shadow or reflection of what goes away lies, in white: "
            "filled too, but where the plate is only darkened it is made lighter and keeps its texture",
        ),
        "range": EnumProperty(
            name="Range",
            description="Frames to fill",
            items=(
                (STRIP, "Plate strip", "All frames of the plate strip"),
                (SHARED, "Plate and matte", "Frames on which both strips are seen"),
                (PREVIEW, "Preview range", "Frames of the plate strip within the preview range"),
            ),
        ),
        "matte_from": EnumProperty(
            name="Matte from",
            description="What of the matte strip says where",
            items=(
                (BRIGHTNESS, "Brightness", "The largest of red, green and blue"),
                (ALPHA, "Alpha", "The alpha channel"),
            ),
        ),
        "use_invert": BoolProperty(**described("matte_invert")),
        **tunable(defaults),
        "paint": EnumProperty(
            default=FIELDS["paint"]["default"].upper(), items=items("paint"), **described("paint")
        ),
        # Not a folder by its subtype: a pattern of files is as good.
        "reference": StringProperty(subtype="FILE_PATH", **described("reference")),
        "use_patch": BoolProperty(
            name="Patch",
            description="Write the fill alone too, premultiplied and with its alpha, into the folder 'patch' "
            "beside the clean plate's: a strip over the plate by Alpha Over, or for the compositor",
        ),
        "sensitivity": FloatProperty(
            default=FIELDS["sensitivity"]["default"],
            subtype="FACTOR",
            **described("sensitivity"),
            **ranged("sensitivity"),
        ),
        "color": StringProperty(
            name="Color Space",
            default="auto",
            description="OpenColorIO name of the space the plate is in, for how the network is shown it; "
            "auto takes what Blender says. Outside the matte nothing changes",
        ),
        "folder": StringProperty(
            name="Folder",
            subtype="DIR_PATH",
            description="Where the files go; empty: the folder 'cleanplate' beside the .blend",
        ),
    }


def tunable(defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the settings whose default the preferences can change."""
    return {
        "grow": IntProperty(default=defaults["grow"], subtype="PIXEL", **described("grow"), **ranged("grow")),
        "feather": IntProperty(
            default=defaults["feather"], subtype="PIXEL", **described("feather"), **ranged("feather")
        ),
        "quality": EnumProperty(default=defaults["quality"], items=items("quality"), **described("quality")),
        "use_real_pixels": BoolProperty(
            name="Real Pixels",
            default=defaults["use_real_pixels"],
            description="Put back what the matte hides where another frame shows it, and paint only the rest",
        ),
        "search_frames": IntProperty(
            default=defaults["search_frames"],
            # None at all is what the box above is for.
            **{**described("propagate"), **ranged("propagate"), "min": 1},
        ),
        "use_grain": BoolProperty(default=defaults["use_grain"], **described("grain")),
        "model": StringProperty(default=defaults["model"], **described("model")),
        "device": StringProperty(default=defaults["device"], **described("device")),
    }


def make_settings(defaults: dict[str, Any]) -> type:
    """Return the class of a scene's settings."""
    return type(
        "CleanplateSettings",
        (bpy.types.PropertyGroup,),
        {"__annotations__": settings(defaults), "__doc__": "What the panel shows."},
    )


def attach(group: type) -> None:
    """Give every scene the settings."""
    bpy.types.Scene.cleanplate = PointerProperty(type=group)


def detach() -> None:
    """Take them away again; what a scene was set to stays in its file."""
    del bpy.types.Scene.cleanplate
