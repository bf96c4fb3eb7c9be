"""The extension in the real bpy, in processes of their own, and a small shot cut from the sample."""

from __future__ import annotations

import functools
import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.images import read_matte, read_plate
from plugin_core.sample import FIRST, frame_path, matte_pattern, plate_pattern

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "blender" / "cleanplate_blender"
INSIDE = Path(__file__).with_name("inside.py")
VERSIONS = os.environ.get("CLEANPLATE_TEST_BPY", "4.5").split()
"""Versions of bpy to test in; each is installed by `make bpy-VERSION`. The first takes every test, the others
those marked `every_blender`: they go through each place where `compat.py` tells versions apart."""
WHOLE = os.environ.get("CLEANPLATE_TEST_BPY_WHOLE") == "1"
"""Every test in every version: before a release, and after a change to `compat.py`."""

START_SECONDS, CALL_SECONDS = 120, 180
FRAMES = 7
SIZE = (224, 168)
_CUT = (slice(36, 204), slice(20, 244))
_BEGIN = FIRST + 8


def bpy_python(version: str) -> Path:
    """The Python of a bpy environment; skips where there is none."""
    folder = ROOT / f".venv-bpy-{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "installed.stamp").is_file():
        pytest.skip(f"bpy {version} is not installed here: make bpy-{version} says why")
    return python


class Blender:
    """A running Python with bpy, which does what `inside.py` has.

    Args:
        version: of bpy.
        folder: for its user files and its log.
        environ: added to its environment.
    """

    def __init__(self, version: str, folder: Path, **environ: str) -> None:
        self.version = version
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "blender.log"
        reading, writing = os.pipe()
        env = {
            **os.environ,
            "BLENDER_USER_RESOURCES": str(folder / "user"),
            "CLEANPLATE": sys.executable,
            "OMP_NUM_THREADS": "1",
        }
        env.pop("OCIO", None)
        env.update(environ)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(bpy_python(version)), str(INSIDE), str(writing)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=env,
                pass_fds=[writing],
                cwd=folder,
            )
        os.close(writing)
        self._replies = os.fdopen(reading, "rb", buffering=0)
        self._rest = b""
        if self._reply(START_SECONDS) is None:
            said = self.log.read_text(errors="replace")
            self.close()
            if "ImportError" in said:
                pytest.skip(f"bpy {version} can't be loaded here: {said.strip().splitlines()[-1]}")
            raise AssertionError(said)

    def __getattr__(self, name: str) -> Any:
        return functools.partial(self.call, name)

    def call(self, call: str, /, **arguments: Any) -> Any:
        """Let it do something and return what that returns."""
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"call": call, "with": arguments}) + "\n").encode())
        self.process.stdin.flush()
        reply = self._reply(CALL_SECONDS)
        assert reply is not None, f"{call}: Blender ended.\n{self.log.read_text(errors='replace')[-4000:]}"
        assert "error" not in reply, f"{call}: {reply['error']}"
        return reply["value"]

    def tell(self, call: str) -> None:
        """Let it do something that it does not return from."""
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"call": call, "with": {}}) + "\n").encode())
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._replies.close()

    def _reply(self, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._replies], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                self.process.kill()
                raise AssertionError(
                    f"No answer in {seconds} s.\n{self.log.read_text(errors='replace')[-4000:]}"
                )
            data = self._replies.read(1 << 16)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


@functools.cache
def sample(kind: str, index: int) -> np.ndarray:
    """The cut of the sample's plate (H, W, 3) or matte (H, W), float32."""
    frame = _BEGIN + index
    if kind == "plate":
        return np.asarray(read_plate(frame_path(plate_pattern(), frame)).rgb[_CUT], np.float32)
    return read_matte(frame_path(matte_pattern(), frame)).values[_CUT]


def write_picture(path: Path, pixels: np.ndarray, kind: str = "half") -> None:
    """Write (H, W) or (H, W, C) values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    if pixels.shape[2] == 1 and path.suffix == ".exr":
        spec.channelnames = ("Y",)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels, np.float32)), file.geterror()
    assert file.close()


def read_picture(path: Path | str) -> np.ndarray:
    """Read (H, W, C) float32."""
    file = oiio.ImageInput.open(str(path))
    assert file is not None, oiio.geterror()
    pixels = file.read_image("float")
    file.close()
    return np.asarray(pixels)


def display(values: np.ndarray) -> np.ndarray:
    """Scene-linear to sRGB, for pictures of 8 bits."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


class Shot:
    """The small shot on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plate(self, extension: str = ".exr", count: int = FRAMES) -> list[str]:
        return self._write("plate", extension, count)

    def matte(self, extension: str = ".exr", count: int = FRAMES) -> list[str]:
        return self._write("matte", extension, count)

    def change_matte(self, files: list[str], index: int) -> None:
        """Take the top off one matte."""
        values = sample("matte", index).copy()
        rows = np.nonzero(values.max(axis=1) > 0.5)[0]
        values[: rows[0] + 6] = 0
        write_picture(Path(files[index]), values)

    def _write(self, kind: str, extension: str, count: int) -> list[str]:
        paths = [self.folder / kind / f"{kind}.{1001 + index}{extension}" for index in range(count)]
        for index, path in enumerate(paths):
            pixels = sample(kind, index)
            if extension == ".exr":
                write_picture(path, pixels)
            else:
                write_picture(
                    path,
                    display(pixels) if kind == "plate" else pixels,
                    "uint16" if extension == ".tif" else "uint8",
                )
        return [str(path) for path in paths]


def fake_core(tmp_path: Path, body: str) -> dict[str, str]:
    """A program in the core's place; returns the environment that names it."""
    path = tmp_path / "fake_cleanplate"
    path.write_text(f"#!{sys.executable}\nimport sys, json, time, pathlib\n{body}\n")
    path.chmod(0o755)
    return {"CLEANPLATE": str(path)}


@pytest.fixture
def shot(tmp_path) -> Shot:
    return Shot(tmp_path / "in")


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory) -> Path:
    """The zip, built once."""
    return build_extension(tmp_path_factory.mktemp("zip"))


def build_extension(out: Path) -> Path:
    """Build and validate the zip with Blender's own tool as `make blender-extension` does it."""
    command = [str(bpy_python(VERSIONS[0])), str(ROOT / "blender" / "build.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.zip"))


@pytest.fixture(scope="session")
def _sessions(tmp_path_factory, extension_zip) -> Iterator[dict[str, Blender]]:
    running: dict[str, Blender] = {}
    yield running
    for blender in running.values():
        blender.close()


_count = itertools.count()


def start(version: str, folder: Path, extension_zip: Path, **environ: str) -> Blender:
    """A Blender with the extension installed from the zip."""
    blender = Blender(version, folder, **environ)
    assert blender.install(zip_path=str(extension_zip))
    return blender


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test of Blender the versions that it is to be run in."""
    marked = metafunc.definition.get_closest_marker("every_blender")
    for name in {"blender", "own_blender", "version"} & set(metafunc.fixturenames):
        versions = VERSIONS if marked or WHOLE else VERSIONS[:1]
        metafunc.parametrize(name, versions, indirect=name != "version")


@pytest.fixture
def blender(request, _sessions, tmp_path_factory, extension_zip) -> Blender:
    """A Blender with the extension; shared by the tests as long as it lives."""
    version = request.param
    running = _sessions.get(version)
    if running is None or running.process.poll() is not None:
        running = start(version, tmp_path_factory.mktemp(f"blender-{version}"), extension_zip)
        _sessions[version] = running
    return running
