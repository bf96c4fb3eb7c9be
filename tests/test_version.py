"""The version stands in one place; what can't read it there says the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import plugin_core

ROOT = Path(__file__).parents[1]


def test_the_wheel_takes_the_version_from_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"] and "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "plugin_core._version.__version__"


def test_the_newest_release_in_the_changelog_is_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)
    assert plugin_core.__version__ == releases[0]


def test_blenders_manifest_has_this_version() -> None:
    manifest = ROOT / "blender" / "cleanplate_blender" / "blender_manifest.toml"
    assert tomllib.loads(manifest.read_text("utf-8"))["version"] == plugin_core.__version__
