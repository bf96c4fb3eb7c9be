"""Say what is installed here and whether a render would run: the first thing to send with a question."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from ..errors import CleanplateError
from .json_file import hand_over

_PACKAGES = (
    "numpy",
    "OpenImageIO",
    "opencolorio",
    "onnxruntime-gpu",
    "onnxruntime",
    "av",
    "torch",
)


def examine(json: str | None = None) -> int:
    """Tell every fact, as lines or as JSON. Returns 0 when a render would run, else how it would end.

    Args:
        json: where the JSON goes, see `hand_over`; None for lines alone.
    """
    facts = {
        "python": f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores",
        "cleanplate": __version__,
        **{package: _version(package) for package in _PACKAGES},
        "color": _color_configuration(),
        "settings files": _settings_files(),
    }
    code = max(_examine_models(facts), _examine_device(facts))
    hand_over({**facts, "exit_code": code}, json, [f"{what + ':':<18}{told}" for what, told in facts.items()])
    return code


def _examine_models(facts: dict[str, str]) -> int:
    from ..network.bundle import Bundle, known_bundles

    code, there = 0, False
    for name, path in known_bundles():
        there = True
        # An own bundle may have a shipped one's name.
        what = f"model {name}" if f"model {name}" not in facts else f"model {path}"
        try:
            bundle = Bundle.open(path)
            facts[what] = f"variant {bundle.manifest.variant}, {bundle.model_id}, {path}"
        except CleanplateError as error:
            facts[what] = f"BROKEN: {error}"
            code = error.exit_code
    if not there:
        facts["models"] = "NONE is installed"
        code = 4
    return code


def _examine_device(facts: dict[str, str]) -> int:
    from ..network.session import Session

    try:
        with Session.open("vinet") as session:
            facts["device"] = f"renders run on {session.device}"
    except CleanplateError as error:
        facts["device"] = f"NONE: {error}"
        return error.exit_code
    return 0


def _color_configuration() -> str:
    from ..color.ocio import title_of

    try:
        return title_of(None)
    except CleanplateError as error:
        return f"BROKEN: {error}"


def _settings_files() -> str:
    from ..job.config import files_around, read_file, users_file

    try:
        own = users_file(os.environ)
        files = [*files_around([Path.cwd()], os.environ), *([] if own is None else [own])]
        for path in files:
            read_file(path)
    except CleanplateError as error:
        return f"BROKEN: {error}"
    return ", ".join(map(str, files)) or "none here or above, and none of the user's"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
