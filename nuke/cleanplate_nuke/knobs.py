"""What the node's knobs can be set to, and what that asks of the core."""

from __future__ import annotations

NAME = "VINetInpaint1"
MARK = "cleanplate_node"
"""Hidden knob that only our Groups have; its value is the layout's version."""

LAYOUT = 3
"""Nodes of layouts 1 (0.1, 0.2) and 2 (0.3) get what they lack when they are rendered: `group.convert`."""

PLATE_INPUT, MATTE_INPUT, SHADOW_INPUT = 0, 1, 2
REMOVE, REPAIR, FIND, RETARGET = MODES = (
    "remove what is matted",
    "repair film damage",
    "find film damage",
    "another aspect",
)
ABOUT_DAMAGE = REPAIR, FIND
"""Modes in which damage is found, rather than that a matte says what goes or stays."""
DOES = {REMOVE: "render", REPAIR: "restore", FIND: "detect", RETARGET: "retarget"}
"""What a mode asks of the core."""
INPUT, PROJECT, CUSTOM = RANGES = ("input", "project", "custom")
ALL_VIEWS = "all"
SOURCE, CONFIDENCE = OF_THE_PATCH = ("source", "confidence")
"""What the patch's layers can show."""
RESULT, PLATE, OVERLAY, DIFFERENCE = _ALWAYS = ("result", "plate", "matte overlay", "difference")
SHOWN = (*_ALWAYS, *OF_THE_PATCH)
EXACT, HALF = PRECISIONS = ("32 bit float (exact)", "16 bit half")
ENGINES = ("openjd", "deadline-cloud", "deadline", "opencue", "tractor", "slurm")
