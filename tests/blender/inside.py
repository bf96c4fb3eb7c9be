"""Run by the Python of a bpy environment: does in Blender what the tests ask for.

    python inside.py DESCRIPTOR

reads lines {"call": name, "with": {...}} from standard input and writes a line to the descriptor for each.

Only the standard library, bpy and the extension as it is installed. Nothing here asserts: the tests do.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import traceback
from pathlib import Path

import bpy

PACKAGE = "bl_ext.user_default.cleanplate"


def install(zip_path):
    """Install the extension as Blender does when the zip is dropped into its window."""
    import addon_utils

    addon_utils.enable("bl_pkg")
    bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
    return PACKAGE in bpy.context.preferences.addons


def enable():
    """Enable the extension that lies in the user's folder."""
    import addon_utils

    addon_utils.enable("bl_pkg")
    addon_utils.enable(PACKAGE, default_set=True)
    return PACKAGE in bpy.context.preferences.addons


def disable():
    import addon_utils

    addon_utils.disable(PACKAGE, default_set=True)
    return hasattr(bpy.types.Scene, "cleanplate") or hasattr(bpy.types, "CLEANPLATE_PT_inpaint")


def info():
    return {
        "version": list(bpy.app.version),
        "own_folder": bpy.utils.extension_path_user(PACKAGE),
        "panel": hasattr(bpy.types, "CLEANPLATE_PT_inpaint"),
        "category": bpy.types.CLEANPLATE_PT_inpaint.bl_category,
        "space": bpy.types.CLEANPLATE_PT_inpaint.bl_space_type,
        "defaults": {
            "grow": bpy.context.scene.cleanplate.grow,
            "device": bpy.context.scene.cleanplate.device,
        },
    }


def new_file(size, save_as=None):
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.sequence_editor_create()
    _show(scene)
    if save_as:
        bpy.ops.wm.save_as_mainfile(filepath=save_as)


def save():
    bpy.ops.wm.save_mainfile()


def open_file(path):
    bpy.ops.wm.open_mainfile(filepath=path)


def reopen():
    open_file(bpy.data.filepath)


def is_dirty_free_copy(path):
    """Whether the open file is `path`, untouched by the copy that was saved for the child."""
    return bpy.data.filepath == path


def images(name, files, channel, start, select=True, scene=None, **properties):
    strip = _top(scene).new_image(
        name=name, filepath=files[0], channel=channel, frame_start=start, fit_method="ORIGINAL"
    )
    for path in files[1:]:
        strip.elements.append(Path(path).name)
    strip.select = select
    change(name, scene=scene, **properties)


def relative_paths():
    """Blender's File > External Data > Make Paths Relative."""
    for strip in _all():
        strip.directory = bpy.path.relpath(bpy.path.abspath(strip.directory))


def still(name, file, channel, start, length):
    strip = _top().new_image(
        name=name, filepath=file, channel=channel, frame_start=start, fit_method="ORIGINAL"
    )
    strip.frame_final_duration = length
    strip.select = True


def movie(name, file, channel, start):
    strip = _top().new_movie(
        name=name, filepath=file, channel=channel, frame_start=start, fit_method="ORIGINAL"
    )
    strip.select = True
    return [strip.frame_final_start, strip.frame_final_end]


def mask(name, channel, start, length, corners):
    """A mask strip of a polygon; corners in 0..1 of the picture's larger side, as masks have them."""
    made = bpy.data.masks.new(name=name)
    made.frame_start, made.frame_end = 1, length
    layer = made.layers.new(name="layer")
    spline = layer.splines.new()
    spline.points.add(len(corners) - 1)
    spline.use_cyclic = True
    for point, (x, y) in zip(spline.points, corners, strict=True):
        point.co = (x, y)
        point.handle_type = "VECTOR"
    strip = _top().new_mask(name=name, mask=made, channel=channel, frame_start=start)
    strip.frame_final_duration = length
    strip.select = True


def color(name, channel, start, length, rgb):
    where = {"length": length} if bpy.app.version >= (5, 0, 0) else {"frame_end": start + length}
    strip = _top().new_effect(name=name, type="COLOR", channel=channel, frame_start=start, **where)
    strip.color = rgb
    strip.select = False


def effect(name, type, channel, start, length, inputs, **properties):
    words = ("input1", "input2") if bpy.app.version >= (4, 5, 0) else ("seq1", "seq2")
    where = {"length": length} if bpy.app.version >= (5, 0, 0) else {"frame_end": start + length}
    given = {word: _strip(each) for word, each in zip(words, inputs, strict=False)}
    made = _top().new_effect(name=name, type=type, channel=channel, frame_start=start, **where, **given)
    made.select = False
    change(name, **properties)


def modifier(name, type, **properties):
    made = _strip(name).modifiers.new(name=type, type=type)
    for key, value in properties.items():
        setattr(made, key, value)


def retime(name, percent):
    """Give a strip another speed, as the sequencer's menu does; returns what it spans."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    (region,) = [region for region in area.regions if region.type == "WINDOW"]
    selected = [strip.name for strip in _all() if strip.select]
    select(names=[name])
    _editor().active_strip = _strip(name)
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.retiming_segment_speed_set(speed=percent)
    select(names=selected)
    return [_strip(name).frame_final_start, _strip(name).frame_final_end]


def compositor(name):
    """Let the compositor invert a strip, as its modifiers can from 5.0 on."""
    group = bpy.data.node_groups.new("invert", "CompositorNodeTree")
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Image", in_out=way, socket_type="NodeSocketColor")
    begin, invert, end = (
        group.nodes.new(kind) for kind in ("NodeGroupInput", "CompositorNodeInvert", "NodeGroupOutput")
    )
    group.links.new(begin.outputs[0], invert.inputs["Color"])
    group.links.new(invert.outputs[0], end.inputs[0])
    _strip(name).modifiers.new(name="invert", type="COMPOSITOR").node_group = group


def scene_strip(name, channel, start, length, size):
    """A scene of its own, with a triangle before a blue world, rendered by Cycles."""
    scene = bpy.data.scenes.new(name)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.frame_start, scene.frame_end = 1, length
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    mesh = bpy.data.meshes.new("triangle")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (0, 1, 0)], [], [(0, 1, 2)])
    for each in (camera, bpy.data.objects.new("triangle", mesh)):
        scene.collection.objects.link(each)
    camera.location = (0, 0, 5)
    scene.camera = camera
    scene.world = bpy.data.worlds.new(name)
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.2, 0.4, 0.8, 1)
    strip = _top().new_scene(name=name, scene=scene, channel=channel, frame_start=start)
    strip.select = False


def meta(name, strips, channel):
    """Put strips into a meta strip."""
    select(names=strips)
    bpy.ops.sequencer.meta_make()
    made = next(strip for strip in _top() if strip.type == "META")
    made.name, made.channel = name, channel
    return [made.frame_final_start, made.frame_final_end]


def change(name, scene=None, transform=None, crop=None, colorspace=None, name_to=None, **properties):
    strip = _strip(name, scene)
    for part, values in ((strip.transform, transform), (strip.crop, crop)):
        for key, value in (values or {}).items():
            setattr(part, key, value)
    if colorspace:
        strip.colorspace_settings.name = colorspace
    if name_to:
        strip.name = name_to
    for key, value in properties.items():
        setattr(strip, key, value)


def animate(name, path, values):
    """Keyframes of a strip's property: {frame: value}."""
    strip = _strip(name)
    owner = strip
    *parts, last = path.split(".")
    for part in parts:
        owner = getattr(owner, part)
    for frame, value in values.items():
        setattr(owner, last, value)
        owner.keyframe_insert(last, frame=int(frame))


def working_space(name):
    """Set the space that this file is worked in; only from 5.0 on."""
    if bpy.app.version < (5, 0, 0):
        return False
    bpy.ops.wm.set_working_color_space(working_space=name, convert_colors=False)
    return True


def cut(name, frame):
    """Cut a strip in two; returns what they span."""
    right = _strip(name).split(frame=frame, split_method="SOFT")
    return [[s.frame_final_start, s.frame_final_end] for s in (_strip(name), right)]


def meta_contents(name):
    """What lies in a meta strip."""
    meta = _strip(name)
    inner = meta.strips if hasattr(meta, "strips") else meta.sequences
    return {strip.name: [strip.channel, strip.frame_final_start, strip.frame_final_end] for strip in inner}


def separate(name):
    """Take a meta strip apart."""
    select([name])
    _editor().active_strip = _strip(name)
    bpy.ops.sequencer.meta_separate()


def remove(name):
    _top().remove(_strip(name))


def new_scene(name, size):
    scene = bpy.data.scenes.new(name)
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.sequence_editor_create()
    _show(scene)


def scene_properties(**properties):
    scene = bpy.context.scene
    for key, value in properties.items():
        setattr(scene, key, value)


def settings(**values):
    for key, value in values.items():
        setattr(bpy.context.scene.cleanplate, key, value)


def preferences(**values):
    for key, value in values.items():
        setattr(bpy.context.preferences.addons[PACKAGE].preferences, key, value)


def select(names):
    for strip in _all():
        strip.select = strip.name in names


def frame(number):
    bpy.context.scene.frame_set(number)


def strips():
    """Every strip that is not in a meta strip, by name."""
    return {
        strip.name: {
            "type": strip.type,
            "channel": strip.channel,
            "span": [strip.frame_final_start, strip.frame_final_end],
            "files": [e.filename for e in strip.elements] if strip.type == "IMAGE" else [],
            "directory": getattr(strip, "directory", ""),
            "space": strip.colorspace_settings.name if hasattr(strip, "colorspace_settings") else "",
            "select": strip.select,
            "mute": strip.mute,
        }
        for strip in _top()
    }


def inpaint(environ=None, **properties):
    """Press Inpaint where Blender has no window; returns what was said and what failed."""
    state = _module("running").state
    before = dict(os.environ)
    os.environ.update(environ or {})
    try:
        said = bpy.ops.cleanplate.inpaint(**properties)
        failed = None
    except RuntimeError as error:
        said, failed = set(), str(error)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return {
        "said": sorted(said),
        "failed": failed,
        "message": state.message,
        "log": state.log and str(state.log),
        "busy": state.job is not None,
    }


def press(name, **properties):
    """Press another button; returns what was said, what failed and what there is to look at."""
    state = _module("running").state
    try:
        said, failed = getattr(bpy.ops.cleanplate, name)(**properties), None
    except RuntimeError as error:
        said, failed = set(), str(error)
    return {
        "said": sorted(said),
        "failed": failed,
        "message": state.message,
        "findings": [[finding.text, finding.frame] for finding in state.findings],
        "frame": bpy.context.scene.frame_current,
    }


def paint(box, rgb):
    """Paint a box, in pixels from the lower left corner, on the picture that is open to be painted on."""
    (image,) = [image for image in bpy.data.images if "cleanplate_reference" in image]
    x0, y0, x1, y1 = box
    width, pixels = image.size[0], list(image.pixels)
    for y in range(y0, y1):
        for x in range(x0, x1):
            at = 4 * (y * width + x)
            pixels[at : at + 3] = rgb
    image.pixels[:] = pixels
    image.update()
    return image.filepath


def show_in_editor():
    """Turn an area into an Image Editor and show the picture that is to be painted on, as the button does."""
    (image,) = [image for image in bpy.data.images if "cleanplate_reference" in image]
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    shown = _module("painted").show(bpy.context, image)
    return [shown, area.spaces.active.image == image, area.spaces.active.ui_mode]


def preview(path):
    """The size of the small picture of a frame; its icon has no number without a window."""
    module = _module("preview")
    module.icon_of(Path(path))
    return list(module._loaded[-1][1][path].image_size)


def review(log):
    """Press Review after a job whose log lies there."""
    _module("running").state.log = Path(log)
    try:
        return sorted(bpy.ops.cleanplate.review())
    except RuntimeError as error:
        return str(error)


def chosen():
    plate, matte = _module("read").chosen(bpy.context)
    return [plate.name, matte.name]


def check_command(environ=None):
    os.environ.update(environ or {})
    try:
        return _module("preferences").check(bpy.context.preferences.addons[PACKAGE].preferences.command)
    except RuntimeError as error:
        return f"refused: {error}"


def binary(path):
    """Name the program that Blender itself is: here the module has to be told."""
    bpy.app.binary_path = path


def check_aside():
    _module("preferences").check_aside("")


def begin_aside(**properties):
    """Begin as a press in a window does. Timers do not run here: `ticks` is what they would call."""
    prepare, running = _module("prepare"), _module("running")
    wishes = {
        name: getattr(bpy.context.scene.cleanplate, name)
        for name in _module("properties").settings(_module("properties").DEFAULTS)
    }
    job = prepare.prepare(bpy.context, {**wishes, **properties}, False)
    running.begin_aside(job, running.place)
    return bpy.app.timers.is_registered(running.tick)


def ticks(until="", cancel=False, limit=120.0):
    """Be Blender's timer until the job has ended or its text matches `until`; cancel it then."""
    running = _module("running")
    texts, deadline = [], time.monotonic() + limit
    while time.monotonic() < deadline:
        again = running.tick()
        if again is None:
            break
        texts.append(running.state.job.text)
        if until and re.match(until, texts[-1]):
            break
        time.sleep(0.01)
    pid = running.state.job._child._process.pid if running.state.job and running.state.job._child else 0
    if cancel:
        running.cancel()
    return {
        "texts": texts,
        "message": running.state.message,
        "failed": running.state.failed,
        "busy": running.state.job is not None,
        "pid": pid,
    }


def render(name, frames, folder, space="Linear Rec.709", below=()):
    """Render one strip, and those `below` that it is made from, alone to float OpenEXR; put all back."""
    scene = bpy.context.scene
    hidden = {strip.name: strip.mute for strip in _top()}
    was = scene.sequencer_colorspace_settings.name
    scene.sequencer_colorspace_settings.name = space or was
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format, image.color_depth, image.color_mode = "OPEN_EXR", "32", "RGBA"
    Path(folder).mkdir(parents=True, exist_ok=True)
    for strip in _top():
        strip.mute = strip.name != name and strip.name not in below
    paths = []
    for number in frames:
        paths.append(str(Path(folder) / f"{len(paths):04d}.exr"))
        scene.frame_set(number)
        scene.render.filepath = paths[-1]
        bpy.ops.render.render(write_still=True)
    for strip in _top():
        strip.mute = hidden[strip.name]
    scene.sequencer_colorspace_settings.name = was
    return paths


def render_png(frame_number, path):
    """Render what the editor sees to a picture that can be looked at."""
    scene = bpy.context.scene
    scene.view_settings.view_transform = "Standard"
    image = scene.render.image_settings
    image.file_format = "PNG"
    scene.frame_set(frame_number)
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)


def encode(frames, path):
    """Render the timeline to a movie without loss, to have one to work on."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = frames
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "VIDEO"
    scene.render.image_settings.file_format = "FFMPEG"
    scene.render.ffmpeg.format = "MKV"
    scene.render.ffmpeg.codec = "FFV1"
    scene.render.filepath = path
    scene.render.use_file_extension = False
    scene.view_settings.view_transform = "Standard"
    bpy.ops.render.render(animation=True)


def draw(what):
    """Draw the panel or the preferences; returns what would be read."""
    from layout import Layout

    class Drawn:
        layout = Layout()

    drawn = Drawn()
    if what == "preferences":
        own = bpy.context.preferences.addons[PACKAGE].preferences
        drawn = type("Drawn", (), {"layout": Layout(), "bl_rna": own.bl_rna})()
        for each in own.bl_rna.properties:
            setattr(type(drawn), each.identifier, getattr(own, each.identifier))
    _module(what).draw(drawn, bpy.context)
    return drawn.layout.lines


def undo_push(message):
    """What Blender does after each thing an artist does."""
    bpy.ops.ed.undo_push(message=message)


def undo(redo=False):
    (bpy.ops.ed.redo if redo else bpy.ops.ed.undo)()


def leave():
    """End as Blender ends: Python is finalized."""
    sys.exit(0)


def _module(name):
    return sys.modules[f"{PACKAGE}.{name}"]


def _editor(scene=None):
    return (bpy.data.scenes[scene] if scene else bpy.context.scene).sequence_editor


def _top(scene=None):
    editor = _editor(scene)
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def _all(scene=None):
    editor = _editor(scene)
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def _strip(name, scene=None):
    return _all(scene)[name]


def _show(scene):
    window = bpy.context.window_manager.windows[0]
    window.scene = scene
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene


def main(replies):
    # Ctrl-C in the terminal is for pytest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies.write(json.dumps({"value": list(bpy.app.version)}) + "\n")
    replies.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"value": globals()[asked["call"]](**asked["with"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        replies.write(json.dumps(answer) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(os.fdopen(int(sys.argv[1]), "w"))
