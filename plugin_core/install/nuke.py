"""What `cleanplate install nuke` changes: a few lines in the user's `.nuke/init.py` that name our folder.

The folder itself stays where Cleanplate is installed, so that an upgrade reaches Nuke too.
"""

from __future__ import annotations

from pathlib import Path

from .block import Block
from .change import Change, adapter_folder, own_command

NEXT = "Start Nuke: VINet Inpaint is in the Nodes menu under Cleanplate, and by Tab."


def changes(folder: Path | None) -> list[Change]:
    """Return what is changed.

    Args:
        folder: the user's Nuke folder; None takes ``~/.nuke``, which is Nuke's own default on every system.
    """
    init = (folder or Path.home() / ".nuke") / "init.py"
    return [Block(init, _lines(adapter_folder("nuke"), own_command()), "nuke")]


def _lines(adapter: Path, command: Path) -> tuple[str, ...]:
    # `ascii` writes any path as a Python literal that any encoding of the file can hold.
    return (
        "import os",
        "import nuke",
        f"if os.path.isdir({adapter.as_posix()!a}):",
        f"    os.environ.setdefault('CLEANPLATE', {command.as_posix()!a})",
        f"    nuke.pluginAddPath({adapter.as_posix()!a})",
    )
