"""The core's settings in Fusion's macro, which no script can fill in: its file is rewritten in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .lua import quoted

MACRO = "davinci_fusion/Macros/Cleanplate/VINet Inpaint.setting"

CONTROLS = {
    "InvertMatte": "matte_invert",
    "Grow": "grow",
    "Feather": "feather",
    "Quality": "quality",
    "SearchFrames": "propagate",
    "Grain": "grain",
    "Paint": "paint",
    "Reference": "reference",
    "Sensitivity": "sensitivity",
    "Aspect": "aspect",
    "Background": "keep",
    "Model": "model",
    "Device": "device",
}
"""Controls of the macro and the settings they stand for; the scripts say what a choice's number means."""


def with_settings(macro: str, fields: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the macro with every control's label, hint, range and default as declared.

    Raises:
        ValueError: the macro has no such control.
    """
    for control, name in CONTROLS.items():
        found = re.search(rf"\n\t{{6}}{control} = {{\n.*?\n\t{{6}}}},", macro, re.DOTALL)
        if found is None:
            raise ValueError(f"{MACRO} has no control {control}.")
        block = found[0]
        for attribute, value in _attributes(fields[name]).items():
            pattern = rf"(?<=\t{attribute} = )[^\n]*(?=,\n)"
            block = re.sub(pattern, value.replace("\\", r"\\"), block)
        macro = macro.replace(found[0], block)
    return macro


def _attributes(field: Mapping[str, Any]) -> dict[str, str]:
    """Return what a control says, as Lua has it; those that the control does not have are passed over."""
    unit = field.get("unit", "")
    label = field["label"][0].upper() + field["label"][1:]
    meanings = "; ".join(f"{choice}: {meaning}" for choice, meaning in field.get("choices", {}).items())
    said = {
        "LINKS_Name": quoted(label if unit in label else f"{label} ({unit})"),
        "INPS_StatusText": quoted(f"{field['text']} {meanings}." if meanings else field["text"]),
    }
    if field["kind"] == "text":
        return said | {"INPS_DefaultText": quoted(field["default"] or "")}
    if field["kind"] == "choice":
        return said
    if field["kind"] == "switch":
        return said | {"INP_Default": str(int(field["default"]))}
    low, high = field.get("slider") or (field["minimum"], field["maximum"])
    limits = {"INP_MinScale": low, "INP_MaxScale": high, "INP_MaxAllowed": field["maximum"]}
    numbers = {"INP_Default": field["default"], **limits}
    return said | {attribute: str(number) for attribute, number in numbers.items()}
