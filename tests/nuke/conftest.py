"""A session of the stand-in Nuke with the adapter loaded, and a small shot cut from the sample."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.images import read_matte, read_plate
from plugin_core.sample import FIRST, frame_path, matte_pattern, plate_pattern

from .standin import Host

ADAPTER = Path(__file__).parents[2] / "nuke"
FRAMES = range(FIRST, FIRST + 9)
SIZE = (192, 128)
_CUT = (slice(20, 148), slice(60, 252))


class Comp:
    """A shot on disk, and the script that reads it.

    Attributes:
        folder: holds the shot.
        host: the running Nuke.
    """

    def __init__(self, folder: Path, host: Host) -> None:
        self.folder = folder
        self.host = host

    def path(self, kind: str, frame: int, view: str = "main") -> Path:
        return self.folder / "in" / view / f"{kind}.{frame}.exr"

    def read(self, kind: str, view: str = "main"):
        """A Read of plate or matte."""
        nuke = self.host.module
        read = nuke.nodes.Read(name=kind)
        read["file"].setValue(self.path(kind, 0, view).as_posix().replace(".0.exr", ".%04d.exr"))
        read["first"].setValue(FRAMES[0])
        read["last"].setValue(FRAMES[-1])
        read["raw"].setValue(True)
        return read

    def node(self, **knobs):
        """An inpaint node on the shot, set to be quick."""
        import cleanplate_nuke

        node = cleanplate_nuke.create(self.read("plate"), self.read("matte"))
        for name, value in {"quality": "draft", "grow": 2, "feather": 2, "device": "cpu", **knobs}.items():
            node[name].setValue(value)
        return node

    def render(self, node, button: str = "do_render") -> None:
        """Press a button and be Nuke's event loop until the render has ended."""
        from cleanplate_nuke import flow

        self.host.press(node, button)
        self.host.pump(lambda: not flow._running)

    def change_matte(self, frame: int) -> None:
        """Take the top off a matte; Reads look at their files anew, as Nuke's do by the time of a file."""
        path = self.path("matte", frame)
        values = read_matte(path).values.copy()
        rows = np.nonzero(values.max(axis=1) > 0.5)[0]
        values[: rows[0] + 6] = 0
        write_exr(path, {"A": values})
        for node in self.host.module.allNodes("Read"):
            node["reload"].execute()


def write_exr(
    path: Path, channels: dict[str, np.ndarray], origin: tuple[int, int] = (0, 0), full=SIZE
) -> None:
    """Write half floats; `origin` is the data window's upper left corner in the display window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.stack(list(channels.values()), axis=2).astype(np.float16)
    height, width, count = pixels.shape
    spec = oiio.ImageSpec(width, height, count, "half")
    spec.channelnames = tuple(channels)
    spec.x, spec.y = origin
    spec.full_width, spec.full_height = full
    spec.attribute("compression", "zips")
    spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (0x01020304, 0))
    spec.attribute("DateTime", "2026:01:02 03:04:05")
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels)), file.geterror()
    assert file.close()


@functools.cache
def sample(kind: str, frame: int) -> np.ndarray:
    """The cut of the sample's plate (H, W, 3) or matte (H, W)."""
    if kind == "plate":
        return np.asarray(read_plate(frame_path(plate_pattern(), frame)).rgb[_CUT], np.float32)
    return read_matte(frame_path(matte_pattern(), frame)).values[_CUT]


def write_shot(comp: Comp, view: str = "main", frames: range = FRAMES) -> None:
    """Write plate (RGB and a depth) and matte (alpha) of the cut sample."""
    for frame in frames:
        red, green, blue = np.moveaxis(sample("plate", frame), 2, 0)
        depth = np.full_like(red, frame)
        write_exr(comp.path("plate", frame, view), {"R": red, "G": green, "B": blue, "Z": depth})
        write_exr(comp.path("matte", frame, view), {"A": sample("matte", frame)})


@pytest.fixture
def new_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Host]]:
    """A function that starts a session, with the adapter unless it is told not to."""
    monkeypatch.setenv("CLEANPLATE", sys.executable)
    monkeypatch.delenv("OCIO", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def start(*, gui: bool = True, adapter: bool = True) -> Host:
        _forget()
        host = Host(gui=gui)
        monkeypatch.setitem(sys.modules, "nuke", host.module)
        monkeypatch.setitem(sys.modules, "nukescripts", host.scripts)
        if adapter:
            host.start(ADAPTER)
        return host

    yield start
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cleanplate_nuke"]:
        del sys.modules[name]


@pytest.fixture
def host(new_host) -> Host:
    """Nuke with a window."""
    return new_host()


@pytest.fixture
def comp(tmp_path, host) -> Comp:
    """The shot in a saved script's folder, in Nuke with a window."""
    made = Comp(tmp_path, host)
    write_shot(made)
    host.scriptSaveAs((tmp_path / "comp_v001.nk").as_posix())
    return made
