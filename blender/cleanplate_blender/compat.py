"""What differs between the versions of Blender, 4.2 to 5.x, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def scene_of(context: Any) -> Any:
    """Return the scene whose strips the sequencer shows; from 5.0 on it need not be the window's."""
    return getattr(context, "sequencer_scene", None) or context.scene


def show_scene(scene: Any) -> None:
    """Make a scene the one that operators work on."""
    window = bpy.context.window or next(iter(bpy.context.window_manager.windows), None)
    if window is None:
        return
    window.scene = scene
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene


def top_strips(owner: Any) -> Any:
    """Return the strips of a sequence editor or a meta strip, without those inside meta strips."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def all_strips(scene: Any) -> list[Any]:
    """Return every strip of a scene, also those inside meta strips."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def shown_strips(scene: Any) -> list[Any]:
    """Return the strips that the sequencer shows: those of the meta strip that was entered, if one was."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(top_strips(editor.meta_stack[-1] if len(editor.meta_stack) else editor))


def strips_property() -> str:
    """Return the name of the sequence editor's collection of all strips, for a search field."""
    return "strips_all" if "strips_all" in bpy.types.SequenceEditor.bl_rna.properties else "sequences_all"


def span(strip: Any) -> range:
    """Return the timeline frames on which a strip is seen."""
    if hasattr(strip, "left_handle"):
        return range(int(strip.left_handle), int(strip.right_handle))
    return range(int(strip.frame_final_start), int(strip.frame_final_end))


def content_start(strip: Any) -> int:
    """Return the timeline frame of the first frame of a strip's content, seen or trimmed away."""
    start: float = strip.content_start if hasattr(strip, "content_start") else strip.frame_start
    return round(start)


def move(strip: Any, frames: int) -> None:
    """Move a strip along the timeline; an effect strip goes with those that it is made from."""
    if not frames or getattr(strip, "input_1", None) is not None:
        return
    start_at(strip, content_start(strip) + frames)


def reads_layers() -> bool:
    """Whether the sequencer reads OpenEXR files with layers: 4.2 crashes on them, 4.3 and 4.4 are untried."""
    return bool(bpy.app.version >= (4, 5, 0))


def start_at(strip: Any, frame: int) -> None:
    """Put the first frame of a strip's content on a frame of the timeline."""
    setattr(strip, "content_start" if hasattr(strip, "content_start") else "frame_start", frame)


def untrim(strip: Any) -> None:
    """Show all of a strip's content."""
    newer = hasattr(strip, "left_handle_offset")
    for name in (
        ("left_handle_offset", "right_handle_offset")
        if newer
        else (
            "frame_offset_start",
            "frame_offset_end",
        )
    ):
        setattr(strip, name, 0)


def refresh(strip: Any) -> None:
    """Let Blender look at a strip's files again."""
    for element in strip.elements:
        # Setting a file's name, also to what it is, makes Blender forget what it has in memory.
        element.filename = element.filename
    for kind in ("RAW", "COMPOSITE"):
        strip.invalidate_cache(kind)


def working_space() -> str:
    """Return the name of the color space that Blender works and writes OpenEXR files in: its scene-linear."""
    if hasattr(bpy.data, "colorspace"):
        return str(bpy.data.colorspace.working_space)
    # Before 5.0 it is the configuration's, which is what pictures of floats are taken for.
    image = bpy.data.images.new("Cleanplate", 1, 1, float_buffer=True)
    try:
        return str(image.colorspace_settings.name)
    finally:
        bpy.data.images.remove(image)


def data_space(settings: Any) -> str:
    """Return the color space of `settings` that leaves values as they are; empty where there is none."""
    known = [item.identifier for item in settings.bl_rna.properties["name"].enum_items]
    return next((name for name in ("Non-Color", "Raw", "raw", "Utility - Raw", "Data") if name in known), "")


def set_exr(settings: Any, *, depth: str, alpha: bool) -> None:
    """Set image settings to losslessly compressed OpenEXR."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "OPEN_EXR"
    settings.color_depth = depth
    settings.color_mode = "RGBA" if alpha else "RGB"
    settings.exr_codec = "ZIP"
    settings.color_management = "FOLLOW_SCENE"
    settings.use_preview = False


def animated_paths(scene: Any) -> Iterator[tuple[Any, Any]]:
    """Return the animation curves of a scene, each with the collection it can be removed from."""
    animation = scene.animation_data
    if animation is None:
        return
    yield from [(curve, animation.drivers) for curve in animation.drivers]
    action = animation.action
    if action is None:
        return
    bags = [
        bag
        for layer in getattr(action, "layers", ())
        for strip in layer.strips
        for bag in getattr(strip, "channelbags", ())
    ]
    # Before 4.4 actions have no layers that can be used, and are bags themselves.
    for bag in bags or [action]:
        yield from [(curve, bag.fcurves) for curve in getattr(bag, "fcurves", ())]


def animated_property(curve: Any, strip: Any) -> str:
    """Return the property of a strip that a curve animates, such as ``transform.scale_x``; else nothing."""
    for name in ("strips_all", "sequences_all"):
        prefix = f'sequence_editor.{name}["{bpy.utils.escape_identifier(strip.name)}"].'
        if curve.data_path.startswith(prefix):
            return str(curve.data_path[len(prefix) :])
    return ""
