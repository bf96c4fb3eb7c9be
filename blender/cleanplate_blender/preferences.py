"""The extension's preferences: where `cleanplate` is, where files of unsaved .blend files go, defaults."""

from __future__ import annotations

import contextlib
import functools
import subprocess
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from .command import environment, find_command
from .problem import InpaintError
from .properties import DEFAULTS, tunable

_VERSION_SECONDS = 20

_checked: dict[str, str] = {}
"""What was found out about each command; starting it takes a second, drawing must not."""


def draw(self: Any, context: Any) -> None:
    """Draw the preferences."""
    layout = self.layout
    layout.use_property_split = True
    layout.prop(self, "command")
    row = layout.row()
    row.label(text=status(self.command), icon="INFO")
    row.operator("cleanplate.check", text="Check")
    layout.prop(self, "cache")
    column = layout.column(heading="Defaults of new scenes, from the next start on")
    for name in DEFAULTS:
        column.prop(self, name)


def make_preferences(package: str) -> type:
    """Return the class of the preferences.

    Args:
        package: the extension's full name.
    """
    annotations = {
        "command": StringProperty(
            name="cleanplate",
            subtype="FILE_PATH",
            description="The command, a Python it is installed in, or its environment's folder; empty: "
            "$CLEANPLATE, the installation that 'cleanplate install blender' was run from, or the PATH",
        ),
        "cache": StringProperty(
            name="Unsaved Files",
            subtype="DIR_PATH",
            description="Folder for clean plates of files that were never saved; empty: the extension's own",
        ),
        **tunable(DEFAULTS),
    }
    return type(
        "CleanplatePreferences",
        (bpy.types.AddonPreferences,),
        {"__annotations__": annotations, "__doc__": "See the module.", "bl_idname": package, "draw": draw},
    )


def of(context: Any) -> Any:
    """Return the preferences."""
    return context.preferences.addons[__package__].preferences


def defaults(context: Any) -> dict[str, Any]:
    """Return the defaults as they are set."""
    addon = context.preferences.addons.get(__package__)
    return {name: getattr(addon.preferences, name) for name in DEFAULTS} if addon else dict(DEFAULTS)


def own_folder() -> str:
    """Return the extension's folder that updates leave alone; it may not be there yet."""
    return str(bpy.utils.extension_path_user(__package__))


def cache_folder(context: Any) -> str:
    """Return the folder for clean plates of files that were never saved."""
    return bpy.path.abspath(of(context).cache) if of(context).cache.strip() else own_folder()


def command(context: Any) -> list[str]:
    """Return the words that start `cleanplate`. Raises InpaintError."""
    return find_command(of(context).command, own_folder())


def status(given: str) -> str:
    """Return what is known about the command; the first time, let Blender's timer find out in a moment."""
    try:
        words = find_command(given, own_folder())
    except InpaintError as error:
        return str(error)
    name = " ".join(words)
    if name not in _checked:
        _checked[name] = f"{words[0]} is being checked"
        bpy.app.timers.register(functools.partial(check_aside, given), first_interval=0.1)
    return _checked[name]


def check_aside(given: str) -> None:
    """Called by Blender's timer: check the command, and draw again what is found out."""
    with contextlib.suppress(InpaintError):  # it is drawn
        check(given)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()


def check(given: str) -> str:
    """Start the command and return where it is and its version. Raises InpaintError."""
    words = find_command(given, own_folder())
    try:
        told = subprocess.run(
            [*words, "--version"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
        _checked[" ".join(words)] = f"{words[0]} does not work: {reason}"
        raise InpaintError(_checked[" ".join(words)]) from None
    _checked[" ".join(words)] = f"{told.stdout.strip()} at {Path(words[0])}"
    return _checked[" ".join(words)]
