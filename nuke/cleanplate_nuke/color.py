"""What color space the script's pictures are in, and by which OpenColorIO configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import nuke

_ROLE = re.compile(r"[a-z_]+ \((?P<space>.+)\)")
"""Nuke shows a role with the space it stands for: ``scene_linear (ACES - ACEScg)``."""


class Color(NamedTuple):
    """The color space of what Nuke writes raw: the script's working space.

    Attributes:
        space: its name, as the core takes it.
        config: path of the OpenColorIO configuration; empty: the one in ``$OCIO``, or the core's own.
        why: where the name is from, for the status line.
    """

    space: str
    config: str
    why: str


def color_of(node: nuke.Node) -> Color:
    """Return the color space of a node's plate: its knob, or with ``auto`` the script's working space."""
    asked = str(node["color"].value() or "").strip()
    if asked.lower() not in ("", "auto"):
        return Color(asked, _config(), "set on the node")
    root = nuke.root()
    if root["colorManagement"].value() != "OCIO":
        # Nuke's own management works in scene-linear with Rec.709 primaries.
        return Color("linear", "", "Nuke's working space")
    working = str(root["workingSpaceLUT"].value())
    role = _ROLE.fullmatch(working)
    return Color(role.group("space") if role else working, _config(), "the script's OCIO working space")


def _config() -> str:
    """Return the path of the script's OpenColorIO configuration, empty where it can't be told."""
    root = nuke.root()
    if root["colorManagement"].value() != "OCIO":
        return ""
    name = str(root["OCIO_config"].value())
    if name == "custom":
        return str(root["customOCIOConfigPath"].value() or "")
    if os.environ.get("OCIO"):
        return ""
    folder = Path(nuke.EXE_PATH).resolve().parent / "plugins" / "OCIOConfigs" / "configs"
    for candidate in (folder / name / "config.ocio", folder / (name + ".ocio")):
        if candidate.is_file():
            return str(candidate)
    return ""
