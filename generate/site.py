"""What the documentation site has from outside docs/: pages of the project, and links between the two.

MkDocs calls these (`hooks` in mkdocs.yml). In the repository the pages stay where a reader of the code looks
for them, and their links lead to files; in the site they lie under `project/`, as in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PLACE = "project"
"""Folder of the site that stands for the repository's root; docs/ is the root of the site."""

PAGES = (
    "CHANGELOG.md",
    "DEVELOPMENT.md",
    "SECURITY.md",
    "models/MODEL_CARD.md",
    "models/TRAINING.md",
    "examples/README.md",
    "examples/fill_a_shot.py",
    "examples/fill_a_show.py",
    "examples/submit_to_farm.py",
    "examples/nuke_inpaint.py",
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Add the pages from outside docs/."""
    for name in PAGES:
        files.append(File.generated(config, f"{PLACE}/{name}", abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links from where they point to in the repository to where that lies in the site."""
    here = PurePosixPath(page.file.src_uri)
    in_repository = here.relative_to(PLACE) if here.parts[0] == PLACE else PurePosixPath("docs") / here
    return _LINK.sub(lambda link: f"]({_led(link[1], in_repository, here)}", markdown)


def _led(target: str, in_repository: PurePosixPath, in_site: PurePosixPath) -> str:
    """Return where a link of a page leads to in the site, from that page."""
    whole = PurePosixPath(normpath(str(in_repository.parent / target)))
    of_docs = whole.parts[0] == "docs"
    placed = whole.relative_to("docs") if of_docs else PurePosixPath(PLACE) / whole
    return relpath(str(placed), str(in_site.parent))
