"""A shot's moving thumbnail: a few frames spread over it, as an animated WebP."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ..disk.atomic import replacing

MOVING = "moving.webp"
WIDTH_PX = 192
MOST_FRAMES = 16
_RATE = 6

Codes = NDArray[np.uint8]


def wanted_frames(frames: range) -> set[int]:
    """Return the frames that are shown."""
    return {frames[round(at)] for at in np.linspace(0, len(frames) - 1, min(MOST_FRAMES, len(frames)))}


def write_moving(path: Path, pictures: list[Codes]) -> None:
    """Write pictures of one size, BGR (h, w, 3), as an animation without end. Raises WriteError."""
    height, width = pictures[0].shape[:2]
    with replacing(path) as temporary, av.open(str(temporary), "w", "webp", options={"loop": "0"}) as movie:
        stream = movie.add_stream("libwebp_anim", rate=_RATE, options={"quality": "60"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, picture in enumerate(pictures):
            shown = av.VideoFrame.from_ndarray(picture, format="bgr24")
            shown.pts, shown.time_base = number, Fraction(1, _RATE)
            movie.mux(stream.encode(shown))
        movie.mux(stream.encode())
