"""Where the command `cleanplate` is, and the environment it is started in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .problem import InpaintError


def find_command(given: str = "") -> list[str]:
    """Return the words that start `cleanplate`.

    Looks at `given` (the node's knob: the command, a Python that has Cleanplate, or the folder of a virtual
    environment), then at ``$CLEANPLATE``, the installation that this folder is a part of, and ``$PATH``.

    Raises InpaintError when there is none, or `given` is not there.
    """
    for place, what in (
        (given, "the node's 'cleanplate' knob"),
        (os.environ.get("CLEANPLATE", ""), "$CLEANPLATE"),
    ):
        if place.strip():
            found = _command_at(Path(place.strip()).expanduser())
            if found is None:
                raise InpaintError(
                    f"There is no cleanplate at {place} (from {what}); give the path of the command or "
                    "of the Python it is installed in."
                )
            return found
    for folder in Path(__file__).resolve().parents:
        for environment in (folder, folder / ".venv"):
            found = _in_environment(environment)
            if found is not None:
                return found
    on_path = shutil.which("cleanplate")
    if on_path is None:
        raise InpaintError(
            "The command cleanplate was not found. Install Cleanplate and run "
            "'cleanplate install nuke', or give its path in the node's 'cleanplate' knob."
        )
    return [on_path]


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


def environment(host_folder: str = "") -> dict[str, str]:
    """Return the environment of the core's process: this one without what Nuke sets for its own Python.

    Args:
        host_folder: Nuke's own folder; its libraries are taken out of the search paths.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    kept["PYTHONNOUSERSITE"] = "1"
    kept["PYTHONIOENCODING"] = "utf-8"
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH"):
        if name in kept and host_folder:
            paths = [path for path in kept[name].split(os.pathsep) if not _is_inside(path, host_folder)]
            kept[name] = os.pathsep.join(paths)
        if not kept.get(name, ""):
            kept.pop(name, None)
    return kept


def _is_inside(path: str, folder: str) -> bool:
    if not path:
        return False
    parts = Path(path).absolute().parts
    inside = Path(folder).absolute().parts
    return parts[: len(inside)] == inside
