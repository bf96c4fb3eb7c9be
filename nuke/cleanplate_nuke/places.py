"""Where a node's files lie.

    <folder>/v001/                     one version of one node
        clean.%04d.exr                 the clean plate
        plate/plate.%04d.exr           what Nuke wrote for the core
        matte/matte.%04d.exr, shadow/shadow.%04d.exr
        patch/patch.%04d.exr           the fill alone, where it is asked for
        reference/ref.%04d.exr         frames painted by hand, where they were begun in the node
        painted/base.%04d.exr          what they were painted on
        job/job.json, progress.jsonl, cancel
        job/cleanplate.log             what the core said, for questions

With several views all of that lies in a folder with the view's name, ``%V`` in Nuke's paths.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import nuke

from .problem import InpaintError

VIEW = "%V"


def version_folder(node: nuke.Node) -> str:
    """Return the folder of the node's version, with forward slashes; may hold ``%V``.

    Raises InpaintError when Nuke would take a part of it for TCL.
    """
    text = str(node["folder"].value() or "").strip()
    folder = _given_folder(text) if text else default_folder(node)
    if set(folder) & set("[]$"):
        raise InpaintError(
            f"{node.fullName()}: the folder {folder} has a bracket or a dollar sign in its name, which Nuke "
            "reads as TCL; give another in 'folder'."
        )
    path = "{}/v{:03d}".format(folder, int(node["version"].value()))
    if len(nuke.views()) > 1 and VIEW not in path:
        path = f"{path}/{VIEW}"
    return path


def default_folder(node: nuke.Node) -> str:
    """Return the folder of a node whose own folder knob is empty.

    Beside the script, by the script's name without its version, so that versioning the script up keeps the
    clean plates; for a script that has never been saved, in a temporary folder of this session.
    """
    name = node.fullName().replace(".", "_")
    script = script_path()
    if not script:
        return f"{_temporary()}/cleanplate-{os.getpid()}/{name}"
    stem = re.sub(r"[._-]?v\d+$", "", Path(script).stem) or "script"
    return f"{_script_folder()}/cleanplate/{stem}/{name}"


def script_path() -> str:
    """Return the script's path with forward slashes; empty when it has never been saved."""
    return str(nuke.root()["name"].value() or "").replace("\\", "/")


def result_pattern(folder: str) -> str:
    """Return the clean plate's pattern, for a Read."""
    return folder + "/clean.%04d.exr"


def input_pattern(folder: str, kind: str) -> str:
    """Return the pattern of what Nuke writes for the core: `plate`, `matte` or `shadow`."""
    return f"{folder}/{kind}/{kind}.%04d.exr"


def patch_pattern(folder: str) -> str:
    """Return the pattern of the fill alone."""
    return folder + "/patch/patch.%04d.exr"


def reference_folder(folder: str) -> str:
    """Return where frames painted by hand lie that were begun in the node."""
    return folder + "/reference"


def painted_pattern(folder: str) -> str:
    """Return the pattern of the frames that are painted on, as they were when that was begun."""
    return folder + "/painted/base.%04d.exr"


def in_view(path: str, view: str) -> str:
    """Return a path with its ``%V`` replaced by a view's name."""
    return path.replace(VIEW, view)


def at_frame(pattern: str, frame: int) -> Path:
    """Return the file of one frame."""
    return Path(pattern.replace("%04d", f"{frame:04d}"))


def _given_folder(text: str) -> str:
    folder = evaluated(text).replace("\\", "/").replace("%v", VIEW).rstrip("/")
    return folder if Path(folder).is_absolute() else f"{_script_folder()}/{folder}"


def _script_folder() -> str:
    script = script_path()
    return script.rpartition("/")[0] if script else _temporary()


def _temporary() -> str:
    place = os.environ.get("NUKE_TEMP_DIR") or tempfile.gettempdir()
    return place.replace("\\", "/").rstrip("/")


def evaluated(text: str) -> str:
    """Replace TCL in a path, such as ``[file dirname [value root.name]]``. Raises InpaintError."""
    if "[" not in text:
        return text
    try:
        return nuke.tcl("subst", "-nobackslashes", "-novariables", text)
    except RuntimeError as error:
        raise InpaintError(f"The path '{text}' can't be evaluated as TCL: {error}") from None
