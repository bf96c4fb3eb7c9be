"""What the node's knobs can be set to, and what that asks of the core."""

from __future__ import annotations

NAME = "VINetInpaint1"
MARK = "cleanplate_node"
"""Hidden knob that only our Groups have; its value is the layout's version."""

LAYOUT = 2
"""Nodes of layout 1 (0.1 and 0.2) are given what they lack when they are rendered: see `group.convert`."""

PLATE_INPUT, MATTE_INPUT, SHADOW_INPUT = 0, 1, 2
REMOVE, REPAIR = MODES = ("remove what is matted", "repair film damage")
INPUT, PROJECT, CUSTOM = RANGES = ("input", "project", "custom")
ALL_VIEWS = "all"
RESULT, PLATE, OVERLAY, DIFFERENCE = SHOWN = ("result", "plate", "matte overlay", "difference")
EXACT, HALF = PRECISIONS = ("32 bit float (exact)", "16 bit half")
ENGINES = ("openjd", "deadline-cloud", "deadline", "opencue", "tractor", "slurm")
