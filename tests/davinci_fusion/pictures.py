"""Numbered OpenEXR files for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from .host import _write


def sequence(folder: Path, name: str, frames: Iterable[int], picture: Callable[[int], np.ndarray]) -> Path:
    """Write RGBA pictures (H, W, 4) float32 and return their pattern, name.####.exr."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        pixels = picture(frame)
        path = folder / f"{name}.{frame:04d}.exr"
        _write(str(path).encode(), pixels.shape[1], pixels.shape[0], pixels[::-1].tobytes(), False)
    return folder / f"{name}.####.exr"
