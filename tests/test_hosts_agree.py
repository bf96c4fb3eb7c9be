"""The three hosts show the same of the core's settings: a setting that one has, all have.

But for another aspect, which Blender's sequencer has no place for: a scene has one format.
"""

from __future__ import annotations

import re
from pathlib import Path

from generate.fusion_macro import CONTROLS
from plugin_core.job.catalog import catalog

ROOT = Path(__file__).parents[1]


def nuke() -> set[str]:
    panel = (ROOT / "nuke" / "cleanplate_nuke" / "panel.py").read_text("utf-8")
    found = re.findall(r'_setting\(nuke\.\w+, "(\w+)"(?:, "(\w+)")?\)', panel)
    return {setting or knob for knob, setting in found}


def blender() -> set[str]:
    text = (ROOT / "blender" / "cleanplate_blender" / "properties.py").read_text("utf-8")
    return set(re.findall(r'described\("(\w+)"\)', text))


def test_all_three_show_the_same_settings():
    fields = catalog()["fields"]
    of_a_format = {name for name in nuke() if fields[name]["part"] == "retarget"}
    assert nuke() == set(CONTROLS.values()) == blender() | of_a_format
    assert {"paint", "reference", "grow", "feather", "quality", "propagate", "grain"} < blender()


def test_what_they_show_is_what_the_core_has():
    fields = catalog()["fields"]
    assert nuke() | set(CONTROLS.values()) | blender() <= set(fields)
