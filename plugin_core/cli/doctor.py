"""Say what is installed here and whether a render would run: the first thing to send with a question."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

from .. import __version__
from ..errors import CleanplateError
from ..progress.terminal import say

_PACKAGES = (
    "numpy",
    "OpenImageIO",
    "opencolorio",
    "onnxruntime-gpu",
    "onnxruntime",
    "av",
    "torch",
)


def examine(stream: TextIO) -> int:
    """Write a line for each fact. Returns 0 when a render would run, else the exit code of its end."""
    _line(stream, "python", f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    _line(stream, "cleanplate", __version__)
    for package in _PACKAGES:
        _line(stream, package, _version(package))
    _line(stream, "color", _color_configuration())
    return max(_examine_models(stream), _examine_device(stream))


def _examine_models(stream: TextIO) -> int:
    from ..network.bundle import Bundle, known_bundles

    found, code = 0, 0
    for name, path in known_bundles():
        found += 1
        try:
            bundle = Bundle.open(path)
            _line(stream, f"model {name}", f"variant {bundle.manifest.variant}, {bundle.model_id}, {path}")
        except CleanplateError as error:
            _line(stream, f"model {name}", f"BROKEN: {error}")
            code = error.exit_code
    if not found:
        _line(stream, "models", "NONE is installed")
        code = 4
    return code


def _examine_device(stream: TextIO) -> int:
    from ..network.session import Session

    try:
        with Session.open("vinet") as session:
            _line(stream, "device", f"renders run on {session.device}")
    except CleanplateError as error:
        _line(stream, "device", f"NONE: {error}")
        return error.exit_code
    return 0


def _color_configuration() -> str:
    from ..color.ocio import title_of

    try:
        return title_of(None)
    except CleanplateError as error:
        return f"BROKEN: {error}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _line(stream: TextIO, what: str, text: str) -> None:
    say(f"{what + ':':<18}{text}", stream=stream)
