"""The node in Nuke's menus."""

from __future__ import annotations

import nuke

ICON = "cleanplate_inpaint.png"
_COMMAND = "from cleanplate_nuke import group; group.create_from_selection()"


def add() -> None:
    """Add VINet Inpaint to the Nodes menu; the Tab search finds it there."""
    menu = nuke.menu("Nodes").addMenu("Cleanplate", icon=ICON)
    menu.addCommand("VINet Inpaint", _COMMAND, icon=ICON, tooltip="Fill the matted part of a plate")
