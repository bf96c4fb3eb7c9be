"""Cleanplate in Python: a plate and a matte go in, a clean plate comes out.

    import cleanplate

    shot = cleanplate.Shot(plate="plate.####.exr", matte="matte.####.exr", output="clean.####.exr")
    with cleanplate.open_model() as model:
        for done in model.render(shot, resume=True):
            print(done.frame, done.seconds)

The names are those of `plugin_core`, the very same objects (docs/api.md). They are loaded when they are first
used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import plugin_core

if TYPE_CHECKING:
    from plugin_core import *  # noqa: F403
    from plugin_core import errors, sample

__all__ = ["errors", "sample", *plugin_core.__all__]

_MODULES = ("errors", "sample")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"plugin_core.{name}")
    if name not in plugin_core.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(plugin_core, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
