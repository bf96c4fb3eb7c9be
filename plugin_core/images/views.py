"""Stereo pictures: which channels belong to a view, in files that keep views in parts or in names.

OpenEXR names the channels of a view other than the first ``layer.view.channel`` (or ``view.channel``), and
lists the views, the first one first, in ``multiView``. A file of several parts says the view of each part.
"""

from __future__ import annotations

from dataclasses import dataclass

import OpenImageIO as oiio


@dataclass(frozen=True)
class PartNames:
    """A part's channel names, and the views in it.

    Attributes:
        names: every channel's name.
        view: the view that the whole part belongs to; empty where it is none's.
        views: the views in the part's channels, the first one first; empty for most pictures.
    """

    names: tuple[str, ...]
    view: str = ""
    views: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: oiio.ImageSpec) -> PartNames:
        """Read a spec."""
        listed = spec.getattribute("multiView")
        views = tuple(str(view) for view in listed) if isinstance(listed, tuple) else ()
        return cls(tuple(spec.channelnames), str(spec.get_string_attribute("view")), views)

    def seen(self, view: str) -> tuple[str, ...]:
        """Return the channels' names as the view has them; those of other views are empty.

        Args:
            view: its name; empty for the first one.
        """
        if self.view:
            return self.names if view in ("", self.view) else ("",) * len(self.names)
        if not self.views:
            return self.names if not view else ("",) * len(self.names)
        wanted = view or self.views[0]
        return tuple(_seen(name, wanted, self.views) for name in self.names)


def views_of(parts: list[PartNames]) -> tuple[str, ...]:
    """Every view of a file, the first one first."""
    return tuple(dict.fromkeys(view for part in parts for view in (*part.views, part.view) if view))


def _seen(name: str, wanted: str, views: tuple[str, ...]) -> str:
    *layers, channel = name.split(".")
    named = layers[-1] if layers and layers[-1] in views else ""
    if (named or views[0]) != wanted:
        return ""
    return ".".join([*(layers[:-1] if named else layers), channel])
