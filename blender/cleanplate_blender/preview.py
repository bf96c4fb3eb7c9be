"""The last frame that was filled, as a small picture for the panel."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy.utils.previews

_SECONDS = 2.0
"""Between two pictures: each is read from the disk."""

_KEPT = 2
"""Pictures that are kept: what is on the screen is drawn from the one before."""

_loaded: list[tuple[Path, Any]] = []
_when = 0.0


def icon_of(path: Path) -> int:
    """Return the icon of a picture on disk; within two seconds of another one, that one's."""
    global _when
    if not _loaded or (path != _loaded[-1][0] and time.monotonic() - _when > _SECONDS):
        _when = time.monotonic()
        pictures = bpy.utils.previews.new()
        pictures.load(str(path), str(path), "IMAGE")
        _loaded.append((path, pictures))
        while len(_loaded) > _KEPT:
            bpy.utils.previews.remove(_loaded.pop(0)[1])
    shown, pictures = _loaded[-1]
    return int(pictures[str(shown)].icon_id)


def forget() -> None:
    """Let go of all."""
    while _loaded:
        bpy.utils.previews.remove(_loaded.pop()[1])
