"""The example script for Nuke runs as it stands, in the stand-in."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from .conftest import Comp, write_shot

EXAMPLE = Path(__file__).parents[2] / "examples" / "nuke_inpaint.py"


def test_a_node_between_a_read_and_a_write(tmp_path, new_host, monkeypatch):
    host = new_host(gui=False)
    write_shot(Comp(tmp_path, host))
    patterns = [(tmp_path / "in" / "main" / f"{kind}.%04d.exr").as_posix() for kind in ("plate", "matte")]
    out, script = (tmp_path / name for name in ("final/final.%04d.exr", "comp_v001.nk"))
    given = [*patterns, out.as_posix(), script.as_posix(), "1001", "1002"]
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *given])
    runpy.run_path(str(EXAMPLE))
    assert sorted(path.name for path in out.parent.iterdir()) == ["final.1001.exr", "final.1002.exr"]
    assert "VINetInpaint1" in script.read_text()
