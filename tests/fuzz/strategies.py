"""What a stranger may send: values that follow a schema, changed here and there, and written down badly.

Every example is made in three steps. `from_schema` draws a value that a JSON schema allows, so that what is
tried gets past the first check. `changed` replaces, removes or adds up to three of its parts. `written` puts
it down as bytes, which may be cut short, turned over or nested far beyond reason.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

DEEP = "@deep@"
"""Stands for brackets a hundred thousand deep, which no Python object could hold."""

# No slash in text that is drawn: nothing that is tried may lead out of the folder that it is tried in.
PLAIN = st.text(st.characters(exclude_characters="/\\~", exclude_categories=()), max_size=12)
NASTY = st.sampled_from(
    [
        *("", " ", "\0", "a\0b", "\ud800", "\udcff.exr", "x" * 300, "x" * 40_000, "9" * 5000, "-", "..", "."),
        *(
            "%0999999999d.exr",
            "####.##.exr",
            "p.####.exr",
            "%V.####.exr",
            "\x1b[2J",
            "a\nb",
            "\u2028",
            "\ufeff",
        ),
        *(
            "1-10",
            "1-999999999999",
            "1-" + "9" * 100,
            "10-1",
            "1-10x2",
            "-5--3",
            ",,,",
            "1," * 5000,
            "\u0663",
        ),
        *(
            "{name}",
            "{{0}}",
            "NaN",
            "1e999",
            "nan",
            "cuda:99",
            "auto",
            "true",
            "no",
            "~x",
            "!!python/name:os",
        ),
        DEEP,
    ]
)
NUMBERS = st.sampled_from(
    [0, -1, 1, 7, 2**31, -(2**31), 2**63, 2**64, 10**12, 10**15 + 1, 10**30, -(10**30), 0.5, 1e308, -0.0]
) | st.sampled_from([float("nan"), float("inf"), -float("inf")])
LEAVES = st.none() | st.booleans() | NUMBERS | st.integers() | NASTY | PLAIN
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY | PLAIN, inner, max_size=3),
    max_leaves=6,
)


def from_schema(schema: Mapping[str, Any], defs: Mapping[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Draw values that a JSON schema allows, as pydantic writes one."""
    defs = schema.get("$defs", {}) if defs is None else defs
    if "$ref" in schema:
        return from_schema(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([from_schema(option, defs) for option in schema[choice]])
    if "allOf" in schema:
        return from_schema(schema["allOf"][0], defs)
    return _OF_TYPE.get(schema.get("type", ""), lambda schema, defs: ANY)(schema, defs)


def _object(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: from_schema(own, defs) for name, own in schema.get("properties", {}).items()}
    needed = set(schema.get("required", fields))
    given = {name: own for name, own in fields.items() if name in needed}
    if not fields:
        inner = schema.get("additionalProperties")
        values = from_schema(inner, defs) if isinstance(inner, Mapping) else ANY
        return st.dictionaries(PLAIN, values, max_size=3)
    return st.fixed_dictionaries(given, optional={n: own for n, own in fields.items() if n not in needed})


def _array(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        return st.tuples(*(from_schema(item, defs) for item in schema["prefixItems"])).map(list)
    return st.lists(from_schema(schema.get("items", {}), defs), max_size=4)


def _text(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=schema["pattern"].startswith("^"))
    least = schema.get("minLength", 0)
    return st.sampled_from(["p.####.exr", "m.png", "o.%04d.tif", "1-10", "auto"]) | PLAIN.filter(
        lambda text: len(text) >= least
    )


def _number(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
    most = schema.get("maximum", schema.get("exclusiveMaximum", 1000))
    if schema["type"] == "integer":
        return st.integers(int(least), int(most))
    return st.floats(least, most)


_OF_TYPE = {
    "object": _object,
    "array": _array,
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema, defs: st.booleans(),
    "null": lambda schema, defs: st.none(),
}


@st.composite
def changed(draw: st.DrawFn, base: st.SearchStrategy[Any]) -> Any:
    """Draw a value and change up to three of its parts."""
    tree = {"root": copy.deepcopy(draw(base))}
    for _ in range(draw(st.integers(0, 3))):
        holder, name = draw(st.sampled_from(_places(tree)))
        what = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if what == "replace" or holder is tree:
            holder[name] = draw(ANY)
        elif what == "remove":
            del holder[name]
        elif isinstance(holder, list):
            holder.append(draw(ANY))
        else:
            holder[draw(NASTY | PLAIN)] = draw(ANY)
    return tree["root"]


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every part of a tree, as what holds it and the name it has there."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = []
    for name, inner in list(items):
        found += [(tree, name), *_places(inner)]
    return found


@st.composite
def written(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """Draw values and write them as JSON, well or badly."""
    text = json.dumps(draw(values), ensure_ascii=draw(st.booleans()))
    return draw(damaged(st.just(put_down(text))))


def put_down(text: str) -> bytes:
    """Return text as bytes, half characters and all, with brackets where it says that it is deep."""
    deep = b"[" * 100_000
    return text.encode("utf-8", "surrogatepass").replace(b'"' + DEEP.encode() + b'"', deep)


@st.composite
def damaged(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes; two in five are cut short, turned over, or have something put in."""
    content = draw(contents)
    at = draw(st.integers(0, len(content)))
    how = draw(st.sampled_from(["whole", "whole", "whole", "cut", "more"]))
    if how == "whole":
        return content
    if how == "cut":
        return content[:at]
    return (
        content[:at] + draw(st.binary(max_size=4) | st.just(b"\xef\xbb\xbf") | st.just(b"\0")) + content[at:]
    )
