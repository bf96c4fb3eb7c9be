"""Make docs/images/blender.jpg: the lake shot in Blender's sequencer, filled by the extension.

.venv/bin/cleanplate demo --shot lake --output lake_out
CLEANPLATE=.venv/bin/cleanplate .venv-bpy-4.5/bin/python docs/images/blender_picture.py lake_out

Blender renders all of it: the three views, and below them the strips, drawn as its own strips of color and
text at the places where the sequencer has them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
PICTURE = HERE.with_name("blender.jpg")
FRAME = 12
"""Of the timeline."""

WIDTH, GAP, TITLE, LANE = 416, 8, 30, 24
PAGE = 3 * WIDTH + 4 * GAP
COLORS = {
    "plate": (0.12, 0.2, 0.3),
    "matte": (0.25, 0.25, 0.25),
    "clean": (0.1, 0.3, 0.14),
    "view": (0.35, 0.08, 0.07),
}
PAPER, INK = (0.012, 0.012, 0.014), (0.8, 0.8, 0.8, 1.0)


def main(demo: Path) -> None:
    """Fill the shot as an artist does, render its views, and lay them on a page."""
    import bpy

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        install(folder)
        bpy.ops.wm.read_homefile(use_empty=True)
        scene = bpy.context.scene
        scene.sequence_editor_create()
        images(scene, "lake", sorted((demo / "lake" / "plate").glob("*.png")), 1)
        images(scene, "lake matte", sorted((demo / "lake" / "matte").glob("*.png")), 2)
        element = scene.sequence_editor.strips["lake"].elements[0]
        size = scene.render.resolution_x, scene.render.resolution_y = element.orig_width, element.orig_height
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "edit.blend"))
        bpy.ops.cleanplate.inpaint(plate="lake", matte="lake matte")
        pictures = []
        strips = {}
        for view in ("PLATE", "MATTE", "RESULT"):
            bpy.ops.cleanplate.show(view=view)
            scene.sequence_editor.strips["lake matte"].mute = True
            pictures.append(render(scene, folder / f"{view}.png", FRAME))
            strips |= {
                strip.name: (strip.channel, strip.frame_final_start, strip.frame_final_end)
                for strip in scene.sequence_editor.strips
            }
        page(pictures, strips, size)


def install(folder: Path) -> None:
    """Build the extension and install it as Blender does."""
    import addon_utils
    import bpy

    subprocess.run(
        [sys.executable, str(HERE.parents[2] / "blender" / "build.py"), "--out", str(folder)], check=True
    )
    addon_utils.enable("bl_pkg")
    (built,) = folder.glob("*.zip")
    bpy.ops.extensions.package_install_files(filepath=str(built), repo="user_default", enable_on_install=True)


def images(scene: Any, name: str, files: Sequence[Path], channel: int, start: int = 1) -> Any:
    """Add a strip of images."""
    strip = scene.sequence_editor.strips.new_image(
        name=name, filepath=str(files[0]), channel=channel, frame_start=start, fit_method="ORIGINAL"
    )
    for file in files[1:]:
        strip.elements.append(file.name)
    return strip


def render(scene: Any, path: Path, frame: int, file_format: str = "PNG") -> Path:
    """Render a frame as it looks."""
    import bpy

    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = file_format
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.quality = 88
    scene.frame_set(frame)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    return path


def page(
    pictures: Sequence[Path], strips: dict[str, tuple[int, float, float]], size: tuple[int, int]
) -> None:
    """Lay three pictures beside each other, and the strips below them."""
    import bpy

    scene = bpy.data.scenes.new("page")
    bpy.context.window_manager.windows[0].scene = scene
    scene.sequence_editor_create()
    height = round(WIDTH * size[1] / size[0])
    lanes = max(channel for channel, _, _ in strips.values())
    scene.render.resolution_x = PAGE
    scene.render.resolution_y = page_height = GAP + height + TITLE + lanes * (LANE + 4) + 2 * GAP
    channel = iter(range(1, 99))

    def box(x: float, y: float, width: float, high: float, color: tuple[float, ...]) -> None:
        """A strip of color over a box, from the upper left corner."""
        strip = scene.sequence_editor.strips.new_effect(
            name="box", type="COLOR", channel=next(channel), frame_start=1, frame_end=2
        )
        strip.color = color
        strip.blend_type = "ALPHA_OVER"
        strip.transform.scale_x, strip.transform.scale_y = width / PAGE, high / page_height
        place(strip, x + width / 2, y + high / 2)

    def place(strip: Any, x: float, y: float) -> None:
        strip.transform.offset_x, strip.transform.offset_y = x - PAGE / 2, page_height / 2 - y

    def text(x: float, y: float, words: str, pixels: int) -> None:
        strip = scene.sequence_editor.strips.new_effect(
            name="text", type="TEXT", channel=next(channel), frame_start=1, frame_end=2
        )
        strip.text, strip.font_size, strip.color = words, pixels, INK
        strip.use_shadow = False
        strip.anchor_x, strip.anchor_y = "LEFT", "CENTER"
        strip.location = (x / PAGE, 1 - y / page_height)

    box(0, 0, PAGE, page_height, PAPER)
    titles = ("Show > Plate", "Show > Matte", "Show > Result")
    for number, (path, title) in enumerate(zip(pictures, titles, strict=True)):
        strip = images(scene, title, [path], next(channel))
        strip.transform.scale_x = strip.transform.scale_y = WIDTH / size[0]
        strip.blend_type = "ALPHA_OVER"
        left = GAP + number * (WIDTH + GAP)
        place(strip, left + WIDTH / 2, GAP + height / 2)
        text(left + 2, GAP + height + TITLE / 2, title, 15)
    first = min(start for _, start, _ in strips.values())
    last = max(end for _, _, end in strips.values())
    label = 90
    for row in range(1, lanes + 1):
        top = GAP + height + TITLE + (lanes - row) * (LANE + 4) + GAP / 2
        text(GAP + 2, top + LANE / 2, f"Channel {row}", 13)
        for name, (on, start, end) in strips.items():
            if on != row:
                continue
            wide = (PAGE - 2 * GAP - label) / (last - first)
            left = GAP + label + (start - first) * wide
            kind = next((kind for kind in ("view", "clean", "matte") if kind in name), "plate")
            box(left, top, (end - start) * wide, LANE, COLORS[kind])
            text(left + 8, top + LANE / 2, name, 13)
    print(render(scene, PICTURE, 1, "JPEG"), PICTURE.stat().st_size)


if __name__ == "__main__":
    # Before Blender is imported: nobody's own settings are read or changed.
    with tempfile.TemporaryDirectory() as own:
        os.environ["BLENDER_USER_RESOURCES"] = own
        main(Path(sys.argv[1]).resolve())
