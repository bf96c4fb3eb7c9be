"""What one press of Inpaint asks for, and the files that tell the core and the child Blender of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .places import Places


@dataclass(frozen=True)
class Part:
    """A strip that the child Blender renders for the core.

    Attributes:
        kind: `plate`, `matte` or `shadow`.
        strip: its name in the scene.
        alpha: whether its alpha is wanted too.
        own_space: whether it is rendered in the scene's own sequencer color space, as what is done to the
            picture there depends on it; otherwise in scene-linear, which keeps every bit.
    """

    kind: str
    strip: str
    alpha: bool
    own_space: bool = False


@dataclass(frozen=True)
class Request:
    """One inpaint. Frames are numbered as the files are; `shift` leads to the timeline.

    Attributes:
        scene, plate_strip, matte_strip: names; no matte strip where film damage is looked for.
        folder: where the files go; absolute.
        first, last: numbers of the files, both inclusive.
        shift: timeline frame minus number.
        plate, matte, shadow: patterns that the core reads; no matte and shadow matte where these are empty.
        output: pattern that the core writes.
        colorspace: the plate's, for the core.
        ocio_config: where that name is from; None for the core's own.
        settings: the core's, by its own names.
        reference: frames painted by hand, absolute: a pattern or a folder; empty for none.
        sources: whether the patch notes where each pixel comes from, in layers.
        repair: whether film damage is repaired, rather than what is matted filled.
        detect: whether damage is only found, and mattes of it are written.
        sensitivity: how much is taken for damage, 0 to 1.
        patch: pattern that the fill alone is written to; empty for none.
        model, device: the core's.
        parts: what the child Blender renders before; nothing where plate and matte are plain files.
        begin: the first number that it renders; what is before is on disk.
        strip_space, strip_alpha: color space and alpha mode of the result strip; empty for Blender's choice.
        notes: what the artist should know, a sentence each.
    """

    scene: str
    plate_strip: str
    matte_strip: str
    folder: Path
    first: int
    last: int
    shift: int
    plate: str
    matte: str
    output: str
    colorspace: str
    ocio_config: str | None
    settings: dict[str, Any]
    model: str
    device: str
    shadow: str = ""
    reference: str = ""
    patch: str = ""
    sources: bool = True
    repair: bool = False
    detect: bool = False
    sensitivity: float = 0.5
    parts: tuple[Part, ...] = ()
    begin: int = 0
    strip_space: str = ""
    strip_alpha: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def places(self) -> Places:
        """Where its files are."""
        return Places(self.folder)

    @property
    def count(self) -> int:
        """How many frames it has."""
        return self.last - self.first + 1


def write_job(request: Request) -> None:
    """Write the job.json for the core."""
    places = request.places
    shot: dict[str, Any] = {
        "plate": request.plate,
        "matte": request.matte or None,
        "output": request.output,
        "frames": f"{request.first}-{request.last}",
        "colorspace": request.colorspace,
        "ocio_config": request.ocio_config,
        "shadow_matte": request.shadow or None,
        "reference": request.reference or None,
    }
    if request.patch:
        # Blender takes a file's data window for its picture.
        shot |= {"patch": request.patch, "patch_window": "plate"}
        shot |= {"layers": ["source"]} if request.sources else {}
    run = {
        "model": request.model,
        "device": request.device,
        "progress_file": str(places.progress),
        "cancel_file": str(places.cancel_file),
    }
    job = {"version": 1, "shot": shot, "settings": request.settings, "run": run}
    if request.repair:
        # Of the settings, those that say what of the matte counts.
        about = ("matte_channel", "matte_invert") if request.matte else ()
        job["settings"] = {name: request.settings[name] for name in about}
        job |= {
            "do": "detect" if request.detect else "restore",
            "restore": {"sensitivity": request.sensitivity},
        }
    _write(places.job_file, job)


def write_export(request: Request, *, scripts: bool) -> None:
    """Write what the child Blender is to render.

    Args:
        request: the inpaint.
        scripts: whether Python in the .blend, such as drivers, may run there as it may here.
    """
    places = request.places
    _write(
        places.export_file,
        {
            "blend": str(places.blend_copy),
            "scene": request.scene,
            "scripts": scripts,
            "progress": str(places.export_progress),
            "first": request.first,
            "last": request.last,
            "begin": request.begin,
            "shift": request.shift,
            "parts": [
                {
                    "kind": part.kind,
                    "strip": part.strip,
                    "alpha": part.alpha,
                    "own_space": part.own_space,
                    "pattern": places.pattern(part.kind),
                }
                for part in request.parts
            ],
        },
    )


def _write(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False), "utf-8")
