"""What `cleanplate install blender` changes: the extension, in the user folder of each Blender from 4.2 on.

It is unpacked where Blender itself unpacks an extension's zip. Beside it, in the folder that Blender keeps
for an extension's own files through its updates, lies a note of the command that installed it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, WriteError
from .change import Change, adapter_folder, own_command
from .files import Files

NEXT = (
    "Start Blender: tick Cleanplate in Edit > Preferences > Add-ons, once; the sequencer's sidebar (N) then "
    "has a tab Cleanplate."
)

OLDEST = (4, 2)
"""The first Blender with extensions."""

_EXTENSION = "user_default/cleanplate"
_NOTE = ".user/user_default/cleanplate/installed.json"


def changes(folder: Path | None) -> list[Change]:
    """Return what is changed.

    Args:
        folder: a Blender's user folder of one version, such as ``~/.config/blender/4.5``; None looks for all.

    Raises:
        InputError: no Blender from 4.2 on has left a folder on this machine.
    """
    found = [folder / "extensions"] if folder is not None else []
    folders = found or _found(sys.platform, Path.home(), os.environ)
    if not folders:
        raise InputError(
            "No Blender 4.2 or newer has been used by this user; start it once and close it, or name its "
            "user folder with --folder (Linux: ~/.config/blender/4.5)."
        )
    contents = _contents(adapter_folder("blender") / "cleanplate_blender", own_command())
    return [Extension(Files(each, contents, "Blender")) for each in folders]


@dataclass(frozen=True)
class Extension:
    """The extension in one folder of extensions; what an older one or Python left in its folder goes.

    Attributes:
        files: what is written.
    """

    files: Files

    def install(self, *, dry_run: bool) -> str:
        """Write the files, and remove modules that this version no longer has. See `Change.install`."""
        said = self.files.install(dry_run=dry_run)
        if not dry_run:
            self._tidy({Path(name).name for name in self.files.contents})
        return said

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove the files and their folder. See `Change.uninstall`."""
        said = self.files.uninstall(dry_run=dry_run)
        if not dry_run:
            self._tidy(set())
        return said

    def _tidy(self, current: set[str]) -> None:
        folder = self.files.folder / _EXTENSION
        try:
            for path in [*folder.glob("*.py"), *folder.glob("__pycache__/*.pyc")]:
                if f"{path.name.partition('.')[0]}.py" not in current:
                    path.unlink()
            for each in (folder / "__pycache__", folder):
                if each.is_dir() and not any(each.iterdir()):
                    each.rmdir()
        except OSError as error:
            raise WriteError(f"Can't remove {error.filename}: {error.strerror or error}.") from error


def _contents(source: Path, command: Path) -> dict[str, bytes]:
    files = sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    contents = {f"{_EXTENSION}/{path.relative_to(source).as_posix()}": path.read_bytes() for path in files}
    note = json.dumps({"command": command.as_posix()}, ensure_ascii=False) + "\n"
    return contents | {_NOTE: note.encode()}


def _found(platform: str, home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Return the folders of extensions, as Blender's manual names them."""
    for name, below in (("BLENDER_USER_EXTENSIONS", ""), ("BLENDER_USER_RESOURCES", "extensions")):
        if environment.get(name):
            return [Path(environment[name]) / below]
    versions = [
        path
        for root in _roots(platform, home, environment)
        if root.is_dir()
        for path in root.iterdir()
        if path.is_dir() and _version(path.name) >= OLDEST
    ]
    return [path / "extensions" for path in sorted(versions, key=lambda path: _version(path.name))]


def _roots(platform: str, home: Path, environment: Mapping[str, str]) -> list[Path]:
    if platform == "darwin":
        return [home / "Library" / "Application Support" / "Blender"]
    if platform == "win32":
        user = Path(environment.get("APPDATA", home / "AppData" / "Roaming"))
        return [user / "Blender Foundation" / "Blender"]
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    # The second is where the Flathub build keeps it.
    return [config / "blender", home / ".var" / "app" / "org.blender.Blender" / "config" / "blender"]


def _version(name: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)\.(\d+)", name)
    return (int(match[1]), int(match[2])) if match else (0, 0)
