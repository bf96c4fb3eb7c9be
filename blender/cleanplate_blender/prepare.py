"""What the wishes stand for, written down for the core and the child Blender, as a job to be run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

from . import compat, painted, preferences, read
from .command import environment
from .job import Job
from .problem import InpaintError
from .properties import DETECT, REPAIR
from .request import write_export, write_job

_CHILD = Path(__file__).with_name("export_child.py")


def prepare(
    context: Any, wishes: read.Wishes, from_current: bool = False, *, looks_only: bool = False
) -> Job:
    """Write down what is asked for, and save a copy of the file if the child needs it.

    Args:
        context: Blender's.
        wishes: the settings, by the names of `properties.settings`.
        from_current: plate and matte before the current frame are taken as they were.
        looks_only: see `Job`.

    Raises InpaintError.
    """
    frame = compat.scene_of(context).frame_current if from_current else None
    core = preferences.command(context)
    plate, _ = read.chosen(
        context, wishes["plate"], wishes["matte"], repair=wishes["mode"] in (REPAIR, DETECT)
    )
    painted.save_all(plate.name)
    request = read.read_request(context, wishes, preferences.cache_folder(context), frame)
    try:
        write_job(request)
        if request.parts:
            write_export(request, scripts=not bpy.app.autoexec_fail)
            bpy.ops.wm.save_as_mainfile(
                filepath=str(request.places.blend_copy), copy=True, check_existing=False, compress=False
            )
    except (OSError, RuntimeError) as error:
        raise InpaintError(f"Can't write to {request.folder}: {error}") from None
    return Job(
        request,
        core,
        environment(),
        _blender(),
        own_group=not bpy.app.background,
        looks_only=looks_only,
    )


def _blender() -> list[str]:
    """Return the words that start a Blender without a window on the child's script."""
    if bpy.app.binary_path:
        return [bpy.app.binary_path, "--background", "--python", str(_CHILD), "--"]
    return [sys.executable, str(_CHILD)]
