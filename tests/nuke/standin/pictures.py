"""Pictures through the graph: EXR files in, bounding boxes, channels and views kept, EXR files out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from .expressions import evaluate as number_of

_TO_NUKE = {"R": "rgba.red", "G": "rgba.green", "B": "rgba.blue", "A": "rgba.alpha", "Z": "depth.Z"}
_TO_FILE = {name: short for short, name in _TO_NUKE.items()}
_RGB = ("rgba.red", "rgba.green", "rgba.blue")
_CHANNEL = r"[a-z_]+\.[a-z]+"
_TIMECODE = "smpte:TimeCode"


class Picture:
    """Channels (height, width) float32, top line first, over a bounding box (x, y, right, top; y upwards)."""

    def __init__(self, channels, bbox, size, aspect=1.0, timecode=None):
        self.channels = channels
        self.bbox = bbox
        self.size = size
        self.aspect = aspect
        self.timecode = timecode

    def over(self, bbox):
        """Return the channels over another bounding box, black where there is nothing."""
        x, y, r, t = bbox
        left, top = self.bbox[0] - x, t - self.bbox[3]
        placed = {}
        for name, plane in self.channels.items():
            canvas = np.zeros((t - y, r - x), np.float32)
            x0, y0 = max(0, left), max(0, top)
            x1, y1 = min(r - x, left + plane.shape[1]), min(t - y, top + plane.shape[0])
            if x0 < x1 and y0 < y1:
                canvas[y0:y1, x0:x1] = plane[y0 - top : y1 - top, x0 - left : x1 - left]
            placed[name] = canvas
        return placed

    def changed(self, **fields):
        """Return a picture that differs in some fields."""
        return Picture(**{**self.__dict__, **fields})


def evaluate(node, frame, view):
    """Return what comes out of a node."""
    host = node._host
    if node._knobs["disable"].value():
        return evaluate(_input(node, 0), frame, view)
    kind = node.Class()
    if kind == "Read":
        return _read(node, frame, view)
    if kind == "Input":
        source = node._outside()
        if source is None:
            raise RuntimeError(f"{node.fullName()}: no input")
        return evaluate(source, frame, view)
    if kind in ("Group", "LiveGroup"):
        return evaluate(node._above()[0], frame, view)
    if kind == "Switch":
        which = node._knobs["which"]
        index = number_of(which._expression, node, frame, host.GUI) if which._expression else which.value()
        return evaluate(_input(node, int(index)), frame, view)
    if kind == "RotoPaint" and node._stroke is not None:
        return node._stroke(evaluate(_input(node, 0), frame, view))
    if kind in ("Output", "Write", "Dot", "NoOp", "RotoPaint"):
        return evaluate(_input(node, 0), frame, view)
    return {"Crop": _crop, "Grade": _grade, "Merge2": _merge, "Expression": _expression}[kind](
        node, frame, view
    )


def _input(node, index):
    source = node.input(index)
    if source is None:
        raise RuntimeError(f"{node.fullName()}: input {index} is not connected")
    return source


def file_name(pattern, frame, view):
    """Return a file's name at a frame, in a view."""
    path = pattern.replace("%V", view)
    return re.sub(r"%0(\d)d", lambda match: "{:0{}d}".format(frame, int(match.group(1))), path)


def _read(node, frame, view):
    if not node["raw"].value():
        raise AssertionError(f"{node.fullName()}: the stand-in knows no color conversion; set raw")
    if node["localizationPolicy"].value() == "on":
        raise AssertionError(f"{node.fullName()} would show a stale local copy")
    frame = min(max(frame, node["first"].value()), node["last"].value())
    path = file_name(node["file"].value(), frame, view)
    if path not in node._cache:
        if not Path(path).is_file():
            assert node["on_error"].value() in ("error", "black")
            if node["on_error"].value() == "black":
                return Picture({name: np.zeros((8, 8), np.float32) for name in _RGB}, (0, 0, 8, 8), (8, 8))
            raise RuntimeError(f"{node.fullName()}: {path}: No such file or directory")
        # Kept until the node is reloaded, whatever happens to the file.
        node._cache[path] = read_exr(path)
    picture = node._cache[path]
    return _half(picture) if node._host.root()["proxy"].value() else picture


def read_exr(path):
    """Read a file's channels, windows and time code."""
    file = oiio.ImageInput.open(path)
    assert file is not None, oiio.geterror()
    spec = file.spec()
    pixels = file.read_image("float")
    file.close()
    names = [_TO_NUKE.get(name, name) for name in spec.channelnames]
    x, top = spec.x - spec.full_x, spec.full_height - (spec.y - spec.full_y)
    bbox = (x, top - spec.height, x + spec.width, top)
    planes = {name: np.ascontiguousarray(pixels[:, :, index]) for index, name in enumerate(names)}
    aspect = spec.get_float_attribute("PixelAspectRatio", 1.0)
    return Picture(planes, bbox, (spec.full_width, spec.full_height), aspect, spec.getattribute(_TIMECODE))


def _half(picture):
    """Return what proxy mode makes of a picture."""
    planes = {name: plane[::2, ::2] for name, plane in picture.channels.items()}
    height, width = next(iter(planes.values())).shape
    return picture.changed(channels=planes, bbox=(0, 0, width, height), size=(width, height))


def _crop(node, frame, view):
    picture = evaluate(_input(node, 0), frame, view)
    assert not node["reformat"].value() and not node["intersect"].value()
    bbox = tuple(round(number) for number in node["box"].value())
    return picture.changed(channels=picture.over(bbox), bbox=bbox)


def _grade(node, frame, view):
    picture = evaluate(_input(node, 0), frame, view)
    mask = evaluate(_input(node, 1), frame, view).over(picture.bbox)[node["maskChannelInput"].value()]
    planes = dict(picture.channels)
    for index, name in enumerate(_RGB):
        graded = planes[name] * node["multiply"].value()[index] + node["add"].value()[index]
        planes[name] = (planes[name] * (1 - mask) + graded * mask).astype(np.float32)
    return picture.changed(channels=planes)


def _expression(node, frame, view):
    """Numbers, channels by their full names, ==, >, +, -, * and parentheses."""
    picture = evaluate(_input(node, 0), frame, view)
    planes = dict(picture.channels)
    for name, knob in zip((*_RGB, "rgba.alpha"), (f"expr{index}" for index in range(4)), strict=True):
        text = node[knob].value()
        if text:
            channels = {
                found.replace(".", "_"): picture.channels[found] for found in re.findall(_CHANNEL, text)
            }
            plain = re.sub(_CHANNEL, lambda found: found[0].replace(".", "_"), text)
            assert re.fullmatch(r"[\w.=>+*()-]+", plain), plain
            value = eval(plain, {"__builtins__": {}}, channels)
            planes[name] = np.broadcast_to(np.float32(value), next(iter(planes.values())).shape)
    return picture.changed(channels=planes)


def _merge(node, frame, view):
    below, above = (evaluate(_input(node, index), frame, view) for index in (0, 1))
    if node["operation"].value() == "over":
        fill, alpha = above.over(below.bbox), above.over(below.bbox)["rgba.alpha"]
        planes = {
            name: plane * (1 - alpha) + fill[name] for name, plane in below.channels.items() if name in _RGB
        }
        return below.changed(channels={**below.channels, **planes})
    assert node["operation"].value() == "difference" and below.bbox == above.bbox
    return below.changed(
        channels={name: np.abs(above.channels[name] - plane) for name, plane in below.channels.items()}
    )


def write(node, frame, view):
    """Write one frame of a Write node, as its knobs say."""
    if node["file_type"].value() != "exr" or not node["raw"].value() or node["autocrop"].value():
        raise AssertionError(f"{node.fullName()}: not the kind of file that was agreed on")
    picture = evaluate(_input(node, 0), frame, view)
    asked = node["channels"].value()
    layer = {
        "all": lambda name: True,
        "rgba": lambda name: name.startswith("rgba."),
        "rgb": lambda name: name in _RGB,
    }
    kept = [name for name in picture.channels if layer.get(asked, lambda name: name == asked)(name)]
    if not kept:
        raise RuntimeError(f"{node.fullName()}: No channels selected (or available) for write")
    path = file_name(node["file"].value(), frame, view)
    folder = Path(path).parent
    if not folder.is_dir():
        if not node["create_directories"].value():
            raise RuntimeError(f"{node.fullName()}: {path}: No such file or directory")
        folder.mkdir(parents=True)
    _write_exr(path, picture, kept, node)


def _write_exr(path, picture, kept, node):
    x, y, r, t = picture.bbox
    spec = oiio.ImageSpec(
        r - x, t - y, len(kept), "float" if node["datatype"].value() == "32 bit float" else "half"
    )
    spec.x, spec.y = x, picture.size[1] - t
    spec.full_width, spec.full_height = picture.size
    spec.channelnames = tuple(_TO_FILE.get(name, name) for name in kept)
    spec.attribute("compression", "zips")
    spec.attribute("PixelAspectRatio", float(picture.aspect))
    spec.attribute(
        "DateTime", "2026:01:02 03:04:05"
    )  # Nuke writes none; OpenImageIO would add the present time
    if node["metadata"].value() != "no metadata":
        # As Nuke does: a hash of all that is above the node, of any length, and its own version.
        spec.attribute("nuke/node_hash", f"{node._host._hash**3:x}")
        spec.attribute("nuke/version", node._host.NUKE_VERSION_STRING)
        if picture.timecode is not None:
            spec.attribute(_TIMECODE, oiio.TypeDesc("timecode"), picture.timecode)
    file = oiio.ImageOutput.create(path)
    pixels = np.stack([picture.channels[name] for name in kept], axis=2)
    assert file.open(path + ".tmp.exr", spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels, np.float32)), file.geterror()
    assert file.close()
    Path(path + ".tmp.exr").replace(path)
