"""How bright a shot is, so that the network sees every scene-referred plate at a normal exposure.

One number for the whole shot, in whole stops: it can't flicker, and multiplying by a power of two rounds
nothing. It is measured on a few frames spread over all that are on disk, not over the rendered range, so that
a chunk gets the number of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..images import Plate
from .color_map import ColorMap

FRAMES = 8
"""Frames looked at."""

_ACROSS = 256
"""Pixels looked at along the longer side of each."""

_MIDDLE_GRAY, _WHITE = 0.18, 1.0
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float64)
_LIMIT = 20


def sample_frames(lower: int, upper: int) -> list[int]:
    """At most `FRAMES` frames of lower..upper, both ends among them, evenly spread."""
    count = min(FRAMES, upper - lower + 1)
    return sorted({lower + round(i * (upper - lower) / max(1, count - 1)) for i in range(count)})


def measure_stops(color: ColorMap, plates: Iterable[Plate]) -> int:
    """Stops that bring a shot to a normal exposure; 0 for display-referred or black plates.

    What brings the median to middle gray (0.18), moved by a stop at most toward what brings the brightest
    fiftieth to 1: on real plates of high contrast, fills were better the nearer the median was to gray,
    whatever the lights beyond it did. A shot that is the same but for a factor of 2**n gets n stops less.

    Raises:
        ImageError: a frame can't be read.
    """
    if color.encoding != "linear":
        return 0
    lights = [_light(color, plate) for plate in plates]
    light = np.concatenate(lights) if lights else np.empty(0)
    if not light.size:
        return 0
    median, bright = np.percentile(np.log2(light), (50, 98))
    to_gray, to_white = np.log2(_MIDDLE_GRAY) - median, np.log2(_WHITE) - bright
    stops = to_gray + np.clip((to_white - to_gray) / 2, -1, 1)
    return int(np.clip(np.rint(stops), -_LIMIT, _LIMIT))


def exposure_note(stops: int) -> tuple[str, ...]:
    """A sentence for the user; none when nothing is changed."""
    if not stops:
        return ()
    way = "brighter" if stops > 0 else "darker"
    plural = "" if abs(stops) == 1 else "s"
    return (
        f"The network sees the plate {abs(stops)} stop{plural} {way}, on every frame alike; the fill "
        "comes back at the plate's own exposure (--exposure).",
    )


def _light(color: ColorMap, plate: Plate) -> NDArray[np.float64]:
    """Luminance of the pixels looked at that have any."""
    step = max(1, -(-max(plate.header.width, plate.header.height) // _ACROSS))
    rgb = plate.sampled(step)
    finite = rgb[np.isfinite(rgb).all(axis=2)]
    light = color.to_linear(finite).astype(np.float64) @ _LUMINANCE
    return light[np.isfinite(light) & (light > 0)]
