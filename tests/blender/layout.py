"""Run inside Blender: a stand-in for the layout that panels draw into, as strict as Blender's own.

Functions, arguments, icons, operators and properties that Blender does not have are refused.
"""

from __future__ import annotations

import bpy

_LAYOUT = bpy.types.UILayout.bl_rna
_ICONS = {item.identifier for item in _LAYOUT.functions["label"].parameters["icon"].enum_items}


class Layout:
    """Takes what is drawn; `lines` is what would be read on the screen."""

    def __init__(self, lines=None):
        object.__setattr__(self, "lines", [] if lines is None else lines)

    def __setattr__(self, name, value):
        _LAYOUT.properties[name]

    def __getattr__(self, name):
        known = {parameter.identifier: parameter for parameter in _LAYOUT.functions[name].parameters}

        def call(*given, **named):
            order = [parameter for parameter in known.values() if not parameter.is_output]
            values = {p.identifier: v for p, v in zip(order, given, strict=False)} | named
            unknown = set(values) - set(known)
            if unknown:
                raise TypeError(f"{name}() has no {', '.join(sorted(unknown))}")
            return self._draw(name, values)

        return call

    def _draw(self, name, values):
        if values.get("icon", "NONE") not in _ICONS:
            raise TypeError(f"no icon {values['icon']}")
        if "data" in values:
            text = values["data"].bl_rna.properties[values["property"]].name
            if "search_data" in values:
                values["search_data"].bl_rna.properties[values["search_property"]]
        else:
            text = values.get("text", "")
        if name == "operator":
            kind = bpy.ops
            for part in values["operator"].split("."):
                kind = getattr(kind, part)
            rna = kind.get_rna_type()
            self.lines.append(f"[{values.get('text', rna.name)}]")
            return _Properties(rna)
        if name in ("row", "column", "box"):
            if text or values.get("heading"):
                self.lines.append(text or values["heading"])
            return Layout(self.lines)
        self.lines.append(text)
        return None


class _Properties:
    """An operator's properties, to be set for a button."""

    def __init__(self, rna):
        object.__setattr__(self, "rna", rna)

    def __setattr__(self, name, value):
        self.rna.properties[name]
