"""In the child Blender: render strips of a copy of the artist's file, each by itself, as the editor sees it.

The strip keeps its trims, crop, transform, retiming, modifiers and what is inside it. What belongs to its
place among the others is taken off: blend mode, opacity, and every other strip.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .places import at_number

PLACE_AMONG_OTHERS = ("blend_alpha", "blend_type")
"""Properties of a strip that are no part of its picture."""


def main(told: Path) -> int:
    """Render what export.json tells; returns the exit code. What goes wrong is told in the progress file."""
    job = json.loads(told.read_text("utf-8"))
    with Path(job["progress"]).open("a", encoding="utf-8") as progress:

        def tell(event: dict[str, Any]) -> None:
            progress.write(json.dumps(event, ensure_ascii=False) + "\n")
            progress.flush()

        try:
            _export(job, tell)
        except Exception as error:
            traceback.print_exc()
            said = str(error).strip().splitlines() or [repr(error)]
            tell({"event": "error", "message": said[-1].removeprefix("Error: ")})
            return 1
        tell({"event": "done"})
    return 0


def _export(job: dict[str, Any], tell: Any) -> None:
    bpy.ops.wm.open_mainfile(filepath=job["blend"], load_ui=False, use_scripts=job["scripts"])
    scene = bpy.data.scenes[job["scene"]]
    compat.show_scene(scene)
    prepare(scene.render)
    for part in job["parts"]:
        bring_out(scene, part["strip"])
    total = (job["last"] - job["begin"] + 1) * len(job["parts"])
    done = 0
    for part in job["parts"]:
        isolate(scene, part["strip"])
        set_space(scene, part)
        compat.set_exr(
            scene.render.image_settings, depth="32" if part["kind"] == "plate" else "16", alpha=part["alpha"]
        )
        for number in range(job["begin"], job["last"] + 1):
            render_frame(scene, number + job["shift"], at_number(part["pattern"], number))
            done += 1
            tell({"event": "frame", "kind": part["kind"], "done": done, "total": total})
        _forget_others(Path(part["pattern"]), {at_number(part["pattern"], n).name for n in _numbers(job)})


def _numbers(job: dict[str, Any]) -> range:
    return range(job["first"], job["last"] + 1)


def prepare(render: Any) -> None:
    """Set what makes the pixels written those of the strip: full size, and nothing added."""
    render.use_sequencer = True
    render.use_compositing = False
    render.resolution_percentage = 100
    render.use_border = False
    render.use_multiview = False
    render.use_overwrite = True
    render.use_placeholder = False
    render.use_file_extension = False
    render.dither_intensity = 0
    render.use_stamp = False
    # Notes of date, render time and so on would make equal pictures differ.
    for name in dir(render):
        if name.startswith("use_stamp_") and name != "use_stamp_labels":
            setattr(render, name, False)


def bring_out(scene: Any, name: str) -> None:
    """Take a strip out of the meta strips that it is in: what is done to those is done to its result too."""
    strips = {strip.name: strip for strip in compat.all_strips(scene)}
    while (meta := strips[name].parent_meta()) is not None:
        while meta.parent_meta() is not None:
            meta = meta.parent_meta()
        for strip in strips.values():
            strip.select = strip == meta
        scene.sequence_editor.active_strip = meta
        places = {each.name: compat.span(each).start for each in strips.values()}
        bpy.ops.sequencer.meta_separate()
        for each in compat.top_strips(scene.sequence_editor):
            # From 5.3 on Blender moves them along where their channel is taken, and not to another one.
            compat.move(each, places[each.name] - compat.span(each).start)
        strips = {strip.name: strip for strip in compat.all_strips(scene)}


def isolate(scene: Any, name: str) -> None:
    """Leave one strip, and what it is made from, as the only picture of the sequencer."""
    target = next(strip for strip in compat.all_strips(scene) if strip.name == name)
    kept = [target, *inputs_of(target)]
    strips = list(compat.top_strips(scene.sequence_editor))
    for curve, owner in list(compat.animated_paths(scene)):
        for strip in strips:
            animated = compat.animated_property(curve, strip)
            if animated == "mute" or (strip == target and animated in PLACE_AMONG_OTHERS):
                owner.remove(curve)
                break
    for strip in strips:
        strip.mute = strip not in kept
    for channel in scene.sequence_editor.channels:
        channel.mute = False
    target.blend_type = "REPLACE"
    target.blend_alpha = 1


def inputs_of(strip: Any) -> Iterator[Any]:
    """Return the strips that an effect strip is made from, and those they are made from."""
    for name in ("input_1", "input_2"):
        source = getattr(strip, name, None)
        if source is not None:
            yield source
            yield from inputs_of(source)


def inside(strip: Any) -> Iterator[Any]:
    """Return a strip, what it is made from, and what is inside it, if it is a meta strip."""
    for each in (strip, *inputs_of(strip)):
        yield each
        if each.type == "META":
            for inner in compat.top_strips(each):
                yield from inside(inner)


def set_space(scene: Any, part: dict[str, Any]) -> None:
    """Set the color spaces: a matte's values pass as they are, a plate comes out in scene-linear."""
    if not part["own_space"]:
        scene.sequencer_colorspace_settings.name = compat.working_space()
    if part["kind"] == "plate":
        return
    target = next(strip for strip in compat.all_strips(scene) if strip.name == part["strip"])
    for strip in inside(target):
        if strip.type == "MASK":
            # Blender leaves the last pixel of a mask's picture, its upper right one, as the memory was.
            strip.crop.max_y += 1
            strip.use_float = True
        settings = getattr(strip, "colorspace_settings", None)
        if settings is not None and compat.data_space(settings):
            settings.name = compat.data_space(settings)


def render_frame(scene: Any, frame: int, path: Path) -> None:
    """Render one frame; its file appears whole. Raises RuntimeError."""
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    scene.frame_set(frame)
    scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    if not part.is_file():
        raise RuntimeError(f"Blender wrote no picture for frame {frame} to {path.parent}; is the disk full?")
    part.replace(path)


def _forget_others(pattern: Path, wanted: set[str]) -> None:
    """Remove frames of an earlier, longer range: the core looks at every frame that it finds."""
    for path in pattern.parent.glob(pattern.name.replace("####", "*")):
        if path.name not in wanted:
            path.unlink()
