"""A small shot, rendered with the toy network, and what its page holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..shots import ShotOnDisk, make_shot, run_toy

HOSTILE = "<img src=x onerror=alert(1)>"
"""What a shot may be called where names are not trusted."""

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def rendered_shot(folder: Path, first: int = 1001, last: int = 1006) -> ShotOnDisk:
    """A shot with a plate of 96x64; its second frame has no hole. It says where its pixels come from."""
    shot = make_shot(folder, first, last, empty=(first + 1,))
    run_toy(shot.shot(layers=("source",)))
    return shot


def data_of(page: Path) -> dict[str, Any]:
    """What a page tells its script."""
    found = _DATA.search(page.read_text("utf-8"))
    assert found is not None
    return json.loads(found[1])
