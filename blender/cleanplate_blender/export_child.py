"""Run by a Blender without a window: renders strips of a .blend for the core.

blender --background --python export_child.py -- export.json
python export_child.py export.json                                  (where Blender is the module bpy)
"""

import importlib.util
import sys
from pathlib import Path


def _package(folder: Path) -> str:
    """Make the extension's folder a package with a name of its own, wherever it lies."""
    name = "cleanplate_export"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    return name


if __name__ == "__main__":
    export = importlib.import_module(_package(Path(__file__).resolve().parent) + ".export")
    sys.exit(export.main(Path(sys.argv[-1])))
