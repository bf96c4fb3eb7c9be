"""What a strip is: its files, whether they can be used as they lie there, and what may go wrong with it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .channels import channels_of
from .export import PLACE_AMONG_OTHERS, inside
from .pick import Candidate
from .places import at_number
from .problem import InpaintError

UNUSABLE = {"SOUND": "sound", "ADJUSTMENT": "an adjustment layer", "MULTICAM": "a multicam selector"}
"""Types of strips that are no picture by themselves."""

_LOSSLESS = (".exr", ".png", ".tif", ".tiff")
"""Not DPX: Blender turns its log values to linear ones as it reads it."""

_NUMBERED = re.compile(r"(.*?)(\d+)(\.\w+)")
_TOKENS = set("#@%")
_NEUTRAL = {
    "use_flip_x": False,
    "use_flip_y": False,
    "use_reverse_frames": False,
    "use_deinterlace": False,
    "use_multiview": False,
    "multiply_alpha": False,
    "color_multiply": 1.0,
    "color_saturation": 1.0,
}
_NEUTRAL_TRANSFORM = {"offset_x": 0, "offset_y": 0, "scale_x": 1, "scale_y": 1, "rotation": 0}


@dataclass(frozen=True)
class Files:
    """A strip whose files can be used as they are.

    Attributes:
        pattern: with # for the digits.
        shift: timeline frame minus the number in the file's name.
        size: width and height.
        space: the strip's color space.
        alpha_mode: the strip's.
    """

    pattern: str
    shift: int
    size: tuple[int, int]
    space: str
    alpha_mode: str

    @property
    def extension(self) -> str:
        """The files' extension, with its dot."""
        return Path(self.pattern).suffix


def candidate(strip: Any) -> Candidate:
    """Return what tells plate from matte."""
    file = _first_file(strip)
    gray = file is not None and _is_gray(file)
    return Candidate(strip.name, strip.type, "" if file is None else file.name, gray, strip.channel)


@functools.lru_cache(maxsize=256)
def _is_gray(file: Path) -> bool:
    """Whether a file has no color, as it was when it was first asked for: panels ask all the time."""
    return len(channels_of(file)) in (1, 2)


def check(strip: Any, kind: str, frames: range) -> None:
    """Refuse a strip that can't be `kind` (plate or matte) on some frames. Raises InpaintError."""
    if strip.type in UNUSABLE:
        what = UNUSABLE[strip.type]
        raise InpaintError(f"The {kind} '{strip.name}' is {what}; choose a strip with a picture.")
    for each in inside(strip):
        for path, frame in _files(each, frames):
            if not path.is_file():
                where = "" if frame is None else f" (frame {frame})"
                raise InpaintError(f"The {kind} '{strip.name}' needs {path}{where}, which is not there.")


def check_together(plate: Any, matte: Any) -> None:
    """Refuse plate and matte unless they are in the same meta strip, or both in none. Raises InpaintError."""
    parents = [strip.parent_meta() for strip in (plate, matte)]
    if parents[0] != parents[1]:
        where = [f"in the meta strip '{each.name}'" if each else "in none" for each in parents]
        raise InpaintError(
            f"The plate '{plate.name}' is {where[0]} and the matte '{matte.name}' {where[1]}; move one "
            "of them, or choose the meta strip itself."
        )


def as_files(scene: Any, strip: Any, frames: range) -> Files | None:
    """Return a strip's files where Blender shows them as they are on these frames; None where it does not.

    That is a numbered sequence of pictures without loss, in full size, moved by nothing, without modifiers or
    animation, and with a frame of its own for every frame.
    """
    if strip.type != "IMAGE" or not _is_neutral(strip) or _is_animated(scene, strip):
        return None
    element = strip.elements[0]
    size = (element.orig_width, element.orig_height)
    if size != (scene.render.resolution_x, scene.render.resolution_y):
        return None
    names = [strip.strip_elem_from_frame(frame).filename for frame in frames]
    match = _NUMBERED.fullmatch(names[0])
    if match is None or match[3].lower() not in _LOSSLESS or _TOKENS & set(match[1]):
        return None
    pattern = str(folder_of(strip) / f"{match[1]}{'#' * len(match[2])}{match[3]}")
    shift = frames[0] - int(match[2])
    if any(at_number(pattern, f - shift).name != name for f, name in zip(frames, names, strict=True)):
        return None
    return Files(pattern, shift, size, strip.colorspace_settings.name, strip.alpha_mode)


def is_rgb(file: Path) -> bool:
    """Whether a file's picture is in channels R, G and B, as far as that can be told."""
    found = channels_of(file)
    return not found or {"R", "G", "B"} <= set(found)


def needs_own_space(scene: Any, strip: Any) -> bool:
    """Whether what Blender does to a strip's picture depends on the sequencer's color space.

    Mixing, scaling and grading do. Pictures that are only placed do not: in scene-linear they keep every bit.
    """
    return not all(_is_placed_only(each) and not _is_animated(scene, each) for each in inside(strip)) or (
        strip.type == "META" and _overlap(compat.top_strips(strip))
    )


def folder_of(strip: Any) -> Path:
    """Return the folder of an image strip's files."""
    return Path(bpy.path.abspath(strip.directory))


def _is_placed_only(strip: Any) -> bool:
    if strip.type not in ("IMAGE", "MOVIE", "META"):
        return False
    transform = strip.transform
    moved_by_whole_pixels = all(float(v).is_integer() for v in (transform.offset_x, transform.offset_y))
    as_large = transform.scale_x == transform.scale_y == 1 and transform.rotation == 0
    graded = strip.color_multiply != 1 or strip.color_saturation != 1 or len(strip.modifiers) > 0
    return moved_by_whole_pixels and as_large and not graded and not strip.use_deinterlace


def _overlap(strips: Any) -> bool:
    ends = sorted((compat.span(strip) for strip in strips), key=lambda frames: frames.start)
    return any(one.stop > other.start for one, other in itertools.pairwise(ends))


def _is_neutral(strip: Any) -> bool:
    if any(getattr(strip, name, value) != value for name, value in _NEUTRAL.items()) or len(strip.modifiers):
        return False
    if strip.strobe > 1 or len(getattr(strip, "retiming_keys", ())):
        return False
    if any(getattr(strip.transform, name) != value for name, value in _NEUTRAL_TRANSFORM.items()):
        return False
    crop = strip.crop
    return not (crop.min_x or crop.max_x or crop.min_y or crop.max_y)


def _is_animated(scene: Any, strip: Any) -> bool:
    """Whether anything of a strip's picture is animated; how it is laid over others is no part of it."""
    animated = {compat.animated_property(curve, strip) for curve, _ in compat.animated_paths(scene)}
    return bool(animated - {"", "mute", *PLACE_AMONG_OTHERS})


def _first_file(strip: Any) -> Path | None:
    return next((path for path, _ in _files(strip, compat.span(strip)[:1])), None)


def _files(strip: Any, frames: range) -> Iterator[tuple[Path, int | None]]:
    """Return the files that a strip needs on some frames, each with the frame that needs it."""
    if strip.type == "IMAGE":
        folder, seen = folder_of(strip), compat.span(strip)
        for frame in range(max(frames.start, seen.start), min(frames.stop, seen.stop)):
            element = strip.strip_elem_from_frame(frame)
            if element is not None:
                yield folder / element.filename, frame
    elif strip.type == "MOVIE":
        yield Path(bpy.path.abspath(strip.filepath)), None
