"""How fast the child Blender renders plate and matte for the core, in HD; the core itself does nothing here.

Needs the environment of `make bpy-4.5`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2

from tests.blender.conftest import (
    FRAMES,
    ROOT,
    VERSIONS,
    build_extension,
    display,
    fake_core,
    sample,
    start,
    write_picture,
)

SIZE = (1920, 1080)
REPEATS = 4
"""Times that the sample's few frames are repeated."""


def shot(folder: Path, kind: str, extension: str) -> list[str]:
    """Write the sample's cut in HD."""
    paths = [folder / f"{kind}.{1001 + index}{extension}" for index in range(FRAMES * REPEATS)]
    for index, path in enumerate(paths):
        values = cv2.resize(sample(kind, index % FRAMES), SIZE)
        if extension == ".exr":
            write_picture(path, values)
        else:
            write_picture(path, display(values), "uint8")
    return [str(path) for path in paths]


def main() -> None:
    """Print frames (plate and matte) a second of each kind of plate."""
    version = VERSIONS[0]
    if not (ROOT / f".venv-bpy-{version}" / "installed.stamp").is_file():
        print(f"bpy {version} is not installed: make bpy-{version}")
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        blender = start(version, root / "blender", build_extension(root / "zip"))
        try:
            measure(blender, root)
        finally:
            blender.close()


def measure(blender, root: Path) -> None:
    core = fake_core(root, "sys.exit('cleanplate: enough')")
    matte = shot(root / "matte", "matte", ".exr")
    plates = {".exr": shot(root / "exr", "plate", ".exr"), ".png": shot(root / "png", "plate", ".png")}
    blender.new_file(size=SIZE)
    blender.images(name="plate", files=plates[".png"], channel=1, start=1)
    blender.encode(frames=[1, len(matte)], path=str(root / "plate.mkv"))
    for name in (".exr", ".png", ".mkv"):
        blender.new_file(size=SIZE, save_as=str(root / f"cut{name}.blend"))
        if name == ".mkv":
            blender.movie(name="plate", file=str(root / "plate.mkv"), channel=1, start=1)
        else:
            # Moved by a pixel, so that Blender has to render it.
            blender.images(name="plate", files=plates[name], channel=1, start=1, transform={"offset_x": 1})
        blender.images(name="matte", files=matte, channel=2, start=1, transform={"offset_x": 1})
        began = time.monotonic()
        blender.inpaint(environ=core)
        seconds = time.monotonic() - began
        print(f"{name} plate in HD: {len(matte)} frames in {seconds:.1f} s, {len(matte) / seconds:.1f} fps")


if __name__ == "__main__":
    main()
