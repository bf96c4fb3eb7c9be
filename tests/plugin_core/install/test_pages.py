"""The pages: listed, found by name, and led to from wherever they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_core.cli import main
from plugin_core.errors import InputError
from plugin_core.install.pages import page, pages

ROOT = Path(__file__).parents[3]


def test_every_page_is_listed_with_its_headline(capsys):
    assert main(["docs"]) == 0
    printed = capsys.readouterr().out
    names = {path.name.removesuffix(".md") for path in (ROOT / "docs").iterdir() if path.is_file()} - {
        "index"
    }
    assert set(pages()) == names
    assert "farm" in printed and "Many shots: batch and farm" in printed


def test_a_page_is_found_by_name(capsys):
    assert main(["docs", "farm"]) == 0
    assert capsys.readouterr().out.strip() == str(ROOT / "docs" / "farm.md")
    assert page("farm.md") == page("farm")
    assert page("job.schema.json").name == "job.schema.json"


def test_a_page_that_is_not_there_gets_a_sentence(capsys):
    assert main(["docs", "framing"]) == 2
    assert "There is no page called framing." in capsys.readouterr().err
    with pytest.raises(InputError, match="Did you mean seams"):
        page("seam")


def test_a_wheels_pages_go_first(tmp_path, monkeypatch):
    (tmp_path / "cleanplate_pages").mkdir()
    (tmp_path / "cleanplate_pages" / "index.md").write_text("# Cleanplate\n")
    (tmp_path / "cleanplate_pages" / "farm.md").write_text("# Of the wheel\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert pages() == {"farm": "Of the wheel"}
