"""Cleanplate in Blender's Video Sequence Editor: a plate strip and a matte strip in, a clean plate strip out.

bpy is imported only once Blender registers the extension: what does not need it can be tested without it.
"""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled, and when Blender is closed."""
    from . import registration

    registration.unregister()
