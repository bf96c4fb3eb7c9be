"""What can be set: kept in the scene, shown in the panel, and given to the operator by scripts."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

STRIP, SHARED, PREVIEW = "STRIP", "SHARED", "PREVIEW"
BRIGHTNESS, ALPHA = "BRIGHTNESS", "ALPHA"

QUALITIES: dict[str, dict[str, object]] = {
    "DRAFT": {"working_size": 256, "propagate": 0},
    "STANDARD": {},
    "HIGH": {"working_size": 1536},
}
"""What each quality asks of the core; `STANDARD` is the core's own choice."""

DEFAULTS: dict[str, Any] = {
    "grow": 2,
    "feather": 2,
    "quality": "STANDARD",
    "use_real_pixels": True,
    "search_frames": 48,
    "use_grain": False,
    "model": "vinet",
    "device": "auto",
}
"""Settings whose default can be changed in the preferences."""


def settings(defaults: dict[str, Any]) -> dict[str, Any]:
    """Return every setting as Blender declares properties.

    Args:
        defaults: values for the keys of `DEFAULTS`.
    """
    return {
        "plate": StringProperty(name="Plate", description="Strip that something is taken out of"),
        "matte": StringProperty(name="Matte", description="Strip that says where: white goes away"),
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
        "use_invert": BoolProperty(name="Invert", description="Black goes away"),
        **tunable(defaults),
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
        "grow": IntProperty(
            name="Grow",
            default=defaults["grow"],
            min=-512,
            max=512,
            soft_min=-32,
            soft_max=64,
            subtype="PIXEL",
            description="Pixels the matte is grown by; negative shrinks it",
        ),
        "feather": IntProperty(
            name="Feather",
            default=defaults["feather"],
            min=0,
            max=512,
            soft_max=64,
            subtype="PIXEL",
            description="Pixels over which the fill blends into the plate, outside the grown matte",
        ),
        "quality": EnumProperty(
            name="Quality",
            default=defaults["quality"],
            description="How many pixels the network works on",
            items=(
                ("DRAFT", "Draft", "At most 256 x 256, and no real pixels: quick, for judging the matte"),
                ("STANDARD", "Standard", "As many as suit the device"),
                ("HIGH", "High", "Up to 1536 x 1536: for large holes; slow without a card"),
            ),
        ),
        "use_real_pixels": BoolProperty(
            name="Real Pixels",
            default=defaults["use_real_pixels"],
            description="Put back what the matte hides where another frame shows it, and paint only the rest",
        ),
        "search_frames": IntProperty(
            name="Frames",
            default=defaults["search_frames"],
            min=1,
            max=1000,
            soft_max=200,
            description="How many frames before and after each are searched for real pixels",
        ),
        "use_grain": BoolProperty(
            name="Grain",
            default=defaults["use_grain"],
            description="Give what was painted the plate's grain",
        ),
        "model": StringProperty(
            name="Model", default=defaults["model"], description="Name or path of a model bundle"
        ),
        "device": StringProperty(
            name="Device", default=defaults["device"], description="auto, cpu, cuda, or cuda:1 and so on"
        ),
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
