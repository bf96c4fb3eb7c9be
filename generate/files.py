"""What every generated file should hold, and which of them do not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin_core.batch.schema import shots_schema
from plugin_core.job.catalog import catalog
from plugin_core.job.config import PART_OF
from plugin_core.job.job import Job

from .exit_codes import exit_codes_page
from .fusion_macro import MACRO, with_settings
from .fusion_page import fusion_files
from .lua import lua_script
from .nuke_page import nuke_files
from .page import page

SOURCE = Path(__file__).resolve().parents[1]
ROOT = SOURCE
"""Where files are written."""

COPIES = (
    "plugin_core/job/settings.json",
    "nuke/cleanplate_nuke/settings.json",
    "blender/cleanplate_blender/settings.json",
)
"""The same data for everyone who reads it: an adapter has nothing but its own folder."""

LUA = "davinci_fusion/Scripts/Cleanplate/settings.lua"
"""And once more, as Fusion reads it."""


def copies() -> dict[Path, str]:
    """Return the settings as they stand beside who reads them: Nuke's page is made of what is on disk."""
    text = _json(catalog())
    return {ROOT / copy: text for copy in COPIES}


def generated() -> dict[Path, str]:
    """Return every generated file's text."""
    data = catalog()
    texts = copies()
    texts[ROOT / "docs/job.schema.json"] = _json(Job.model_json_schema())
    texts[ROOT / "docs/shots.schema.json"] = _json(shots_schema())
    texts[ROOT / "docs/settings.md"] = page(data, PART_OF)
    texts[ROOT / "docs/exit_codes.md"] = exit_codes_page()
    texts[ROOT / LUA] = lua_script(data, data["about"])
    macro = with_settings((SOURCE / MACRO).read_text("utf-8"), data["fields"])
    texts[ROOT / MACRO] = macro
    texts.update({ROOT / path: text for path, text in {**nuke_files(), **fusion_files(macro)}.items()})
    return texts


def stale(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return those of generated files that are not so on disk, with what they should be."""
    return {path: text for path, text in texts.items() if _text(path) != text}


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None
