"""Cleanplate's core: knows plates, mattes, frames and one recurrent network; knows no host.

    from cleanplate import Settings, Shot, open_model

What is exported here is public (docs/api.md). The names are loaded when they are first used, so that
importing the package costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .api import (
        Model,
        ProbeReport,
        QcLimits,
        QcReport,
        Restored,
        fill,
        forecast_job,
        open_model,
        probe_job,
        qc_job,
        restore_job,
        retarget_job,
    )
    from .errors import (
        BatchError,
        CleanplateError,
        DeviceError,
        ImageError,
        InputError,
        Interrupted,
        MissingFramesError,
        MistakesError,
        ModelError,
        NotEnoughMemoryError,
        OutputBusyError,
        SettingsError,
        StateError,
        WriteError,
    )
    from .job.job import Job
    from .job.restore_settings import Restore
    from .job.retarget_settings import Retarget
    from .job.settings import Run, Settings, Shot
    from .probe.forecast import Forecast
    from .progress.reporters import JsonLines, Reporter, Reporters, reporting
    from .progress.signals import on_signals
    from .progress.stop import Stop
    from .render.render import FrameDone

# ONNX Runtime keeps telemetry in the user's cache folder otherwise. It looks when it is first imported, which
# is after this.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "BatchError",
    "CleanplateError",
    "DeviceError",
    "Forecast",
    "FrameDone",
    "ImageError",
    "InputError",
    "Interrupted",
    "Job",
    "JsonLines",
    "MissingFramesError",
    "MistakesError",
    "Model",
    "ModelError",
    "NotEnoughMemoryError",
    "OutputBusyError",
    "ProbeReport",
    "QcLimits",
    "QcReport",
    "Reporter",
    "Reporters",
    "Restore",
    "Restored",
    "Retarget",
    "Run",
    "Settings",
    "SettingsError",
    "Shot",
    "StateError",
    "Stop",
    "WriteError",
    "__version__",
    "fill",
    "forecast_job",
    "on_signals",
    "open_model",
    "probe_job",
    "qc_job",
    "reporting",
    "restore_job",
    "retarget_job",
]

_HOMES = {
    ".api": (
        "Model",
        "ProbeReport",
        "QcLimits",
        "QcReport",
        "Restored",
        "fill",
        "forecast_job",
        "open_model",
        "probe_job",
        "qc_job",
        "restore_job",
        "retarget_job",
    ),
    ".errors": (
        "BatchError",
        "CleanplateError",
        "DeviceError",
        "ImageError",
        "InputError",
        "Interrupted",
        "MissingFramesError",
        "MistakesError",
        "ModelError",
        "NotEnoughMemoryError",
        "OutputBusyError",
        "SettingsError",
        "StateError",
        "WriteError",
    ),
    ".job.job": ("Job",),
    ".job.restore_settings": ("Restore",),
    ".job.retarget_settings": ("Retarget",),
    ".job.settings": ("Run", "Settings", "Shot"),
    ".probe.forecast": ("Forecast",),
    ".progress.reporters": ("JsonLines", "Reporter", "Reporters", "reporting"),
    ".progress.signals": ("on_signals",),
    ".progress.stop": ("Stop",),
    ".render.render": ("FrameDone",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
