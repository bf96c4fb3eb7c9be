"""Pictures of another size, filtered by OpenImageIO."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..box import Box
from ..errors import ImageError
from .geometry import Pair

Floats = NDArray[np.float32]

FILTER = "lanczos3"
"""Sharp, and it lets little aliasing through; widened where a picture gets smaller."""

_MOST = 65504.0


def resized(picture: Floats, width: int, height: int, threads: int = 0) -> Floats:
    """Return a picture (H, W, C) of linear light as (height, width, C).

    What the filter's negative lobes would bring below the darkest value of a channel, or below 0, ends there.
    NaN counts as 0, Inf as half-float's largest.
    """
    finite = _finite(picture)
    if (height, width) == picture.shape[:2]:
        return finite
    region = oiio.ROI(0, width, 0, height, 0, 1, 0, picture.shape[2])
    done = oiio.ImageBufAlgo.resize(oiio.ImageBuf(finite), filtername=FILTER, roi=region, nthreads=threads)
    darkest = np.minimum(finite.min(axis=(0, 1)), np.float32(0))
    return np.asarray(np.maximum(_pixels(done), darkest), np.float32)


def scaled(picture: Floats, scale: Pair, at: Pair, box: Box, threads: int = 0) -> Floats:
    """Return a box of a plane onto which a picture (H, W, C) is scaled and laid; 0 where it does not reach.

    Args:
        picture: premultiplied. Its edges go on for ever: nothing is there, or the plate ends.
        scale: pixels of the plane across and down for one of the picture's.
        at: where on the plane its corner lies, x and y.
        box: of the plane.
        threads: of the processor; 0 for all.
    """
    matrix = (scale[0], 0.0, 0.0, 0.0, scale[1], 0.0, at[0] - box.x0, at[1] - box.y0, 1.0)
    region = oiio.ROI(0, box.width, 0, box.height, 0, 1, 0, picture.shape[2])
    given = oiio.ImageBuf(_finite(picture))
    done = oiio.ImageBufAlgo.warp(
        given, matrix, filtername=FILTER, wrap="clamp", roi=region, nthreads=threads
    )
    return _pixels(done)


def _finite(picture: Floats) -> Floats:
    return np.ascontiguousarray(np.nan_to_num(picture, nan=0.0, posinf=_MOST, neginf=-_MOST), np.float32)


def _pixels(done: oiio.ImageBuf) -> Floats:
    pixels = None if done.has_error else done.get_pixels(oiio.FLOAT)
    if pixels is None:
        raise ImageError(f"A picture can't be resized: {done.geterror() or 'no reason given'}.")
    return np.asarray(pixels, np.float32)
