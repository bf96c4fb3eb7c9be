"""The clean plate in the sequencer: one image strip, added once and brought up to date after that."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .places import at_number
from .request import Request

_MARK = "cleanplate"
"""Custom property of a result strip: JSON that tells what it was made from and where its files lie."""

_DAMAGE = "cleanplate_damage"
"""Custom property of a strip that shows mattes of film damage: the plate strip's name."""

_TOP_CHANNEL = 128


def is_result(strip: Any) -> bool:
    """Whether a strip is a clean plate of ours."""
    return _MARK in strip


def find(scene: Any, plate: str) -> Any:
    """Return the clean plate of a plate strip, None where there is none."""
    return next(iter(_all_of(scene, plate)), None)


@dataclass(frozen=True)
class Made:
    """What a clean plate's strip knows of its files.

    Attributes:
        strip: it.
        plate: its plate strip's name.
        folder: of its files.
        output: their pattern.
        first, last: numbers of the files.
        shift: timeline frame minus number.
    """

    strip: Any
    plate: str
    folder: Path
    output: str
    first: int
    last: int
    shift: int

    @property
    def repaired(self) -> bool:
        """Whether it is a film whose damage was repaired, and not a plate that was filled."""
        return Path(self.output).name.startswith("repaired.")

    def file(self, frame: int) -> Path | None:
        """Return the file that is seen on a frame of the timeline; None where it is not there."""
        path = at_number(self.output, frame - self.shift)
        return path if frame - self.shift in range(self.first, self.last + 1) and path.is_file() else None


def made(scene: Any, plate: str) -> Made | None:
    """Return what was made of a plate strip; None where nothing was."""
    strip = find(scene, plate)
    told = {} if strip is None else _told(strip)
    folder = None if strip is None else folder_of(strip)
    try:
        first, last, shift = told["frames"]
        name = str(told["output"])
    except (KeyError, TypeError, ValueError):
        return None
    if folder is None:
        return None
    return Made(strip, plate, folder, str(folder / name.partition(".")[0] / name), first, last, shift)


def sources_of(scene: Any, chosen: list[Any]) -> tuple[Any, Any] | None:
    """Return the strips that the only chosen clean plate, or else the active one, was made from.

    The matte is None where film damage was looked for.
    """
    known = {strip.name: strip for strip in compat.all_strips(scene)}
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    made = [strip for strip in chosen if is_result(strip)]
    if not made and active is not None and is_result(active):
        made = [active]
    if len(made) != 1:
        return None
    told = _told(made[0])
    plate, matte = known.get(told.get("plate", "")), known.get(told.get("matte", ""))
    if plate is None or (matte is None and told.get("matte")):
        return None
    return plate, matte


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


def place_damage(scene: Any, request: Request) -> Any:
    """Show mattes of film damage: a strip above the plate, in place of an earlier one; returns it."""
    for strip in compat.all_strips(scene):
        if strip.get(_DAMAGE) == request.plate_strip:
            compat.top_strips(strip.parent_meta() or scene.sequence_editor).remove(strip)
    names = [at_number(request.output, n).name for n in range(request.first, request.last + 1)]
    strip = _add(scene, request, names)
    strip.name = f"{request.plate_strip} damage"
    strip.blend_type = "SCREEN"
    if compat.data_space(strip.colorspace_settings):
        strip.colorspace_settings.name = compat.data_space(strip.colorspace_settings)
    strip[_DAMAGE] = request.plate_strip
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
        "folder": as_blender_writes(request.folder),
        "output": Path(request.output).name,
        "frames": [request.first, request.last, request.shift],
    }


def _add(scene: Any, request: Request, names: list[str]) -> Any:
    by_name = {strip.name: strip for strip in compat.all_strips(scene)}
    beside = compat.top_strips(by_name[request.plate_strip].parent_meta() or scene.sequence_editor)
    frames = range(request.first + request.shift, request.last + request.shift + 1)
    sources = request.plate_strip, request.matte_strip or request.plate_strip
    above = max(by_name[name].channel for name in sources)
    strip = beside.new_image(
        name=f"{request.plate_strip} clean",
        filepath=as_blender_writes(Path(request.output).parent / names[0]),
        channel=free_channel(scene.sequence_editor.channels, beside, frames, above + 1),
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
    compat.untrim(strip)
    while len(strip.elements) > 1:
        strip.elements.pop(index=len(strip.elements) - 1)
    strip.directory = as_blender_writes(Path(request.output).parent) + "/"
    strip.elements[0].filename = names[0]
    for name in names[1:]:
        strip.elements.append(name)
    compat.untrim(strip)
    compat.start_at(strip, request.first + request.shift)
    _match(strip, request)


def as_blender_writes(path: Path) -> str:
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


def free_channel(channels: Any, strips: Any, frames: range, lowest: int) -> int:
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
