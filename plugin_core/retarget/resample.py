"""Pictures of another size, filtered by OpenImageIO."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..box import Box
from ..errors import ImageError
from .geometry import Pair

Floats = NDArray[np.float32]

FILTER = "lanczos3, triangle beyond white"
"""Sharp, and it lets little aliasing through; widened where a picture gets smaller. What is beyond white goes
by a filter without negative lobes: a hundredth of a sun's light, taken away beside it, is a dark ring."""

_SHARP, _PLAIN = "lanczos3", "triangle"
_WHITE, _MOST = np.float32(1), 65504.0


def resized(picture: Floats, width: int, height: int, threads: int = 0) -> Floats:
    """Return a picture (H, W, C) of linear light as (height, width, C).

    Nothing gets darker or brighter than what lies around it, and no ring is drawn around the sun. NaN counts
    as 0, Inf as half-float's largest.
    """
    finite = _finite(picture)
    if (height, width) == picture.shape[:2]:
        return finite

    def filtered(values: Floats, name: str) -> Floats:
        region = oiio.ROI(0, width, 0, height, 0, 1, 0, values.shape[2])
        given = oiio.ImageBuf(np.ascontiguousarray(values))
        return _pixels(oiio.ImageBufAlgo.resize(given, filtername=name, roi=region, nthreads=threads))

    shown = np.minimum(finite, _WHITE)
    done = np.clip(filtered(shown, _SHARP), *_around(shown, width, height))
    beyond = finite - shown
    return done + filtered(beyond, _PLAIN) if beyond.any() else done


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
        given, matrix, filtername=_SHARP, wrap="clamp", roi=region, nthreads=threads
    )
    return _pixels(done)


def _around(picture: Floats, width: int, height: int) -> tuple[Floats, Floats]:
    """Return the least and the largest value of what lies near each pixel of a smaller or larger picture."""
    had = picture.shape[1], picture.shape[0]
    reach = [math.ceil(own / side) for own, side in zip(had, (width, height), strict=True)]
    kernel = np.ones((2 * reach[1] + 1, 2 * reach[0] + 1), np.uint8)
    x, y = (
        ((np.arange(side) + 0.5) * own / side).astype(int)
        for own, side in zip(had, (width, height), strict=True)
    )
    at = np.ix_(y, x)
    shape = height, width, picture.shape[2]

    def near(each: NDArray[Any]) -> Floats:
        return np.asarray(each.reshape(picture.shape)[at], np.float32).reshape(shape)

    return near(cv2.erode(picture, kernel)), near(cv2.dilate(picture, kernel))


def _finite(picture: Floats) -> Floats:
    return np.ascontiguousarray(np.nan_to_num(picture, nan=0.0, posinf=_MOST, neginf=-_MOST), np.float32)


def _pixels(done: oiio.ImageBuf) -> Floats:
    pixels = None if done.has_error else done.get_pixels(oiio.FLOAT)
    if pixels is None:
        raise ImageError(f"A picture can't be resized: {done.geterror() or 'no reason given'}.")
    return np.asarray(pixels, np.float32)
