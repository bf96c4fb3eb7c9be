"""The node and the panel of all nodes in Nuke's menus."""

from __future__ import annotations

import nuke

from . import overview

ICON = "cleanplate_inpaint.png"
_COMMAND = "from cleanplate_nuke import group; group.create_from_selection()"


def add() -> None:
    """Add VINet Inpaint to the Nodes menu, where the Tab search finds it, and the panel to the panes."""
    menu = nuke.menu("Nodes").addMenu("Cleanplate", icon=ICON)
    menu.addCommand("VINet Inpaint", _COMMAND, icon=ICON, tooltip="Fill the matted part of a plate")
    overview.register()
