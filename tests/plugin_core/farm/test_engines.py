"""One record an engine, and nothing that names engines beside it goes its own way."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from pathlib import Path

import pytest

from plugin_core.farm.engines import ENGINES
from plugin_core.progress.dialects import DIALECTS

ROOT = Path(__file__).parents[3]


def test_templates_and_dialects_are_those_of_the_engines():
    folders = {path.name for path in (files("plugin_core.farm") / "templates").iterdir()}
    assert folders == {engine.templates for engine in ENGINES.values()}
    assert {engine.dialect for engine in ENGINES.values()} == {*DIALECTS, "auto"}


def test_nuke_offers_them():
    """Its code can't import the core: it may be another Python's."""
    tree = ast.parse((ROOT / "nuke" / "cleanplate_nuke" / "knobs.py").read_text("utf-8"))
    offered = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert ast.literal_eval(offered["ENGINES"]) == tuple(ENGINES)


def test_the_manual_has_a_line_on_each():
    page = (ROOT / "docs" / "farm.md").read_text("utf-8").partition("### The engines")[2]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == sorted(ENGINES)


@pytest.mark.parametrize("name", ENGINES)
def test_a_job_is_submitted_by_the_client_or_a_script_for_it(tmp_path, name):
    engine = ENGINES[name]
    command = engine.submission(tmp_path)
    assert command[0] == engine.client or str(tmp_path) in command[1]
    assert any(word.startswith(str(tmp_path)) for word in command)
