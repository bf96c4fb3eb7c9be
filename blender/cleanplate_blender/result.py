"""The clean plate in the sequencer: one image strip, added once and brought up to date after that."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .places import at_number
from .request import Request

_MARK = "cleanplate"
"""Custom property of a result strip: JSON that tells what it was made from and where its files lie."""

_TOP_CHANNEL = 128


def is_result(strip: Any) -> bool:
    """Whether a strip is a clean plate of ours."""
    return _MARK in strip


def find(scene: Any, plate: str) -> Any:
    """Return the clean plate of a plate strip, None where there is none."""
    return next(iter(_all_of(scene, plate)), None)


def sources_of(scene: Any, chosen: list[Any]) -> tuple[Any, Any] | None:
    """Return the strips that the only chosen clean plate, or else the active one, was made from."""
    known = {strip.name: strip for strip in compat.all_strips(scene)}
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    made = [strip for strip in chosen if is_result(strip)]
    if not made and active is not None and is_result(active):
        made = [active]
    if len(made) != 1:
        return None
    told = _told(made[0])
    plate, matte = known.get(told.get("plate", "")), known.get(told.get("matte", ""))
    return None if plate is None or matte is None else (plate, matte)


def folder_of(strip: Any) -> Path | None:
    """Return the folder of a clean plate's files."""
    folder = _told(strip).get("folder")
    return Path(bpy.path.abspath(folder)) if folder else None


def place(scene: Any, request: Request) -> Any:
    """Show what was rendered: add the strip, or bring the one that is there up to date; returns it.

    An existing strip keeps what was done to it, its trims too, unless its frames are other ones now.
    """
    strip = find(scene, request.plate_strip)
    names = [at_number(request.output, n).name for n in range(request.first, request.last + 1)]
    if strip is None:
        strip = _add(scene, request, names)
    elif any(_told(strip).get(name) != value for name, value in _files(request).items()):
        _change(strip, request, names)
    strip[_MARK] = json.dumps(
        {
            "plate": request.plate_strip,
            "matte": request.matte_strip,
            **_files(request),
        },
        ensure_ascii=False,
    )
    for each in _all_of(scene, request.plate_strip):
        compat.refresh(each)
    return strip


def _all_of(scene: Any, plate: str) -> list[Any]:
    """Return the clean plates of a plate strip: several where the artist has cut it or made copies."""
    return [strip for strip in compat.all_strips(scene) if _told(strip).get("plate") == plate]


def _told(strip: Any) -> dict[str, Any]:
    try:
        told = json.loads(strip.get(_MARK, "{}"))
    except (TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _files(request: Request) -> dict[str, Any]:
    """Return what tells which files a clean plate shows, and when."""
    return {
        "folder": _as_blender_writes(request.folder),
        "output": Path(request.output).name,
        "frames": [request.first, request.last, request.shift],
    }


def _add(scene: Any, request: Request, names: list[str]) -> Any:
    by_name = {strip.name: strip for strip in compat.all_strips(scene)}
    beside = compat.top_strips(by_name[request.plate_strip].parent_meta() or scene.sequence_editor)
    frames = range(request.first + request.shift, request.last + request.shift + 1)
    above = max(by_name[name].channel for name in (request.plate_strip, request.matte_strip))
    strip = beside.new_image(
        name=f"{request.plate_strip} clean",
        filepath=_as_blender_writes(Path(request.output).parent / names[0]),
        channel=_free_channel(scene.sequence_editor.channels, beside, frames, above + 1),
        frame_start=frames.start,
        fit_method="ORIGINAL",
    )
    for name in names[1:]:
        strip.elements.append(name)
    _match(strip, request)
    strip.blend_type = by_name[request.plate_strip].blend_type
    # What is selected stays selected: pressing Inpaint again then means the same strips.
    strip.select = False
    return strip


def _change(strip: Any, request: Request, names: list[str]) -> None:
    """Point a strip at other files; its place in the timeline becomes that of the rendered frames."""
    strip.frame_offset_start = strip.frame_offset_end = 0
    while len(strip.elements) > 1:
        strip.elements.pop(index=len(strip.elements) - 1)
    strip.directory = _as_blender_writes(Path(request.output).parent) + "/"
    strip.elements[0].filename = names[0]
    for name in names[1:]:
        strip.elements.append(name)
    strip.frame_offset_start = strip.frame_offset_end = 0
    strip.frame_start = request.first + request.shift
    _match(strip, request)


def _as_blender_writes(path: Path) -> str:
    """Return a path relative to the .blend where the artist has set it so: they can be moved together."""
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        with contextlib.suppress(ValueError):  # on another drive
            return str(bpy.path.relpath(str(path)))
    return str(path)


def _match(strip: Any, request: Request) -> None:
    """Let Blender read the files as it read the plate's."""
    known = [item.identifier for item in strip.colorspace_settings.bl_rna.properties["name"].enum_items]
    if request.strip_space in known:
        strip.colorspace_settings.name = request.strip_space
    strip.alpha_mode = request.strip_alpha


def _free_channel(channels: Any, strips: Any, frames: range, lowest: int) -> int:
    """Return the lowest channel from `lowest` on with no strip on these frames, not muted, not locked."""
    taken = set()
    for strip in strips:
        seen = compat.span(strip)
        if seen.start < frames.stop and seen.stop > frames.start:
            taken.add(strip.channel)
    for channel in range(lowest, _TOP_CHANNEL + 1):
        if channel not in taken and not (channels[channel].mute or channels[channel].lock):
            return channel
    return _TOP_CHANNEL
