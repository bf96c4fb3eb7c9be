"""Texts that a stranger may have written: what is read, and what is refused, quickly and with a sentence."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.nodes import MappingNode, Node, SequenceNode

from plugin_core.disk.bounded import UnreadableError, load_json
from plugin_core.disk.bounded_yaml import load_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_it_is(fields):
    assert load_json(json.dumps(fields), "a text") == fields
    assert load_json(json.dumps(fields, ensure_ascii=False, indent=1), "a text") == fields


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 200_000, "Job j, line 1: nested more than 64 deep."),
        ('{"a":' * 200_000, "Job j, line 1: nested more than 64 deep."),
        ("\n" + "[" * 65 + "]" * 65, "Job j, line 2: nested more than 64 deep."),
        ('{"a": 1,\n"a": 2}', "Job j: 'a' is given twice."),
        ('{"a": NaN}', "Job j: NaN is no finite number."),
        ('{"a": -Infinity}', "Job j: -Infinity is no finite number."),
        ('{"a": 1e999}', "Job j: '1e999' is no finite number."),
        ('{"a": ' + "1" * 5000 + "}", "Job j: a number has too many digits."),
        (
            '{"a": 1,\n}',
            "Job j, line 2: not JSON: Expecting property name enclosed in double quotes, column 1.",
        ),
        ('"\\', "Job j, line 1: not JSON: Unterminated string starting at, column 1."),
        ("", "Job j, line 1: not JSON: Expecting value, column 1."),
    ],
)
def test_json_that_is_refused(text, told):
    with pytest.raises(UnreadableError) as caught:
        load_json(text, "Job j")
    assert str(caught.value) == told


def test_json_that_is_long_or_full_of_quotes_takes_no_time():
    began = time.thread_time()
    for text in ('"' + '\\"' * 500_000, '"' * 1_000_001, '"\\' * 500_000, "]" * 1_000_000, "x" * 20_000_000):
        with pytest.raises(UnreadableError):
            load_json(text, "a text")
    assert time.thread_time() - began < 30  # of what is quadratic: hours
    with pytest.raises(UnreadableError, match="11 characters, and 10 is the most that is read"):
        load_json("[1, 2, 3, 4", "a text", most_characters=10)


def test_brackets_in_strings_nest_nothing():
    text = json.dumps({"[" * 100: "{" * 100, "a": '"[' * 100, "b": "\\" * 7 + "[" * 100})
    assert load_json(text, "a text") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, "shots.yaml, line 6: more than 500000 values, each alias spelled out."),
        (CHAIN, "shots.yaml, line 63: nested more than 64 deep."),
        ("a: &a [*a]", "shots.yaml, line 1: *a stands within what it stands for."),
        ("a: &a\n  b: {c: *a}", "shots.yaml, line 2: *a stands within what it stands for."),
        ("a: *b", "shots.yaml, line 1: not YAML: found undefined alias 'b'."),
        ("[" * 200_000, "shots.yaml, line 1: nested more than 64 deep."),
        ("- " * 100_000, "shots.yaml, line 1: nested more than 64 deep."),
        ("a: 1\nb: 2\na: 3", "shots.yaml, line 3: 'a' is given twice, first in line 1."),
        ("? [a, b]\n: c", "shots.yaml, line 1: a field's name must be a word, not a list or fields."),
        ("a: 1\nb: \x1b", "shots.yaml, line 2: not YAML: special characters are not allowed, character 9."),
        ("a: 1\n--- b", "shots.yaml, line 2: not YAML: but found another document."),
    ],
)
def test_yaml_that_is_refused(text, told):
    began = time.thread_time()
    with pytest.raises(UnreadableError) as caught:
        load_yaml(text, "shots.yaml")
    assert str(caught.value) == told
    assert time.thread_time() - began < 10


def test_aliases_are_read_within_the_limits():
    assert load_yaml("", "a text") is None
    assert plain(load_yaml("a: &a [1, {b: c}]\nd: [*a, *a]", "a text")) == {
        "a": ["1", {"b": "c"}],
        "d": [["1", {"b": "c"}]] * 2,
    }


def plain(node: Node | None):
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    return [plain(item) for item in node.value] if isinstance(node, SequenceNode) else node.value
