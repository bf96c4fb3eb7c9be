"""Cleanplate's core: knows plates, mattes, frames and one recurrent network; knows no host.

    from plugin_core import Settings, Shot, open_model

The names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Model, open_model
    from .errors import CleanplateError
    from .job.job import Job
    from .job.settings import Run, Settings, Shot
    from .render.render import FrameDone

# ONNX Runtime keeps telemetry in the user's cache folder otherwise. It looks when it is first imported, which
# is after this.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["CleanplateError", "FrameDone", "Job", "Model", "Run", "Settings", "Shot", "open_model"]

_HOMES = {
    "CleanplateError": ".errors",
    "FrameDone": ".render.render",
    "Job": ".job.job",
    "Model": ".api",
    "Run": ".job.settings",
    "Settings": ".job.settings",
    "Shot": ".job.settings",
    "open_model": ".api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
