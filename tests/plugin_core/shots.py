"""Small synthetic shots on disk, and what a test wants to know of a rendered one."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.render import FrameDone, render

from .toy_network import ToyNetwork

WIDTH, HEIGHT = 96, 64
QUICK = Settings(working_size=64, context=16, propagate=0, paint="network", grow=0, feather=0)
"""The hole is the matte as it stands, so that a test knows its pixels."""


@dataclass(frozen=True)
class ShotOnDisk:
    """A plate and a matte in a folder, and a place for the output beside them."""

    folder: Path
    first: int
    last: int
    extension: str = ".exr"

    def plate(self, frame: int) -> Path:
        return self.folder / "plate" / f"plate.{frame:04d}{self.extension}"

    def matte(self, frame: int) -> Path:
        return self.folder / "matte" / f"matte.{frame:04d}.png"

    @property
    def plate_pattern(self) -> str:
        return str(self.folder / "plate" / f"plate.####{self.extension}")

    @property
    def matte_pattern(self) -> str:
        return str(self.folder / "matte" / "matte.####.png")

    def output(self, name: str = "out") -> str:
        return str(self.folder / name / f"clean.####{self.extension}")

    def written(self, frame: int, name: str = "out") -> Path:
        return self.folder / name / f"clean.{frame:04d}{self.extension}"

    def shot(self, name: str = "out", frames: str | None = None, **fields: object) -> Shot:
        return Shot(
            plate=self.plate_pattern,
            matte=self.matte_pattern,
            output=self.output(name),
            frames=frames,
            **fields,
        )

    def copied(self, folder: Path, *names: str) -> ShotOnDisk:
        """The shot in another folder, with these of its folders."""
        for name in names:
            shutil.copytree(
                self.folder / name, folder / name, copy_function=shutil.copyfile, dirs_exist_ok=True
            )
        return replace(self, folder=folder)

    def arguments(self, name: str = "out", *more: str) -> list[str]:
        """Command line of a small render into folder `name`."""
        given = ["render", "--plate", self.plate_pattern, "--matte", self.matte_pattern]
        given += ["--output", self.output(name), "--working-size", "64", "--context", "16"]
        given += ["--grow", "0", "--feather", "0", "--paint", "network"]
        return [*given, "--device", "cpu", "--threads", "1", *more]


def make_shot(
    folder: Path,
    first: int = 1,
    last: int = 12,
    *,
    empty: tuple[int, ...] = (),
    extension: str = ".exr",
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> ShotOnDisk:
    """Write a moving plate (half-float EXR with an extra channel, or 8 bits) and a moving matte."""
    return _drawn(first, last, empty, extension, size).copied(folder, "plate", "matte")


def make_rendered_shot(folder: Path, first: int, last: int) -> ShotOnDisk:
    """Write a shot as `make_shot` does, and its render in one go by the toy network into "whole"."""
    return _rendered(first, last).copied(folder, "plate", "matte", "whole")


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    """What is drawn and rendered once in a process, for many tests."""
    return tempfile.TemporaryDirectory(prefix="cleanplate-shots-")


@cache
def _drawn(
    first: int, last: int, empty: tuple[int, ...], extension: str, size: tuple[int, int]
) -> ShotOnDisk:
    shot = ShotOnDisk(Path(tempfile.mkdtemp(dir=_kept().name)), first, last, extension)
    for frame in range(first, last + 1):
        write_plate(shot.plate(frame), picture(frame, size))
        write_matte(shot.matte(frame), hole(frame, size, empty=frame in empty))
    return shot


@cache
def _rendered(first: int, last: int) -> ShotOnDisk:
    shot = make_shot(Path(tempfile.mkdtemp(dir=_kept().name)), first, last)
    run_toy(shot.shot("whole"))
    shutil.rmtree(shot.folder / "whole" / ".cleanplate")
    return shot


def picture(frame: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> NDArray[np.float32]:
    """R, G, B and depth of a frame: waves that travel, with values above 1 and below 0."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [np.sin(x / 7 + frame / 3), np.cos(y / 5 - frame / 4), np.sin((x + y) / 9 + frame / 5)]
    depth = 100 + x + frame
    return np.stack([*(0.6 + 0.65 * wave for wave in waves), depth], axis=2).astype(np.float32)


def hole(frame: int, size: tuple[int, int] = (WIDTH, HEIGHT), *, empty: bool = False) -> NDArray[np.uint8]:
    """A block that travels to the right."""
    width, height = size
    matte = np.zeros((height, width), np.uint8)
    if not empty:
        left = width // 4 + frame % 8
        matte[height // 3 : height // 3 + 16, left : left + 20] = 255
    return matte


def write_plate(path: Path, pixels: NDArray[np.float32]) -> None:
    """Write R, G, B and Z as half-float EXR, or R, G, B in 8 bits under any other extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pixels.shape[:2]
    if path.suffix == ".exr":
        spec = oiio.ImageSpec(width, height, 4, "half")
        spec.channelnames = ("R", "G", "B", "Z")
        spec.attribute("compression", "zip")
        spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (0x01020304, 0))
        spec.attribute("owner", "test")
        spec.attribute("DateTime", "2026:01:02 03:04:05")  # else OpenImageIO adds the present time
        _write(path, spec, pixels.astype(np.float16))
    else:
        spec = oiio.ImageSpec(width, height, 3, "uint8")
        _write(path, spec, (np.clip(pixels[:, :, :3], 0, 1) * 255).astype(np.uint8))


def write_matte(path: Path, values: NDArray[np.uint8]) -> None:
    """Write a matte of one channel, 8 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, oiio.ImageSpec(values.shape[1], values.shape[0], 1, "uint8"), values[:, :, None])


def _write(path: Path, spec: oiio.ImageSpec, pixels: NDArray[np.generic]) -> None:
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels)), file.geterror()
    assert file.close()


def read(path: Path) -> NDArray[np.generic]:
    """All channels of a file in its own type."""
    file = oiio.ImageInput.open(str(path))
    assert file is not None, oiio.geterror()
    pixels = file.read_image(0, 0, 0, file.spec().nchannels, file.spec().format)
    file.close()
    return pixels


def same_files(shot: ShotOnDisk, one: str, other: str, frames: range | None = None) -> None:
    """Assert that two rendered outputs are the same byte for byte: pixels, header and all."""
    for frame in frames or range(shot.first, shot.last + 1):
        left, right = shot.written(frame, one), shot.written(frame, other)
        if left.read_bytes() != right.read_bytes():
            np.testing.assert_array_equal(bits(read(left)), bits(read(right)), err_msg=f"frame {frame}")
            raise AssertionError(f"frame {frame}: same pixels, but the headers differ")


def differing(shot: ShotOnDisk, one: str, other: str, frames: range | None = None) -> list[int]:
    """Frames on which two rendered outputs are not the same byte for byte."""
    return [
        frame
        for frame in frames or range(shot.first, shot.last + 1)
        if shot.written(frame, one).read_bytes() != shot.written(frame, other).read_bytes()
    ]


def bits(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Pixels as integers of the same size, so that NaN equals NaN and -0 is not 0."""
    return pixels.view({1: np.uint8, 2: np.uint16, 4: np.uint32}[pixels.dtype.itemsize])


def leftovers(folder: Path) -> list[str]:
    """Temporary files anywhere under a folder."""
    found = (path.name for path in folder.rglob("*"))
    return sorted(name for name in found if ".tmp" in name or "cleanplate-" in name)


def run_toy(
    shot: Shot,
    settings: Settings = QUICK,
    *,
    network: ToyNetwork | None = None,
    reporters: Reporters | None = None,
    stop: Stop | None = None,
    **run: object,
) -> list[FrameDone]:
    """Render with the toy network, in this process."""
    return list(
        render(
            shot, settings, Run(**run), network or ToyNetwork(), reporters or Reporters([]), stop or Stop()
        )
    )
