"""Make docs/images/retarget.jpg: the sample shot, squeezed whole, and retargeted.

.venv/bin/python docs/images/retarget_picture.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.cli import main
from plugin_core.images import read_matte, read_plate
from plugin_core.sample import FIRST, LAST, clean_pattern, frame_path, matte_pattern, plate_pattern

FRAMES = (1003, 1012, 1021)
SKY_ENDS = 156
"""Row below which only the shadow lies."""

WHERE = Path(__file__).with_name("retarget.jpg")


def shown(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture as a screen shows it, blue first, with a margin."""
    curve = np.clip(linear, 0, 1) ** np.float32(1 / 2.2)
    picture = np.rint(curve[..., ::-1] * 255).astype(np.uint8)
    return np.pad(picture, ((4, 4), (4, 4), (0, 0)), constant_values=32)


def mattes(folder: Path) -> None:
    """Write a matte that fits the balloon, and one of its shadow: the sample has a wide one for both."""
    for frame in range(FIRST, LAST + 1):
        plate = read_plate(frame_path(plate_pattern(), frame)).rgb
        clean = read_plate(frame_path(clean_pattern(), frame)).rgb
        given = read_matte(frame_path(matte_pattern(), frame)).values
        differs = np.abs(plate - clean).max(axis=2) / (clean.max(axis=2) + 0.02)
        balloon = np.clip(differs * 5 - 0.3, 0, 1) * (given > 0)
        shadow = given.copy()
        balloon[SKY_ENDS:], shadow[:SKY_ENDS] = 0, 0
        for name, values in (("matte", balloon), ("shadow", shadow)):
            file = oiio.ImageBuf(np.ascontiguousarray(values[..., np.newaxis], np.float32))
            assert file.write(f"{folder}/{name}.{frame:04d}.exr", "half")


def picture() -> None:
    """Retarget the sample with its true clean plate, and lay before and after beside each other."""
    with tempfile.TemporaryDirectory() as folder:
        mattes(Path(folder))
        given = ["--plate", plate_pattern(), "--matte", f"{folder}/matte.####.exr"]
        given += ["--shadow-matte", f"{folder}/shadow.####.exr", "--clean", clean_pattern()]
        where = ["--aspect", "9:16", "--output", f"{folder}/tall.####.exr", "--progress", "none"]
        assert main(["retarget", *given, *where]) == 0
        rows = []
        for frame in FRAMES:
            before = read_plate(frame_path(plate_pattern(), frame)).rgb
            after = read_plate(frame_path(f"{folder}/tall.####.exr", frame)).rgb
            thin = cv2.resize(before, after.shape[1::-1], interpolation=cv2.INTER_AREA)
            rows.append(np.hstack([shown(each) for each in (before, thin, after)]))
        assert cv2.imwrite(str(WHERE), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    picture()
