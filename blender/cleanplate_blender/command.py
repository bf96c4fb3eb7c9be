"""Where the command `cleanplate` is, and the environment it is started in."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from .problem import InpaintError

NOTE = "installed.json"
"""What `cleanplate install blender` leaves in the extension's own folder: where the command is."""


def find_command(given: str = "", notes: str = "") -> list[str]:
    """Return the words that start `cleanplate`.

    Looks at `given`, then at ``$CLEANPLATE``, the note of the installation, the checkout that this folder is
    a part of, and ``$PATH``.

    Args:
        given: the preference: the command, a Python that has Cleanplate, or a virtual environment's folder.
        notes: the folder of the installation's note.

    Raises InpaintError when there is none, or one that is named is not there.
    """
    for place, what in (
        (given, "the preferences"),
        (os.environ.get("CLEANPLATE", ""), "$CLEANPLATE"),
        (_noted(notes), "its installation"),
    ):
        if place.strip():
            found = _command_at(Path(place.strip()).expanduser())
            if found is None:
                raise InpaintError(
                    f"There is no cleanplate at {place} (from {what}); give the path of the command, or "
                    "of the Python that has it, in the extension's preferences."
                )
            return found
    for folder in Path(__file__).resolve().parents:
        found = _in_environment(folder / ".venv")
        if found is not None:
            return found
    on_path = shutil.which("cleanplate")
    if on_path is None:
        raise InpaintError(
            "The command cleanplate was not found. Install Cleanplate and run 'cleanplate install blender', "
            "or give its path in the extension's preferences."
        )
    return [on_path]


def _noted(folder: str) -> str:
    try:
        note = json.loads((Path(folder) / NOTE).read_text("utf-8")) if folder else {}
    except (OSError, ValueError):
        return ""
    return str(note.get("command", "")) if isinstance(note, dict) else ""


def _command_at(path: Path) -> list[str] | None:
    if path.is_dir():
        return _in_environment(path)
    if not path.is_file():
        return None
    if path.stem.lower().startswith("python"):
        return [str(path), "-m", "plugin_core.cli"]
    return [str(path)]


def _in_environment(folder: Path) -> list[str] | None:
    for name in ("bin/cleanplate", "Scripts/cleanplate.exe"):
        if (folder / name).is_file():
            return [str(folder / name)]
    return None


def environment() -> dict[str, str]:
    """Return the environment of the core's process: this one without what Blender sets for its own Python."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    kept["PYTHONNOUSERSITE"] = "1"
    kept["PYTHONIOENCODING"] = "utf-8"
    host = Path(sys.prefix).resolve()
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH"):
        paths = [path for path in kept.pop(name, "").split(os.pathsep) if path]
        paths = [path for path in paths if not Path(path).absolute().is_relative_to(host)]
        if paths:
            kept[name] = os.pathsep.join(paths)
    return kept
