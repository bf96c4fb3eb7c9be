"""The panel: what it says of the core's settings is what the core declares."""

from __future__ import annotations

import json

import pytest

from plugin_core.job.catalog import catalog
from plugin_core.job.settings import QUALITIES, Settings

FIELDS = catalog()["fields"]
SHOWN = {
    "grow": "grow",
    "feather": "feather",
    "invert": "matte_invert",
    "quality": "quality",
    "search_frames": "propagate",
    "grain": "grain",
    "paint": "paint",
    "sensitivity": "sensitivity",
    "aspect": "aspect",
    "keep": "keep",
    "model": "model",
    "device": "device",
}
"""Knobs, and the settings they show."""


@pytest.mark.parametrize(("knob", "setting"), SHOWN.items())
def test_a_knob_says_what_the_core_declares(host, knob, setting):
    from cleanplate_nuke import group

    shown, field = group.create()[knob], FIELDS[setting]
    assert shown.label() == field["label"]
    assert shown.tooltip().startswith(field["text"])
    assert shown.value() == ("" if field["default"] is None else field["default"])
    for choice, meaning in field.get("choices", {}).items():
        assert choice in shown.values() and meaning in shown.tooltip()


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_quality_is_the_cores(comp, quality):
    from cleanplate_nuke.request import asked_of, look_of

    node = comp.node(quality=quality)
    asked = asked_of(node)
    assert asked["quality"] == quality
    settings = Settings(**asked)
    expected = Settings(quality=quality)
    assert (settings.working_size, settings.propagate) == (expected.working_size, expected.propagate)
    look = look_of(node)
    assert look.items() >= QUALITIES[quality].items() and "quality" not in look, "as 0.1.0 has noted it"
    assert json.dumps(look)
