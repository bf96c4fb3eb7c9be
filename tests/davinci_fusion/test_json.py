"""The adapter's JSON against Python's."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .host import SCRIPTS, new_lua

LUA = new_lua()
JSON = LUA.eval(b"loadfile")(str(SCRIPTS / "Cleanplate" / "json.lua").encode())()

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def to_lua(value):
    if value is None:
        return JSON[b"null"]
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return JSON[b"array"](LUA.table_from([to_lua(item) for item in value]))
    if isinstance(value, dict):
        return LUA.table_from({key.encode(): to_lua(item) for key, item in value.items()})
    return value


@given(VALUES)
def test_python_reads_what_lua_writes(value):
    assert json.loads(JSON[b"encode"](to_lua(value)).decode()) == value


@given(VALUES, st.booleans())
def test_lua_reads_what_python_writes(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    assert json.loads(JSON[b"encode"](JSON[b"decode"](text.encode()))) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "unexpected text at character 1"),
        ("[1,]", "unexpected text at character 4"),
        ("[1 2]", "expected , or ]"),
        ('{"a" 1}', "expected :"),
        ("{1:2}", "a name in quotes"),
        ('{"a":1', "expected , or }"),
        ('"abc', "without an end"),
        ('"a\nb"', "control character"),
        (r'"\x"', "unknown escape"),
        (r'"\u12g4"', "four hex digits"),
        (r'"\ud800"', "half a surrogate pair"),
        (r'"\udc00"', "half a surrogate pair"),
        ("01", "after the end"),
        ("1 1", "after the end"),
        ("nul", "unexpected text"),
        ("[" * 200, "more than 100 levels"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, complaint):
    with pytest.raises(Exception, match="JSON: ") as refused:
        JSON[b"decode"](text.encode())
    assert complaint in str(refused.value)


def test_what_json_can_not_hold_is_refused():
    for value in (math.nan, math.inf, LUA.eval(b"print"), LUA.table_from({1: 2, b"a": 1, 3: 4})):
        with pytest.raises(Exception, match="JSON"):
            JSON[b"encode"](value)
    loop = LUA.table_from({})
    loop[b"a"] = loop
    with pytest.raises(Exception, match="deeper than"):
        JSON[b"encode"](loop)


def test_lists_and_objects_stay_what_they_are():
    assert JSON[b"encode"](JSON[b"decode"](b'{"a":[],"b":{}}')) == b'{"a":[],"b":{}}'
