"""Where the files of one plate strip lie.

<folder>/clean/clean.1001.exr      the clean plate, and the core's saved states
<folder>/repaired/repaired.1001.exr  the same where film damage is repaired; damage/ has mattes of it
<folder>/plate/plate.1001.exr      what Blender rendered for the core; may be deleted
<folder>/matte/matte.1001.exr, shadow/shadow.1001.exr
<folder>/patch/patch.1001.exr      the fill alone, where it is asked for
<folder>/reference/ref.1001.exr    frames painted by hand
<folder>/views/source.1001.png     what is laid over the plate to look at it
<folder>/job/                      job.json, progress and the log, for questions
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

LOG_NAME = "cleanplate.log"


class Places:
    """The files of one plate strip.

    Args:
        folder: absolute.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job = folder / "job"
        self.job_file = self.job / "job.json"
        self.log = self.job / LOG_NAME
        self.cancel_file = self.job / "cancel"
        self.progress = self.job / "progress.jsonl"
        self.export_file = self.job / "export.json"
        self.export_progress = self.job / "export.jsonl"
        self.plan = self.job / "plan.jsonl"
        self.references = folder / "reference"
        self.views = folder / "views"
        self.blend_copy = self.job / "copy.blend"

    def pattern(self, kind: str, extension: str = ".exr") -> str:
        """Return the pattern of a kind of files, as `plate` or `clean`, with #### for the number."""
        return str(self.folder / kind / f"{kind}.####{extension}")

    def numbers(self, kind: str) -> set[int]:
        """Return the numbers of the frames of `plate`, `matte` or `shadow` that are on disk."""
        found = (re.fullmatch(rf"{kind}\.(\d{{4,}})\.exr", path.name) for path in self._files(kind))
        return {int(match[1]) for match in found if match}

    def _files(self, kind: str) -> list[Path]:
        folder = self.folder / kind
        return list(folder.iterdir()) if folder.is_dir() else []


def at_number(pattern: str, number: int) -> Path:
    """Return the file of one frame of a pattern with one run of # in its name."""
    folder, name = Path(pattern).parent, Path(pattern).name
    return folder / re.sub("#+", lambda token: f"{number:0{len(token[0])}d}", name)


def default_folder(blend: str, cache: str, scene: str, strip: str) -> Path:
    """Return the folder of a strip whose folder is not given.

    Beside the .blend, by its name without its version, so that versioning it up keeps the clean plates.

    Args:
        blend: path of the .blend; empty when it was never saved: then `cache` takes its place.
        cache: an absolute folder.
        scene, strip: names.
    """
    if blend:
        stem = re.sub(r"[._-]?v\d+$", "", Path(blend).stem) or "file"
        root = Path(blend).parent / "cleanplate" / safe_name(stem)
    else:
        root = Path(cache) / "unsaved"
    return root / safe_name(scene) / safe_name(strip)


def safe_name(name: str) -> str:
    """Return a name that any file system takes; one that had to be changed is told apart by a few digits."""
    safe = re.sub(r"[^\w .-]|^[. ]+|[. ]+$", "_", name)[:80] or "_"
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
