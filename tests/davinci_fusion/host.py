"""A Fusion to test against: `host.lua` in LuaJIT, with pictures, files and processes that are real.

It can't confirm what only Fusion knows (that the macro's wiring loads, that a Saver writes); it does hold
every name, attribute and argument that the adapter uses against the documented ones, and runs all its code.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.sample import matte_pattern, plate_pattern

ADAPTER = Path(__file__).resolve().parents[2] / "davinci_fusion"
SCRIPTS = ADAPTER / "Scripts"
FUSE = ADAPTER / "Fuses" / "Cleanplate" / "CleanplateResult.fuse"
SETTING = ADAPTER / "Macros" / "Cleanplate" / "VINet Inpaint.setting"

lupa = pytest.importorskip("lupa.luajit21", reason="LuaJIT is not here: pip install lupa")

FLOAT, INTEGER = 8, 5
"""Fusion's numbers for the depth of an image: four channels of 32-bit float, of 8-bit integers."""


def new_lua() -> Any:
    """Return LuaJIT, whose strings are bytes here."""
    return lupa.LuaRuntime(encoding=None, unpack_returned_tuples=True)


class Host:
    """A comp that holds the macro, a plate and a matte.

    Args:
        folder: where the comp lies.
        first, last: the comp's render range.
        plate, matte: patterns with ``####``; the sample shot's when left out.
        depth: of the plate's images.
        saved: whether the comp has a file.
        setting: the macro's file.
    """

    def __init__(
        self,
        folder: Path,
        first: int,
        last: int,
        *,
        plate: str | None = None,
        matte: str | None = None,
        depth: int = FLOAT,
        saved: bool = True,
        scripts: Path = SCRIPTS,
        setting: Path = SETTING,
    ) -> None:
        self.setting = setting
        self.lua = new_lua()
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.on_wait: Any = None
        self.environment = {"HOME": str(folder / "home")}
        chunk = self.lua.eval(b"loadfile")(os.fsencode(Path(__file__).with_name("host.lua")))
        self.host = chunk(self.lua.table_from({name.encode(): f for name, f in self._functions().items()}))
        self.host[b"environment"] = self.lua.table_from({b"HOME": os.fsencode(folder / "home")})
        self.host[b"comp_file"] = os.fsencode(folder / "sh010.comp") if saved else b""
        self.host[b"scripts"] = os.fsencode(scripts) + b"/"
        self.host[b"first"], self.host[b"last"], self.host[b"now"] = first, last, first
        self.call("register", FUSE.read_bytes())
        self.call("add_source", b"PlateLoader", (plate or plate_pattern()).encode(), depth)
        self.call("add_source", b"MatteLoader", (matte or matte_pattern()).encode(), FLOAT)
        self.call("add_saver", b"FinalSaver", b"PlateLoader", os.fsencode(folder / "final.0000.exr"))
        self.macro = self.paste("")

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of host.lua."""
        return self.host[name.encode()](*arguments)

    def paste(self, ending: str) -> bytes:
        """Add the macro to the comp and connect it; returns its name."""
        name = self.call("paste", self.setting.read_bytes(), ending.encode())
        self.call("connect", name, b"MainInput1", b"PlateLoader")
        self.call("connect", name, b"MainInput2", b"MatteLoader")
        return bytes(name)

    def set(self, control: str, value: str | float) -> None:
        """Set a control of the macro."""
        given = value.encode() if isinstance(value, str) else value
        self.call("set", self.macro, control.encode(), given)

    def press(self, button: str) -> str:
        """Press a button of the macro; returns what its status line says then."""
        self.call("press", self.macro, button.encode())
        assert self.call("is_at_rest"), "locked, in an undo step, or still rendering"
        return self.status()

    def status(self) -> str:
        """The status line."""
        return self.get("CleanplateControls", "Status")

    def get(self, tool: str, control: str) -> Any:
        """A control's value."""
        value = self.call("get", tool.encode(), control.encode())
        return value.decode() if isinstance(value, bytes) else value

    def fault(self, name: str, value: Any) -> None:
        """Let something go wrong: refuse, skip, hang, slow_clock."""
        self.host[b"faults"][name.encode()] = value

    def look(self, frame: int, tool: bytes | None = None) -> np.ndarray:
        """The picture that the macro shows: (H, W, 4) float32, top row first."""
        width, height, data = self.call("look", tool or self.macro, frame)
        return np.frombuffer(data, np.float32).reshape(height, width, 4)[::-1]

    def said(self) -> list[str]:
        """Everything printed to the Console."""
        return [bytes(line).decode() for line in self.host[b"log"].values()]

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()

    def _functions(self) -> dict[str, Any]:
        return {
            "read": _read,
            "write": _write,
            "numbered": _numbered,
            "sequence": _sequence,
            "exists": lambda path: os.path.exists(path),  # noqa: PTH110 - bytes
            "is_folder": lambda path: os.path.isdir(path),  # noqa: PTH112
            "make_folder": _make_folder,
            "wait": self._wait,
            "execute_windows": self._execute_windows,
        }

    def _wait(self, seconds: float) -> None:
        if self.on_wait is not None:
            self.on_wait()
        time.sleep(min(seconds, 0.02))

    def _execute_windows(self, command: bytes) -> None:
        """Do what cmd.exe would with our batch file, line by line; other lines than ours are refused."""
        match = re.fullmatch(r'cmd\.exe /d /c ""([^"]+)""', command.decode())
        assert match, command
        script = Path(match[1].replace("\\", "/"))
        assert script.name.isascii()
        lines = script.read_bytes().decode().split("\r\n")
        assert lines[:2] == ["@echo off", "chcp 65001 >nul"]
        environment, folder = dict(os.environ), Path()
        for line in lines[2:]:
            name, _, rest = line.partition(" ")
            if name == "set":
                key, _, value = rest.partition("=")
                environment[key] = value
                if not value:
                    del environment[key]
            elif line.startswith("cd /d "):
                folder = Path(line[6:].strip('"').replace("\\", "/"))
            elif " --job " in line:
                self._start_windows(line, environment, folder)
            else:
                noted = re.fullmatch(r"(?:echo %ERRORLEVEL% >|move /y )([\w.]+)\.part(?: \1 >nul)?|", line)
                assert noted, line

    def _start_windows(self, line: str, environment: dict[str, str], folder: Path) -> None:
        command, log, errors = re.fullmatch(r"(?:call )?(.*) >([\w.]+) 2>(&1|[\w.]+) <nul", line).groups()
        words = shlex.split(command.replace("\\", "/").replace("%%", "%"))
        noted = "exit" if log == "cleanplate.log" else "look.exit"
        code = f"import subprocess, sys; log = open({log!r}, 'wb');"
        code += "errors = log" if errors == "&1" else f"errors = open({errors!r}, 'wb')"
        code += "; c = subprocess.call(sys.argv[1:], stdout=log, stderr=errors);"
        code += f"open({noted!r},'w').write(str(c))"
        self.processes.append(
            subprocess.Popen([sys.executable, "-c", code, *words], env=environment, cwd=folder)
        )


def _read(path: bytes, channels: bytes | None = None) -> Any:
    """Width, height and RGBA floats of a picture, rows from the bottom; None when it can't be read.

    Of a picture with a smaller data window the display window, as tools get it that do not ask for less.
    `channels` names four of the file's, with spaces between.
    """
    file = oiio.ImageInput.open(os.fsdecode(path))
    if file is None:
        oiio.geterror()
        return None
    spec = file.spec()
    pixels = np.asarray(file.read_image(oiio.FLOAT)).reshape(spec.height, spec.width, spec.nchannels)
    file.close()
    named = [] if channels is None else channels.decode().split()
    if set(named) <= set(spec.channelnames) and named:
        pixels = pixels[:, :, [spec.channelnames.index(name) for name in named]]
    elif spec.nchannels == 1:
        pixels = np.repeat(pixels, 4, 2)
    elif spec.nchannels == 3:
        pixels = np.concatenate([pixels, np.ones_like(pixels[:, :, :1])], 2)
    assert pixels.shape[2] == 4, (path, named)
    if (spec.full_width, spec.full_height) != (spec.width, spec.height):
        whole = np.zeros((spec.full_height, spec.full_width, 4), np.float32)
        x, y = spec.x - spec.full_x, spec.y - spec.full_y
        whole[y : y + spec.height, x : x + spec.width] = pixels
        pixels = whole
    return pixels.shape[1], pixels.shape[0], np.ascontiguousarray(pixels[::-1], np.float32).tobytes()


def _write(path: bytes, width: int, height: int, data: bytes, half: bool) -> bool:
    """Write an OpenEXR file as a Saver does."""
    Path(os.fsdecode(path)).parent.mkdir(exist_ok=True, parents=True)  # its control CreateDir is on
    pixels = np.ascontiguousarray(np.frombuffer(data, np.float32).reshape(height, width, 4)[::-1])
    spec = oiio.ImageSpec(width, height, 4, "half" if half else "float")
    spec.channelnames = ("R", "G", "B", "A")
    spec.attribute("compression", "zip")
    file = oiio.ImageOutput.create(os.fsdecode(path))
    assert file.open(os.fsdecode(path), spec), file.geterror()
    return bool(file.write_image(pixels) and file.close())


def _numbered(clip: bytes, frame: float) -> bytes:
    """The file of a frame in a clip, named by one of its files or by a pattern."""
    number = f"{int(frame):04d}".encode()
    if b"####" in clip:
        return clip.replace(b"####", number)
    return re.sub(rb"\d+(?=\.\w+$)", number, clip)


def _sequence(clip: bytes) -> tuple[int, int]:
    """First frame and length of the sequence on disk that a clip belongs to."""
    name = Path(os.fsdecode(clip))
    pattern = re.compile(re.sub(r"\d+(?=\\\.\w+$)", r"(\\d+)", re.escape(name.name)))
    frames = [int(m[1]) for m in map(pattern.fullmatch, os.listdir(name.parent)) if m]  # noqa: PTH208
    if not frames:
        return 0, 0
    return min(frames), max(frames) - min(frames) + 1


def _make_folder(path: bytes) -> bool:
    """Make one folder; those above it must be there. A file in the way gives no error, only false."""
    try:
        os.mkdir(path)  # noqa: PTH102
    except (FileExistsError, NotADirectoryError):
        return False
    return True
