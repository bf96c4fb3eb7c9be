"""Tell what moves too fast to be followed from dirt: it is there again, a little way off, on the frames
around.

A racket or a foot is on no neighbor where its motion says, so each frame suspects it anew. Dirt is on one
frame alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from .dirt import Pieces

_LEAST_PX = 24
_LEVELS = 25
_TIMES = 3.0
"""Pieces are alike whose mean levels are this close and whose areas differ by no more than so many times."""

_REACH = 0.2
"""Share of the picture's height that a thing moves from one frame to the next, at most."""

_BENT = 0.6

_SEARCHED = 0.15
"""Share of the picture's height around a piece in which it is searched for on other frames."""

_SHOWN_PX, _RIM_PX, _LIKE = 16, 3, 0.3
"""Pieces of so many pixels are searched for, with so many around them. A place is like one where it differs
by less than this share of what the piece and its rim vary by."""


def followed(pieces: Pieces, before: Pieces, after: Pieces) -> NDArray[np.bool_]:
    """Return which pieces (n,) are seen to move on: alike on both frames around, on a way nearly straight."""
    moves = np.zeros(len(pieces.area), np.bool_)
    ways = [_ways(pieces, other) for other in (before, after)]
    for number in range(len(moves)):
        come, go = ways[0][number], ways[1][number]
        if len(come) and len(go):
            bend = np.linalg.norm(come[:, None] + go[None], axis=2)
            long = np.linalg.norm(come, axis=1)[:, None] + np.linalg.norm(go, axis=1)[None]
            moves[number] = bool((bend < _BENT * long + 5).any())
    return moves


def elsewhere(
    pieces: Pieces,
    which: NDArray[np.bool_],
    here: NDArray[np.uint8],
    others: Sequence[NDArray[np.uint8]],
) -> NDArray[np.bool_]:
    """Return which pieces (n,) another frame shows again somewhere near, with what lies around them.

    Args:
        pieces: of a frame.
        which: (n,), those that are asked about; the others count as not seen.
        here, others: (h, w), that frame and others, as motion is measured on them.
    """
    seen = np.zeros(len(pieces.area), np.bool_)
    height, width = here.shape
    scale = height / pieces.height
    reach = round(_SEARCHED * height)
    for number in np.flatnonzero(which & (pieces.area * scale**2 >= _SHOWN_PX)).tolist():
        own, piece = pieces.shape(number)
        box = Box(
            int(own.x0 * scale) - _RIM_PX,
            int(own.y0 * scale) - _RIM_PX,
            math.ceil(own.x1 * scale) + _RIM_PX,
            math.ceil(own.y1 * scale) + _RIM_PX,
        ).within(width, height)
        rows = ((np.arange(box.y0, box.y1) + 0.5) / scale).astype(int) - own.y0
        columns = ((np.arange(box.x0, box.x1) + 0.5) / scale).astype(int) - own.x0
        shape = np.zeros((box.height, box.width), np.uint8)
        down = (rows >= 0) & (rows < own.height)
        across = (columns >= 0) & (columns < own.width)
        shape[np.ix_(down, across)] = piece[np.ix_(rows[down], columns[across])]
        rim = cv2.dilate(shape, np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8))
        cut = here[box.slices].astype(np.float32)
        lively = float(cut[rim > 0].std())
        searched = box.grown(reach).within(width, height)
        for other in others:
            off = cv2.matchTemplate(
                other[searched.slices].astype(np.float32), cut, cv2.TM_SQDIFF, mask=rim.astype(np.float32)
            )
            misfit = math.sqrt(max(float(off.min()), 0.0) / max(int(rim.sum()), 1))
            seen[number] |= misfit < _LIKE * lively
    return seen


def _ways(pieces: Pieces, other: Pieces) -> Sequence[NDArray[np.float32]]:
    """Return for each piece the ways (k, 2) to the pieces of another frame that are like it."""
    reach = _REACH * pieces.height
    here, there = _middles(pieces), _middles(other)
    ways = []
    for number, area in enumerate(pieces.area.tolist()):
        way = there - here[number]
        alike = (other.white == pieces.white[number]) & (other.area >= _LEAST_PX) & (area >= _LEAST_PX)
        alike &= np.abs(other.level - pieces.level[number]) < _LEVELS
        alike &= (other.area < _TIMES * area) & (area < _TIMES * other.area)
        alike &= np.abs(way).max(axis=1, initial=0) < reach
        ways.append(way[alike])
    return ways


def _middles(pieces: Pieces) -> NDArray[np.float32]:
    return np.asarray(pieces.boxes[:, :2] + pieces.boxes[:, 2:] / 2, np.float32)
