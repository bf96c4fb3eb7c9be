"""The last frame that was filled, as a small picture for the panel."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy.utils.previews

_SECONDS = 2.0
"""Between two pictures: each is read from the disk."""

_loaded: Any = None
_path: Path | None = None
_when = 0.0


def icon_of(path: Path) -> int:
    """Return the icon of a picture on disk; within two seconds of another one, that one's."""
    global _loaded, _path, _when
    if _loaded is None:
        _loaded = bpy.utils.previews.new()
    if path != _path and (_path is None or time.monotonic() - _when > _SECONDS):
        _loaded.clear()
        _path, _when = path, time.monotonic()
        _loaded.load(str(path), str(path), "IMAGE")
    return int(_loaded[str(_path)].icon_id)


def forget() -> None:
    """Let go of it."""
    global _loaded, _path
    if _loaded is not None:
        bpy.utils.previews.remove(_loaded)
    _loaded = _path = None
