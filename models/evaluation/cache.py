"""Fills and scores of the baselines, kept on disk until a case, a picture or their code changes."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import plugin_core
from plugin_core.disk.atomic import replacing

from .clips import Footage, Video
from .scores import Scores

_CODE = ("cases.py", "clips.py", "baselines.py", "scores.py", "detail.py", "texture.py", "detail_flicker.py")
_OWN_CODE = {
    "harmonic": ("harmonic.py",),
    "median": ("median.py",),
    "flow": ("flow_fill.py",),
    "flow-past": ("flow_fill.py",),
}
_CORE_CODE = ("qc/scores.py", "qc/warp_error.py")


def default_cache() -> Path:
    """Return the user's cache folder for evaluations."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cleanplate" / "evaluate"


class Cache:
    """A folder of fills and scores; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, key: str, footage: Footage) -> tuple[Video, Scores] | None:
        """Return what is kept under a key; None when nothing is, or it is damaged."""
        if self._folder is None or not self._path(key).is_file():
            return None
        try:
            with np.load(self._path(key)) as kept:
                scores = Scores(**json.loads(str(kept["scores"])))
                pixels, result = kept["pixels"], []
        except (OSError, ValueError, KeyError, TypeError):
            return None
        at = 0
        for picture, hole in zip(footage.truth, footage.holes, strict=True):
            filled, count = picture.copy(), int(hole.sum())
            filled[hole] = pixels[at : at + count]
            at += count
            result.append(filled)
        return result, scores

    def save(self, key: str, footage: Footage, result: Video, scores: Scores) -> None:
        """Keep a fill (its holes' pixels) and its scores."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        inside = [picture[hole] for picture, hole in zip(result, footage.holes, strict=True)]
        with replacing(self._path(key)) as temporary, temporary.open("wb") as file:
            np.savez(file, pixels=np.concatenate(inside), scores=np.array(json.dumps(asdict(scores))))

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}.npz"


def cache_key(footage: Footage, method: str, protocol: Any, fingerprint: list[str]) -> str:
    """Return a name that changes with anything a baseline's scores depend on."""
    parts = {
        "case": asdict(footage.case),
        "size": footage.size,
        "method": method,
        "protocol": protocol,
        "clip": fingerprint,
        "code": _code_digest(method),
        "opencv": cv2.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


@functools.cache
def _code_digest(method: str) -> str:
    """A hash of the code that a baseline's fills and scores come from."""
    digest = hashlib.sha256()
    core = Path(str(plugin_core.__file__)).parent
    here = Path(__file__).parent
    own = [here / name for name in (*_CODE, *_OWN_CODE.get(method, ()))]
    for path in [*own, *(core / name for name in _CORE_CODE)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
