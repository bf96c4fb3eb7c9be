"""Make docs/images/shown.jpg: what `show` gives, by Nuke's node in the stand-in and the real core.

.venv/bin/python docs/images/shown_picture.py (from the repository's root; a minute)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio

from generate.nuke_page import _session
from plugin_core.sample import matte_pattern, plate_pattern

VIEWS = ("plate", "matte overlay", "result", "difference", "source", "confidence")
FIRST, LAST, FRAME = 1001, 1024, 1012
WIDTH, HEIGHT, BAND, GAP = 400, 225, 24, 4
PICTURE = Path(__file__).with_name("shown.jpg")


def main() -> None:
    """Render the sample shot with the patch on, look at every view, and lay them beside each other."""
    with tempfile.TemporaryDirectory() as folder, _session() as host:
        import cleanplate_nuke
        from cleanplate_nuke import flow

        for frame in range(FIRST, LAST + 1):
            _as_alpha(Path(matte_pattern().replace("####", str(frame))), Path(folder) / f"matte.{frame}.exr")
        node = cleanplate_nuke.create(_read(host, plate_pattern()), _read(host, f"{folder}/matte.####.exr"))
        for name, value in {
            "folder": folder,
            "command": sys.executable,
            "patch": True,
            "device": "cpu",
            "range": "custom",
            "first": FIRST,
            "last": LAST,
        }.items():
            node[name].setValue(value)
        host.press(node, "do_render")
        host.pump(lambda: not flow._running, 600)
        assert not host.messages, host.messages
        tiles = []
        for view in VIEWS:
            node["show"].setValue(view)
            tiles.append(_tile(host.picture(node, FRAME), view))
    rows = [np.hstack(tiles[start : start + 3]) for start in (0, 3)]
    assert cv2.imwrite(str(PICTURE), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(PICTURE, PICTURE.stat().st_size)


def _read(host: Any, pattern: str) -> Any:
    read = host.module.nodes.Read()
    read["file"].setValue(pattern.replace("####", "%04d"))
    for name, value in (("first", FIRST), ("last", LAST), ("raw", True)):
        read[name].setValue(value)
    return read


def _as_alpha(source: Path, path: Path) -> None:
    """The sample's mattes have the one channel Y; write it as the alpha that a Roto gives."""
    picture = oiio.ImageBuf(str(source))
    picture.specmod().channelnames = ("A",)
    assert picture.write(str(path)), picture.geterror()


def _tile(picture: Any, name: str) -> np.ndarray:
    """A view as a screen shows it, its name in a band above."""
    planes = picture.over((0, 0, *picture.size))
    light = np.stack([planes[f"rgba.{channel}"] for channel in ("blue", "green", "red")], axis=2)
    light = np.clip(light * (4 if name == "difference" else 1), 0, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    small = cv2.resize((255 * shown + 0.5).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    band = np.full((BAND, WIDTH, 3), 40, np.uint8)
    text = name + (" (x 4)" if name == "difference" else "")
    cv2.putText(band, text, (8, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(np.vstack((band, small)), 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255,) * 3)


if __name__ == "__main__":
    main()
