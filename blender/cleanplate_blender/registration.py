"""Tells Blender of everything the extension has, and takes it back."""

from __future__ import annotations

import contextlib

import bpy

from . import operators, panel, preferences, properties, running

_registered: list[type] = []


def register() -> None:
    """Register all classes."""
    _register(preferences.make_preferences(__package__))
    group = properties.make_settings(preferences.defaults(bpy.context))
    _register(group)
    properties.attach(group)
    for made in (*operators.make_operators(), panel.make_panel()):
        _register(made)
    running.register()


def unregister() -> None:
    """Take everything back, in the opposite order; whatever runs is stopped."""
    running.unregister()
    properties.detach()
    while _registered:
        with contextlib.suppress(RuntimeError):
            bpy.utils.unregister_class(_registered.pop())


def _register(made: type) -> None:
    bpy.utils.register_class(made)
    _registered.append(made)
