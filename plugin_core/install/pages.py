"""Where the pages of the documentation lie: in a checkout's docs/, or beside the package in a wheel."""

from __future__ import annotations

import difflib
from pathlib import Path

from ..errors import InputError
from .parts import part_folder

PACKAGE = "cleanplate_pages"
"""What setup.py calls docs/ in a wheel."""


def pages_folder() -> Path:
    """Return the folder that holds the pages.

    Raises:
        InputError: this installation has none.
    """
    folder = part_folder(PACKAGE, "docs", "index.md")
    if folder is None:
        raise InputError("This installation has no pages; install Cleanplate again.")
    return folder


def pages() -> dict[str, str]:
    """Return the name and the headline of every page and schema, in order. Raises as `pages_folder` does."""
    found = {path.name: _headline(path) for path in pages_folder().glob("*.md") if path.name != "index.md"}
    found |= {path.name: "its JSON Schema" for path in pages_folder().glob("*.schema.json")}
    return {name.removesuffix(".md"): title for name, title in sorted(found.items())}


def page(name: str) -> Path:
    """Return the file of the page called `name`, as `pages` names it.

    Raises:
        InputError: there is no such page; or as `pages_folder`.
    """
    known = pages()
    if name.removesuffix(".md") in known:
        name = name.removesuffix(".md")
        return pages_folder() / (name if name.endswith(".json") else f"{name}.md")
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise InputError(f"There is no page called {name}.{hint} `cleanplate docs` lists them all.")


def _headline(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return lines.readline().lstrip("# ").strip()
