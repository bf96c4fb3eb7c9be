"""Tell what moves too fast to be followed from dirt: it is there again, a little way off, on the frames
around.

A racket or a foot is on no neighbor where its motion says, so each frame suspects it anew. Dirt is on one
frame alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .dirt import Pieces

_LEAST_PX = 24
_LEVELS = 25
_TIMES = 3.0
"""Pieces are alike whose mean levels are this close and whose areas differ by no more than so many times."""

_REACH = 0.2
"""Share of the picture's height that a thing moves from one frame to the next, at most."""

_BENT = 0.6


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


def _ways(pieces: Pieces, other: Pieces) -> Sequence[NDArray[np.float32]]:
    """Return for each piece the ways (k, 2) to the pieces of another frame that are like it."""
    reach = _REACH * pieces.labels.shape[0]
    here, there = _middles(pieces), _middles(other)
    ways = []
    for number, area in enumerate(pieces.area):
        way = there - here[number]
        alike = (other.white == pieces.white[number]) & (other.area >= _LEAST_PX) & (area >= _LEAST_PX)
        alike &= np.abs(other.level - pieces.level[number]) < _LEVELS
        alike &= (other.area < _TIMES * area) & (area < _TIMES * other.area)
        alike &= np.abs(way).max(axis=1, initial=0) < reach
        ways.append(way[alike])
    return ways


def _middles(pieces: Pieces) -> NDArray[np.float32]:
    return np.asarray(pieces.boxes[:, :2] + pieces.boxes[:, 2:] / 2, np.float32)
