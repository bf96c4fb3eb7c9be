"""Which channels of a picture are its color: by their names."""

from __future__ import annotations

from pathlib import Path

from ..errors import ImageError
from .views import PartNames, views_of

_RGB_NAMES = (("r", "g", "b"), ("red", "green", "blue"))
_CHROMA = {"cb", "cr", "cbcr", "ry", "by"}
_MAIN_LAYERS = ("rgba", "rgb", "beauty", "combined", "primary", "main")


def choose_fill(path: Path, parts: list[PartNames], view: str = "") -> tuple[int, tuple[int, ...]]:
    """The part to fill and its channels: R, G, B in this order, or one gray channel.

    ``view`` is one of a stereo picture's, empty for the first. Within a part, channels without a layer
    come first, then one named as main pictures are (rgba, beauty, combined, ...), then the first layer that
    has R, G and B.
    Raises ImageError when no part has RGB or gray, its gray has chroma beside it, or there is no such view.
    """
    views = views_of(parts)
    if view and view not in views:
        has = f"its views are {', '.join(views)}" if views else "it is not stereo"
        raise ImageError(f"{path} has no view '{view}'; {has} (--view).")
    first = views[0] if views else ""
    # Parts that belong to no view are looked at where none is asked for.
    seen = [part.seen(view or (first if part.view or part.views else "")) for part in parts]
    for part, names in enumerate(seen):
        found = _rgb_channels(names)
        if found is not None:
            return part, found
    for part, names in enumerate(seen):
        if _CHROMA & {name.lower() for name in names}:
            raise ImageError(
                f"{path} stores luminance and chroma ({', '.join(names)}); convert it to RGB first."
            )
        gray = _gray_channel(names)
        if gray is not None:
            return part, (gray,)
    listed = ", ".join(name for part in parts for name in part.names)
    raise ImageError(f"{path} has neither R, G, B nor a gray channel to fill; it has {listed}.")


def layer_of(name: str) -> str:
    """The layer in a channel's name, ``beauty`` of ``beauty.R``; empty when there is none."""
    return name.rpartition(".")[0]


def _rgb_channels(names: tuple[str, ...]) -> tuple[int, ...] | None:
    lowered = [name.lower() for name in names]
    if {"c", "m", "y", "k"} <= set(lowered):
        return None
    layers = sorted(dict.fromkeys(layer_of(name) for name in lowered if name), key=_rank)
    for layer in layers:
        for colors in _RGB_NAMES:
            wanted = [f"{layer}.{color}" if layer else color for color in colors]
            if all(name in lowered for name in wanted):
                return tuple(lowered.index(name) for name in wanted)
    return None


def _rank(layer: str) -> int:
    """Order of preference; layers of equal rank stay in the file's order."""
    if not layer:
        return 0
    return 1 if layer.rpartition(".")[2] in _MAIN_LAYERS else 2


def _gray_channel(names: tuple[str, ...]) -> int | None:
    lowered = [name.lower() for name in names]
    if len(names) == 1 and names[0]:
        return 0
    if "y" in lowered and not {"c", "m", "k"} & set(lowered):
        return lowered.index("y")
    return None
