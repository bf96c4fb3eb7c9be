"""What the artist asks for, read from the scene once and checked; nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy

from . import compat, patches, result, strips, views
from .catalog import choice, presets
from .channels import channels_of
from .pick import tell_apart
from .places import Places, at_number, default_folder, safe_name
from .problem import InpaintError
from .properties import ALPHA, DEFAULTS, DETECT, PREVIEW, REMOVE, REPAIR, SHARED
from .request import Part, Request

FIRST_NUMBER = 1001
"""Number of the file of a strip's first frame, where Blender renders it."""

_CORE_SPACES = {
    "Linear Rec.709": "linear",
    "Linear": "linear",
    "sRGB": "display",
    "ACEScg": "ACEScg",
    "ACES2065-1": "ACES2065-1",
    "Linear Rec.2020": "Linear Rec.2020",
}
"""Blender's color spaces and what the core calls them."""

_KINDS = {REMOVE: "clean", REPAIR: "repaired", DETECT: "damage"}
"""What the core writes in each mode, as `Places.pattern` calls it."""

Wishes = dict[str, Any]


def chosen(context: Any, plate: str = "", matte: str = "", *, repair: bool = False) -> tuple[Any, Any]:
    """Return the plate and the matte strip.

    Those named, else the selected ones, told apart by names and kinds; else those that the selected or active
    clean plate was made from. To `repair` no matte is needed: it may be None. Raises InpaintError.
    """
    scene = compat.scene_of(context)
    known = {strip.name: strip for strip in compat.all_strips(scene)}
    for name, kind in ((plate, "plate"), (matte, "matte")):
        if name and name not in known:
            raise InpaintError(f"There is no strip '{name}' in the scene '{scene.name}' to be the {kind}.")
    selected = [strip for strip in compat.shown_strips(scene) if strip.select and strip.type != "SOUND"]
    ours = result.is_result, views.is_view, patches.is_patch
    sources = [strip for strip in selected if not any(is_one(strip) for is_one in ours)]
    if repair and plate and not matte:
        return known[plate], None
    if not plate and not matte:
        if repair and len(sources) == 1:
            return sources[0], None
        if len(sources) == 2:
            told = tell_apart(*map(strips.candidate, sources))
            return known[told[0].name], known[told[1].name]
        made = result.sources_of(scene, selected)
        if made is not None and (repair or made[1] is not None):
            return made
        if repair:
            raise InpaintError(
                f"Select one strip, the scanned film ({len(sources)} are selected), or name it in the panel."
            )
        raise InpaintError(
            f"Select two strips, the plate and the matte ({len(sources)} are selected), or name them in the "
            "panel."
        )
    given = known[plate or matte]
    if plate and matte:
        pair = known[plate], known[matte]
    else:
        others = [strip for strip in sources if strip != given]
        if len(others) != 1:
            other = "matte" if plate else "plate"
            raise InpaintError(f"Name the {other} too, or select just that one strip.")
        pair = (given, others[0]) if plate else (others[0], given)
    if pair[0] == pair[1]:
        raise InpaintError(f"'{given.name}' can't be plate and matte at once.")
    return pair


def read_request(context: Any, wishes: Wishes, cache: str, from_frame: int | None = None) -> Request:
    """Read what is asked for.

    Args:
        context: Blender's.
        wishes: the settings, by the names of `properties.settings`.
        cache: folder for files that were never saved; absolute.
        from_frame: timeline frame before which plate and matte are taken to be as they were; None renders
            all of them.

    Raises InpaintError when something is missing or does not fit.
    """
    scene = compat.scene_of(context)
    detect = wishes["mode"] == DETECT
    repair = detect or wishes["mode"] == REPAIR
    plate, matte = chosen(context, wishes["plate"], wishes["matte"], repair=repair)
    matte = None if detect else matte
    if matte is not None:
        strips.check_together(plate, matte)
    frames = frame_range(scene, plate, matte, wishes["range"])
    strips.check(plate, "plate", frames)
    if matte is not None:
        strips.check(matte, "matte", frames)
    places = Places(folder_of(scene, plate, wishes["folder"], cache))
    plate_files = _plate_files(scene, plate, frames)
    shift = plate_files.shift if plate_files else _shift(plate, frames)
    matte_from = wishes["matte_from"]
    shadow = None if repair else _shadow(scene, wishes["shadow"], frames)
    mattes, parts = {}, []
    if plate_files is None:
        parts.append(Part("plate", plate.name, alpha=True, own_space=strips.needs_own_space(scene, plate)))
    for kind, strip in (("matte", matte), ("shadow", shadow)):
        files = None if strip is None else _matte_files(scene, strip, frames, shift, matte_from)
        mattes[kind] = "" if strip is None else files.pattern if files else places.pattern(kind)
        if strip is not None and files is None:
            parts.append(Part(kind, strip.name, alpha=matte_from == ALPHA))
    first, last = frames[0] - shift, frames[-1] - shift
    space, config = _color(wishes["color"], plate_files.space if plate_files else compat.working_space())
    extension = plate_files.extension if plate_files else ".exr"
    return Request(
        scene=scene.name,
        plate_strip=plate.name,
        matte_strip="" if matte is None else matte.name,
        folder=places.folder,
        first=first,
        last=last,
        shift=shift,
        plate=plate_files.pattern if plate_files else places.pattern("plate"),
        matte=mattes["matte"],
        output=places.pattern(_KINDS[wishes["mode"]], extension),
        colorspace=space,
        ocio_config=config,
        settings=core_settings(wishes),
        model=wishes["model"].strip() or DEFAULTS["model"],
        device=wishes["device"].strip() or DEFAULTS["device"],
        shadow=mattes["shadow"],
        reference="" if repair else _references(wishes["reference"], places),
        patch=places.pattern("patch") if wishes["use_patch"] and not repair else "",
        sources=compat.reads_layers(),
        repair=repair,
        detect=detect,
        sensitivity=round(wishes["sensitivity"], 4),
        parts=tuple(parts),
        begin=_begin(places, parts, range(first, last + 1), from_frame, shift),
        strip_space=plate_files.space if plate_files else compat.working_space(),
        strip_alpha=plate_files.alpha_mode if plate_files else "PREMUL",
        notes=_notes(plate, matte, frames),
    )


def _shadow(scene: Any, name: str, frames: range) -> Any:
    """Return the strip of that name, checked; None for no name. Raises InpaintError."""
    if not name:
        return None
    named = [strip for strip in compat.all_strips(scene) if strip.name == name]
    if not named:
        raise InpaintError(f"There is no strip '{name}' in the scene '{scene.name}' to be the shadow matte.")
    strips.check(named[0], "shadow matte", frames)
    return named[0]


def _references(given: str, places: Places) -> str:
    """Return where frames painted by hand lie; nothing where our own folder for them is still empty."""
    path = bpy.path.abspath(given.strip())
    own = path and Path(path) == places.references
    return "" if own and not (places.references.is_dir() and any(places.references.iterdir())) else path


def frame_range(scene: Any, plate: Any, matte: Any, kind: str) -> range:
    """Return the timeline frames to fill, `matte` being None for none. Raises InpaintError for no frames."""
    frames = compat.span(plate)
    matted = frames if matte is None else compat.span(matte)
    if not _common(frames, matted):
        raise InpaintError(
            f"The plate '{plate.name}' (frames {frames[0]} to {frames[-1]}) and the matte '{matte.name}' "
            f"({matted[0]} to {matted[-1]}) are never seen at the same time."
        )
    if kind == SHARED:
        return _common(frames, matted)
    if kind == PREVIEW:
        if not scene.use_preview_range:
            raise InpaintError("The scene has no preview range: set one (P), or choose another range.")
        frames = _common(frames, range(scene.frame_preview_start, scene.frame_preview_end + 1))
        if not _common(frames, matted):
            raise InpaintError(
                f"In the preview range, frames {scene.frame_preview_start} to {scene.frame_preview_end}, "
                "plate and matte are never seen at the same time."
            )
    return frames


def folder_of(scene: Any, plate: Any, given: str, cache: str) -> Path:
    """Return a plate strip's folder: one in the given folder, its clean plate's, or the usual one."""
    if given.strip():
        if given.startswith("//") and not bpy.data.filepath:
            raise InpaintError(f"The folder {given} is beside the .blend; save that first.")
        return Path(bpy.path.abspath(given)).absolute() / safe_name(plate.name)
    made = result.find(scene, plate.name)
    kept = None if made is None else result.folder_of(made)
    return kept or default_folder(bpy.data.filepath, cache, scene.name, plate.name)


def core_settings(wishes: Wishes) -> dict[str, Any]:
    """Return the core's settings that the wishes stand for."""
    quality = choice(wishes["quality"])
    frames = wishes["search_frames"] if wishes["use_real_pixels"] else 0
    return {
        "grow": wishes["grow"],
        "feather": wishes["feather"],
        "matte_invert": wishes["use_invert"],
        "matte_channel": "A" if wishes["matte_from"] == ALPHA else "auto",
        "quality": quality,
        **({} if "propagate" in presets(quality) else {"propagate": frames}),
        "grain": "auto" if wishes["use_grain"] else "off",
        "paint": choice(wishes["paint"]),
    }


def _common(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _plate_files(scene: Any, plate: Any, frames: range) -> strips.Files | None:
    files = strips.as_files(scene, plate, frames)
    if files is None or not strips.is_rgb(at_number(files.pattern, frames[0] - files.shift)):
        return None
    named = os.environ.get("OCIO") and files.space != compat.data_space(plate.colorspace_settings)
    return files if named or files.space in _CORE_SPACES else None


def _matte_files(scene: Any, matte: Any, frames: range, shift: int, matte_from: str) -> strips.Files | None:
    """Return a matte's files where they can be used: numbered as the plate's, and only brightness counts."""
    if matte_from == ALPHA:
        return None
    files = strips.as_files(scene, matte, _common(frames, compat.span(matte)))
    if files is None or files.shift != shift or _common(frames, compat.span(matte)) != frames:
        return None
    plain = len(channels_of(at_number(files.pattern, frames[0] - shift))) in (1, 3)
    return files if plain else None


def _shift(plate: Any, frames: range) -> int:
    """Return the timeline frame minus the number of a rendered plate's files.

    Counted from the strip's content, so that a strip that is moved or trimmed keeps its files.
    """
    start = compat.content_start(plate)
    # Held frames before the content have numbers too; thousands of them would have negative ones.
    return min(start, frames[0] + FIRST_NUMBER - 1) - FIRST_NUMBER


def _begin(places: Places, parts: list[Part], numbers: range, from_frame: int | None, shift: int) -> int:
    """Return the first number to render: that of `from_frame` if all before is on disk, else the first."""
    if from_frame is None or from_frame - shift not in numbers:
        return numbers[0]
    before = set(range(numbers[0], from_frame - shift))
    whole = all(before <= places.numbers(part.kind) for part in parts)
    return from_frame - shift if whole else numbers[0]


def _color(wanted: str, space: str) -> tuple[str, str | None]:
    """Return the plate's color space for the core, and the configuration that names it."""
    wanted = wanted.strip()
    if wanted and wanted.lower() != "auto":
        return wanted, None
    if os.environ.get("OCIO"):
        # The studio's own configuration: its names are the core's names too.
        return space, os.environ["OCIO"]
    return _CORE_SPACES.get(space, "linear"), None


def _notes(plate: Any, matte: Any, frames: range) -> tuple[str, ...]:
    missing = 0 if matte is None else len(frames) - len(_common(frames, compat.span(matte)))
    notes = [f"On {missing} frames there is no matte, and nothing is filled."] if missing else []
    if plate.blend_alpha != 1:
        notes.append("The plate strip's opacity is not part of the clean plate; set it on the result too.")
    return tuple(notes)
