"""A frame of the clean plate painted over by hand in the Image Editor, and taken back as a reference frame.

The frame is copied to `reference/ref.1012.exr` and opened there. The next Inpaint saves what was painted. A
copy that nobody has painted on is removed again: it would count, whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import bpy

from . import result
from .problem import InpaintError
from .result import Made

_MARK = "cleanplate_reference"
"""Custom property of an image: JSON with the plate strip's name and the hash of the copy as it was made."""


def open_frame(made: Made, frame: int, given: str) -> tuple[Any, str]:
    """Open a frame of a clean plate as an image to be painted on.

    Args:
        made: the clean plate.
        frame: of the timeline.
        given: the setting of reference frames: a folder, or empty for the clean plate's own.

    Returns:
        the image, and the folder of reference frames as Blender writes it.

    Raises InpaintError when there is no such frame, or it can't be painted on.
    """
    if made.repaired:
        raise InpaintError("A repaired film is not painted on: matte what is left, and remove it.")
    source = made.file(frame)
    if source is None:
        raise InpaintError(f"There is no clean plate of frame {frame} to paint on; press Inpaint first.")
    folder = Path(bpy.path.abspath(given.strip())) if given.strip() else made.folder / "reference"
    if folder.suffix and not folder.is_dir():
        raise InpaintError(f"Reference Frames names files, {given}; name a folder, or nothing.")
    target = folder / f"ref.{frame - made.shift:04d}{source.suffix}"
    try:
        image = _opened(made, source, target)
    except (OSError, RuntimeError) as error:
        raise InpaintError(f"{target} can't be opened to be painted on: {error}") from None
    return image, result.as_blender_writes(folder)


def save_all(plate: str) -> None:
    """Save what was painted for a plate strip, and remove copies that are as they were.

    Raises InpaintError when a picture can't be saved.
    """
    for image in bpy.data.images:
        told = _told(image)
        if told.get("plate") != plate:
            continue
        path = Path(bpy.path.abspath(image.filepath))
        try:
            if image.is_dirty:
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save()
            elif path.is_file() and _hash(path) == told.get("copy"):
                path.unlink()
        except (OSError, RuntimeError) as error:
            raise InpaintError(f"What was painted can't be saved to {path}: {error}") from None


def show(context: Any, image: Any) -> bool:
    """Show an image in an Image Editor, ready to be painted on; returns whether there is one."""
    space = _editor(context)
    if space is None:
        return False
    space.image = image
    space.ui_mode = "PAINT"
    return True


def _opened(made: Made, source: Path, target: Path) -> Any:
    known = [image for image in bpy.data.images if _is_of(image, target)]
    if known and (known[0].is_dirty or target.is_file()):
        return known[0]
    fresh = not target.is_file()
    if fresh:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    if known:
        known[0].reload()
        image = known[0]
    else:
        image = bpy.data.images.load(str(target))
    if image.type == "MULTILAYER" or not image.size[0]:
        bpy.data.images.remove(image)
        if fresh:
            target.unlink()
        raise InpaintError(
            f"{source.name} has layers, which Blender can't paint on. Paint the frame in another program, "
            "and name its folder as Reference Frames."
        )
    _match(image, made.strip)
    # Kept with the file, so that the painter finds it again.
    image.use_fake_user = True
    copy = _hash(target) if fresh else _told(image).get("copy", "")
    image[_MARK] = json.dumps({"plate": made.plate, "copy": copy}, ensure_ascii=False)
    return image


def _is_of(image: Any, path: Path) -> bool:
    return _MARK in image and Path(bpy.path.abspath(image.filepath)) == path


def _match(image: Any, strip: Any) -> None:
    """Let Blender read the file as it reads the clean plate's."""
    with contextlib.suppress(TypeError):  # a space that this Blender does not have
        image.colorspace_settings.name = strip.colorspace_settings.name
    image.alpha_mode = strip.alpha_mode


def _told(image: Any) -> dict[str, Any]:
    try:
        told = json.loads(image.get(_MARK, "{}"))
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _editor(context: Any) -> Any:
    """Return an Image Editor: one that is there, else one in a window of its own."""
    manager = context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                return area.spaces.active
    if bpy.app.background:
        return None
    bpy.ops.wm.window_new()
    area = manager.windows[-1].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    return area.spaces.active
