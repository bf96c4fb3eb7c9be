"""What is seen of a clean plate: it, the plate, or a picture of the core's laid over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import compat
from .places import at_number
from .problem import InpaintError
from .result import Made, as_blender_writes, find, free_channel

RESULT, PLATE = "RESULT", "PLATE"
ITEMS = (
    (RESULT, "Result", "The clean plate"),
    (PLATE, "Plate", "The plate as it was"),
    ("MATTE", "Matte", "The plate, and in red what was filled: the matte as it was grown and feathered"),
    ("DIFFERENCE", "Difference", "What was changed, eight times as bright"),
    (
        "SOURCE",
        "Source",
        "Where each pixel comes from. Green: another frame; blue: a reference; ocher: painted; "
        "red: the network",
    ),
    ("CONFIDENCE", "Confidence", "White: known from other frames or a reference. Black: a guess"),
)

_MARK = "cleanplate_view"
"""Custom property of a strip that is laid over a clean plate: the plate strip's name."""


def is_view(strip: Any) -> bool:
    """Whether a strip is one of ours to look at."""
    return _MARK in strip


def back(scene: Any, plate: str) -> None:
    """Show the clean plate again where a picture was laid over it or the plate."""
    if _remove(scene, plate):
        strip = find(scene, plate)
        strip.mute = False


def needs_pictures(view: str) -> bool:
    """Whether the core has to make pictures for a view."""
    return view not in (RESULT, PLATE)


def show(scene: Any, made: Made, view: str, folder: Path, there: list[str]) -> None:
    """Show a view in the sequencer.

    Args:
        scene: of the clean plate.
        made: the clean plate.
        view: identifier of one of `ITEMS`.
        folder: of the core's pictures.
        there: the views that it has pictures of, in small letters.

    Raises InpaintError when the clean plate has no such view.
    """
    _remove(scene, made.plate)
    made.strip.mute = view in (PLATE, "MATTE")
    if not needs_pictures(view):
        return
    name = view.lower()
    if name not in there and made.repaired:
        raise InpaintError("Of a repaired film there are Matte and Difference; its pixels are all real.")
    if name not in there and not compat.reads_layers():
        raise InpaintError("Source and Confidence need Blender 4.5 or newer.")
    if name not in there:
        raise InpaintError(
            "Nobody noted where the pixels of this clean plate come from: switch Patch on, press Inpaint, "
            "and look again."
        )
    _lay(scene, made, f"{made.plate} view: {name}", str(folder / f"{name}.####.png"))


def _lay(scene: Any, made: Made, name: str, pattern: str) -> None:
    numbers = range(made.first, made.last + 1)
    beside = compat.top_strips(made.strip.parent_meta() or scene.sequence_editor)
    frames = range(made.first + made.shift, made.last + made.shift + 1)
    strip = beside.new_image(
        name=name,
        filepath=as_blender_writes(at_number(pattern, made.first)),
        channel=free_channel(scene.sequence_editor.channels, beside, frames, made.strip.channel + 1),
        frame_start=frames.start,
        fit_method="ORIGINAL",
    )
    for number in numbers[1:]:
        strip.elements.append(at_number(pattern, number).name)
    strip.blend_type = "ALPHA_OVER"
    strip.alpha_mode = "STRAIGHT"
    strip.select = False
    strip[_MARK] = made.plate
    compat.refresh(strip)


def _remove(scene: Any, plate: str) -> bool:
    laid = [strip for strip in compat.all_strips(scene) if strip.get(_MARK) == plate]
    for strip in laid:
        compat.top_strips(strip.parent_meta() or scene.sequence_editor).remove(strip)
    return bool(laid)
