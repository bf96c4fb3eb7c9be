"""Say what is installed here and whether a render would run: the first thing to send with a question."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from ..errors import CleanplateError, translated
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
    }
    code = max(look(facts) for look in (_examine_color, _examine_files, _examine_models, _examine_device))
    hand_over({**facts, "exit_code": code}, json, [f"{what + ':':<18}{told}" for what, told in facts.items()])
    return code


def _examine_models(facts: dict[str, str]) -> int:
    try:
        from ..network.bundle import Bundle, known_bundles
    except ImportError as error:
        return _broken(facts, "models", error)
    code, there = 0, False
    for name, path in known_bundles():
        there = True
        # An own bundle may have a shipped one's name.
        what = f"model {name}" if f"model {name}" not in facts else f"model {path}"
        try:
            bundle = Bundle.open(path)
            facts[what] = f"variant {bundle.manifest.variant}, {bundle.model_id}, {path}"
        except CleanplateError as error:
            code = _broken(facts, what, error)
    if not there:
        facts["models"] = "NONE is installed"
        code = 4
    return code


def _examine_device(facts: dict[str, str]) -> int:
    try:
        from ..network.session import Session

        with Session.open("vinet") as session:
            facts["device"] = f"renders run on {session.device}"
    except (CleanplateError, ImportError) as error:
        return _broken(facts, "device", error, "NONE")
    return 0


def _examine_color(facts: dict[str, str]) -> int:
    try:
        from ..color.ocio import title_of

        facts["color"] = title_of(None)
    except (CleanplateError, ImportError) as error:
        return _broken(facts, "color", error)
    return 0


def _broken(facts: dict[str, str], what: str, error: Exception, how: str = "BROKEN") -> int:
    """Note what is wrong; returns the exit code of a render that meets it. Raises what only a bug can be."""
    ours = translated(error)
    if ours is None:
        raise error
    facts[what] = f"{how}: {ours}"
    return ours.exit_code


def _examine_files(facts: dict[str, str]) -> int:
    try:
        from ..job.config import files_around, read_file, users_file

        own = users_file(os.environ)
        files = [*files_around([Path.cwd()], os.environ), *([] if own is None else [own])]
        for path in files:
            read_file(path)
    except (CleanplateError, ImportError) as error:
        return _broken(facts, "settings files", error)
    facts["settings files"] = ", ".join(map(str, files)) or "none here or above, and none of the user's"
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
