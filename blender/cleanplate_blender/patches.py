"""The fill alone as a strip over the plate, so that it can be graded, blurred or masked."""

from __future__ import annotations

from typing import Any

from . import compat
from .places import Places, at_number
from .problem import InpaintError
from .result import Made, as_blender_writes, free_channel

_MARK = "cleanplate_patch"
"""Custom property of such a strip: the plate strip's name."""


def lay(scene: Any, made: Made) -> Any:
    """Lay the patch over the plate, in place of the clean plate, which is muted; returns its strip.

    One that is there already keeps what was done to it.

    Raises InpaintError when no patch was written.
    """
    pattern = Places(made.folder).pattern("patch")
    files = [at_number(pattern, number) for number in range(made.first, made.last + 1)]
    if not all(file.is_file() for file in files):
        raise InpaintError("There is no patch of every frame: switch Patch on, and press Inpaint.")
    made.strip.mute = True
    there = [strip for strip in _all_of(scene, made.plate) if len(strip.elements) == len(files)]
    if there:
        compat.refresh(there[0])
        return there[0]
    beside = compat.top_strips(made.strip.parent_meta() or scene.sequence_editor)
    frames = range(made.first + made.shift, made.last + made.shift + 1)
    strip = beside.new_image(
        name=f"{made.plate} patch",
        filepath=as_blender_writes(files[0]),
        channel=free_channel(scene.sequence_editor.channels, beside, frames, made.strip.channel + 1),
        frame_start=frames.start,
        fit_method="ORIGINAL",
    )
    for file in files[1:]:
        strip.elements.append(file.name)
    strip.blend_type = "ALPHA_OVER"
    strip.alpha_mode = "PREMUL"
    strip.colorspace_settings.name = made.strip.colorspace_settings.name
    strip.select = False
    strip[_MARK] = made.plate
    return strip


def is_patch(strip: Any) -> bool:
    """Whether a strip is a patch of ours."""
    return _MARK in strip


def refresh(scene: Any, plate: str) -> None:
    """Let Blender look at the files of a plate's patches again."""
    for strip in _all_of(scene, plate):
        compat.refresh(strip)


def _all_of(scene: Any, plate: str) -> list[Any]:
    return [strip for strip in compat.all_strips(scene) if strip.get(_MARK) == plate]
