"""What the macro and the scripts know of the core's settings is what the core declares."""

from __future__ import annotations

import re

import pytest

from generate.fusion_macro import CONTROLS, MACRO, with_settings
from generate.lua import lua_script
from plugin_core.job.catalog import catalog

from .host import ADAPTER, SCRIPTS, SETTING, new_lua

FIELDS = catalog()["fields"]


def plain(table):
    """A Lua table as dicts and lists, its strings as text."""
    if not hasattr(table, "items"):
        return table.decode() if isinstance(table, bytes) else table
    entries = {plain(key): plain(value) for key, value in table.items()}
    return list(entries.values()) if entries and all(isinstance(key, int) for key in entries) else entries


def without_none(data):
    if isinstance(data, dict):
        return {name: without_none(value) for name, value in data.items() if value is not None}
    return data


def test_the_script_holds_the_catalog():
    text = (SCRIPTS / "Cleanplate" / "settings.lua").read_bytes()
    found = plain(new_lua().execute(text))
    expected = without_none(catalog())
    for field in expected["fields"].values():
        if field.get("default") == []:
            field["default"] = {}  # Lua has one empty table
    assert found == expected


def test_texts_are_written_as_lua_has_them():
    data = {"a": 'say "it"', "b": "C:\\x", "c": None, "d": [1, -2.5], "e": True, "f": {"g": ""}}
    found = plain(new_lua().execute(lua_script(data, "about").encode()))
    assert found == {name: value for name, value in data.items() if value is not None}


@pytest.mark.parametrize(("control", "name"), CONTROLS.items())
def test_a_control_says_what_the_core_declares(host_free_macro, control, name):
    block, field = host_free_macro(control), FIELDS[name]
    assert field["label"] in block.lower().partition("\n")[2]
    assert f'INPS_StatusText = "{field["text"]}' in block
    if "slider" in field:
        assert f"INP_Default = {field['default']}," in block
        assert f"INP_MinScale = {field['slider'][0]}," in block
        assert f"INP_MaxAllowed = {field['maximum']}," in block


@pytest.fixture
def host_free_macro():
    text = SETTING.read_text("utf-8")
    return lambda control: re.search(rf"\n\t{{6}}{control} = {{\n.*?\n\t{{6}}}},", text, re.DOTALL)[0]


def test_a_macro_without_a_control_is_refused():
    with pytest.raises(ValueError, match="has no control InvertMatte"):
        with_settings("", FIELDS)


def test_the_macro_is_where_it_is_looked_for():
    assert ADAPTER.parent / MACRO == SETTING
