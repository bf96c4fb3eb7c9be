"""What `cleanplate install fusion` changes: our macro, Fuse and scripts in the folders of Resolve and Fusion.

They are copied, because Fusion looks nowhere else without its path map being changed. Beside the scripts lies
a note of the command that installed them, so that nobody has to look for it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError
from .change import Change, adapter_folder, own_command
from .files import Files

NEXT = "Start Resolve or Fusion again: VINet Inpaint is among the macros of the Fusion page's tool menu."

_PARTS = ("Fuses", "Macros", "Scripts")
_NOTE = "Scripts/Cleanplate/installed.json"


def changes(folder: Path | None) -> list[Change]:
    """Return what is changed.

    Args:
        folder: the folder that holds ``Fuses``, ``Macros`` and ``Scripts``; None looks for those of Resolve
            and Fusion Studio.

    Raises:
        InputError: neither application has left a folder on this machine.
    """
    folders = [folder] if folder is not None else _found(sys.platform, Path.home(), os.environ)
    if not folders:
        raise InputError(
            "Neither DaVinci Resolve nor Fusion Studio has been started by this user; start it once, or name "
            "the folder that holds its Fuses and Macros with --folder."
        )
    contents = _contents(adapter_folder("davinci_fusion"), own_command())
    return [Files(each, contents, "Fusion") for each in folders]


def _contents(adapter: Path, command: Path) -> dict[str, bytes]:
    files = (path for part in _PARTS for path in sorted((adapter / part).rglob("*")) if path.is_file())
    contents = {path.relative_to(adapter).as_posix(): path.read_bytes() for path in files}
    note = json.dumps({"command": command.as_posix()}, ensure_ascii=False) + "\n"
    return contents | {_NOTE: note.encode()}


def _found(platform: str, home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Return one folder for each application that is there, as Blackmagic's manuals and scripts name them."""
    return [places[0] for places in _places(platform, home, environment) if places]


def _places(platform: str, home: Path, environment: Mapping[str, str]) -> list[list[Path]]:
    if platform == "darwin":
        support = home / "Library" / "Application Support" / "Blackmagic Design"
        resolve = support / "DaVinci Resolve"
        return [
            _of(resolve, [resolve / "Fusion", resolve / "Support" / "Fusion"]),
            _of(support / "Fusion", [support / "Fusion"]),
        ]
    if platform == "win32":
        user = Path(environment.get("APPDATA", home / "AppData" / "Roaming")) / "Blackmagic Design"
        shared = Path(environment.get("PROGRAMDATA", "C:/ProgramData")) / "Blackmagic Design"
        # Lua there can't open files in a folder whose name is beyond ASCII, such as a user's.
        roots = [root for root in (user, shared) if str(root).isascii()]
        resolve_places = [root / "DaVinci Resolve" / "Support" / "Fusion" for root in roots]
        resolve_places.append(shared / "DaVinci Resolve" / "Fusion")
        resolve_is_there = (user / "DaVinci Resolve").is_dir() or (shared / "DaVinci Resolve").is_dir()
        fusion_is_there = (user / "Fusion").is_dir() or (shared / "Fusion").is_dir()
        return [
            _preferred(resolve_places) if resolve_is_there else [],
            _preferred([root / "Fusion" for root in roots]) if fusion_is_there else [],
        ]
    resolve = home / ".local" / "share" / "DaVinciResolve"
    fusion = home / ".fusion" / "BlackmagicDesign" / "Fusion"
    return [_of(resolve, [resolve / "Fusion"]), _of(fusion, [fusion])]


def _of(application: Path, places: list[Path]) -> list[Path]:
    return _preferred(places) if application.is_dir() else []


def _preferred(places: list[Path]) -> list[Path]:
    """Return the places, those that are there first."""
    return sorted(places, key=lambda place: not place.is_dir())
