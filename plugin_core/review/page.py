"""HTML pages that need nothing but themselves: what may run or load is named in their own policy.

Scripts and styles stand in the page and are allowed by their hash; nothing else runs, and nothing is loaded
but pictures that lie beside it. What comes from a shot (names, paths, messages) reaches the page as JSON,
which no browser takes for markup, and is put there as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).resolve().parent
_COMMON = ("base.css",)


def rendered(
    template: str,
    *,
    title: str,
    data: Mapping[str, Any],
    scripts: Iterable[str],
    styles: Iterable[str],
    after: Iterable[tuple[str, str]] = (),
) -> str:
    """Return a page.

    Args:
        template: its name in the folder of templates.
        title: of the page; text.
        data: what its script finds in the element ``data``: plain values.
        scripts, styles: files of the folder ``static``, in order.
        after: names and contents of further data (base64), at the page's end: it is painted before them.
    """
    script = "\n".join(_static(name) for name in scripts)
    style = "\n".join(_static(name) for name in (*_COMMON, *styles))
    page = (
        _templates()
        .get_template(template)
        .render(
            title=title,
            policy=_policy(script, style),
            script=Markup(script),
            style=Markup(style),
            data=Markup(as_data(data)),
            after=after,
        )
    )
    # What no encoding has, half a surrogate of a strange file name, shows as a question mark.
    return page.encode("utf-8", "replace").decode("utf-8")


def as_data(data: Any) -> str:
    """Return JSON that can stand inside a script element: nothing in it ends or begins an element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src 'self' file: data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _static(name: str) -> str:
    text = (_HERE / "static" / name).read_text("utf-8")
    assert "</script" not in text and "</style" not in text
    return text


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
