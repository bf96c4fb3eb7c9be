"""Generated files: those in the repository are what the declarations say now."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import generate.__main__ as command
from generate import files

ROOT = Path(__file__).parents[2]


def test_no_generated_file_is_stale():
    """`make generated` writes them."""
    done = subprocess.run(
        [sys.executable, "-m", "generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_stale_file_is_named_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(files, "ROOT", tmp_path)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    for path in files.generated():
        path.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(sys, "argv", ["generate"])
    assert command.main() == 0
    assert "docs/settings.md written" in capsys.readouterr().out
    page = tmp_path / "docs" / "settings.md"
    whole = page.read_text("utf-8")
    page.write_text(whole.replace("grow", "gorw"), "utf-8")
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])
    assert command.main() == 1
    assert capsys.readouterr().out == "docs/settings.md is stale: make generated\n"
    monkeypatch.setattr(sys, "argv", ["generate"])
    assert command.main() == 0
    assert page.read_text("utf-8") == whole


@pytest.mark.parametrize("name", ["job", "shots"])
def test_every_property_of_a_schema_has_a_description(name):
    schema = json.loads((ROOT / f"docs/{name}.schema.json").read_text("utf-8"))
    shown = (
        [schema["$defs"][part]["properties"] for part in ("Shot", "Settings", "Run", "Restore", "Retarget")]
        if name == "job"
        else [schema["properties"]["defaults"]["properties"]]
    )
    assert sum(map(len, shown)) >= 30
    assert [field for part in shown for field, said in part.items() if not said.get("description")] == []


def test_the_page_has_every_field_once():
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    fields = json.loads((ROOT / "plugin_core/job/settings.json").read_text("utf-8"))["fields"]
    assert {name: page.count(f"| `{name}` | `{field['option']}` |") for name, field in fields.items()} == (
        dict.fromkeys(fields, 1)
    )
