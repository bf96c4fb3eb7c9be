"""Build and validate the extension's zip with Blender's own tool, which comes with the module bpy.

python blender/build.py --out DIR       by a Python that has bpy; `make blender-extension` does that
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "cleanplate_blender"


def blender_tool() -> Path:
    """Return Blender's command line tool for extensions. Exits when this Python has no bpy."""
    found = importlib.util.find_spec("bpy")
    folders = [] if found is None else list(found.submodule_search_locations or ())
    tools = [
        tool
        for folder in folders
        for tool in Path(folder).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    ]
    if not tools:
        sys.exit("This Python has no bpy: make bpy-4.5 installs one, .venv-bpy-4.5/bin/python then has it.")
    return tools[0]


def main() -> int:
    """Build, validate; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the zip goes")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    tool = [sys.executable, str(blender_tool())]
    for command in (
        ["validate", str(SOURCE)],
        ["build", "--source-dir", str(SOURCE), "--output-dir", str(out)],
    ):
        subprocess.run([*tool, *command], check=True)
    newest = max(out.glob("cleanplate-*.zip"), key=lambda path: path.stat().st_mtime)
    subprocess.run([*tool, "validate", str(newest)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
