"""Dirt, dust, hairs, blotches: what stands on one frame and on none of those around it.

A pixel is suspected where it is brighter (or darker) than all of its neighbors, two frames on either side
brought to it along the motion. Most of what is suspected is motion that went wrong. So each suspected piece
is judged as a
whole: neighbors that disagree on what should be there, in the piece and around it, say that motion is not to
be trusted; dirt lies where they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]

_WIDE_PX = 61
_CAP = np.float32(40)


@dataclass(frozen=True)
class Pieces:
    """Suspected pieces of one frame.

    Attributes:
        labels: (H, W), the number of each pixel's piece, counted from 1; 0 for none.
        boxes: (n, 4), left, top, width and height of each.
        area: (n,) pixels.
        white: (n,) bool, brighter than the neighbors or darker.
        contrast: (n,) levels of 255 beside what the neighbors show.
        level: (n,) mean gray.
        peak: (n,) levels, the most that a pixel stands out from all that is near it there.
        doubt: (n,) how much of its contrast may be motion that went wrong; dirt has below 1, the most
            below one half.
        off: (H, W) levels by which each pixel is off what its neighbors show.
    """

    labels: Labels = field(repr=False)
    boxes: NDArray[np.int32]
    area: NDArray[np.int64]
    white: NDArray[np.bool_]
    contrast: Floats
    level: Floats
    peak: Floats
    doubt: Floats
    off: Floats = field(repr=False)


_LARGE_PX = 60
"""Pieces of more pixels than this are doubted more: dirt is small, what moves fast is not."""

_COLOR_LEVELS = 15
_ONE_SIDE = 40
"""Levels of doubt where no neighbor reaches, and in proportion where some do: those are on one side in time,
and agree more than they know."""


def suspected(
    gray: Floats,
    brought: Sequence[Floats],
    chroma: NDArray[np.uint8],
    behind: NDArray[np.uint8],
    *,
    low: float,
    high: float,
    apart: Mask,
    unseen: Floats | None = None,
) -> Pieces:
    """Find what may be dirt, and measure each piece.

    Args:
        gray: (H, W) levels.
        brought: its neighbors, each (H, W), brought to it; at least one.
        chroma, behind: (H, W), the frame's chroma and a neighbor's.
        low, high: levels by which a pixel of a piece stands out, and by which one of them has to stand out
            from everything near it.
        apart: (H, W), pixels that are not looked at.
        unseen: (H, W) 0..1, share of the neighbors that end before they show a pixel; None for none.
    """
    stack = _sorted(brought)
    lowest, highest = stack[0], stack[-1]
    count = len(brought)
    middle = (stack[(count - 1) // 2] + stack[count // 2]) / np.float32(2)
    brush = np.ones((3, 3), np.uint8)
    above, below = gray - highest, lowest - gray
    peak = np.maximum(gray - cv2.dilate(highest, brush), cv2.erode(lowest, brush) - gray)
    labels, boxes, area, white = _labelled((above > low) & ~apart, (below > low) & ~apart, peak > high)
    number = len(area)
    off = np.asarray(gray - middle, np.float32)
    if not number:
        return no_pieces(labels)
    spread = highest - lowest
    inner = stack[count // 2] - stack[(count - 1) // 2] if count > 2 else spread
    away = np.abs(off)
    at = np.flatnonzero(labels)
    own = labels.ravel()[at]

    def mean(values: NDArray[np.generic]) -> Floats:
        sums = np.bincount(own, values.ravel()[at].astype(np.float64), number + 1)[1:]
        return (sums / area).astype(np.float32)

    contrast = np.maximum(mean(away), 1)
    peaks = np.zeros(number + 1, np.float32)
    np.maximum.at(peaks, own, peak.ravel()[at])
    there = (labels > 0).view(np.uint8)
    ring, ring_spread = _around(labels, there, number, away, np.minimum(spread, 2 * _CAP))
    clean = 1 - cv2.dilate(there, np.ones((5, 5), np.uint8)).astype(np.float32)
    size = (_WIDE_PX, _WIDE_PX)
    wide = cv2.blur(np.minimum(spread, _CAP) * clean, size) / np.maximum(cv2.blur(clean, size), 1e-3)
    gained = mean(chroma) - mean(behind)
    doubt = mean(spread) + mean(inner) + ring + ring_spread / 2 + 2 * mean(wide)
    # Dirt has no color: it takes away that of what it lies on, and never adds any.
    doubt += 2 * np.maximum(gained - 5, 0) - np.clip(-gained - 3, 0, _COLOR_LEVELS)
    if unseen is not None:
        doubt += _ONE_SIDE * mean(unseen)
    doubt = np.maximum(doubt, 0) / np.sqrt(contrast * np.maximum(peaks[1:], 1))
    doubt *= np.maximum(area / _LARGE_PX, 1) ** 0.15
    return Pieces(labels, boxes, area, white, contrast, mean(gray), peaks[1:], doubt.astype(np.float32), off)


def no_pieces(labels: Labels) -> Pieces:
    """Return that nothing is suspected on a frame, whose labels (H, W) are 0."""
    none = np.zeros(0, np.float32)
    boxes, area = np.zeros((0, 4), np.int32), np.zeros(0, np.int64)
    off = np.zeros(labels.shape, np.float32)
    return Pieces(labels, boxes, area, np.zeros(0, np.bool_), none, none, none, none, off)


def turmoil(pieces: Pieces, doubt: float) -> float:
    """Return the share of a frame, 0..1, that is suspected and doubted more than this: motion gone wrong."""
    wrong = pieces.area[pieces.doubt > doubt].sum()
    return float(wrong) / pieces.labels.size


def grown(pieces: Pieces, which: NDArray[np.bool_], least: float) -> Labels:
    """Return the pixels of some pieces, (H, W) by their numbers, with the soft edge that each has.

    Args:
        pieces: of a frame.
        which: (n,), those that are taken.
        least: levels from which on a pixel beside a piece, off to the same side, belongs to it.
    """
    taken = np.concatenate([[False], which])[pieces.labels]
    own = np.where(taken, pieces.labels, 0)
    wide = cv2.dilate(own.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    sign = np.concatenate([[0], np.where(pieces.white, 1, -1)]).astype(np.float32)[wide]
    edge = (own == 0) & (wide > 0) & (pieces.off * sign > least)
    return np.where(edge, wide, own)


def _sorted(pictures: Sequence[Floats]) -> list[Floats]:
    """Sort pictures (H, W) pixel by pixel, the lowest values first."""
    done: list[Floats] = []
    for picture in pictures:
        for at, other in enumerate(done):
            done[at] = np.asarray(cv2.min(other, picture), np.float32)
            picture = np.asarray(cv2.max(other, picture), np.float32)
        done.append(picture)
    return done


def _labelled(
    above: Mask, below: Mask, seeds: Mask
) -> tuple[Labels, NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_]]:
    """Number the pieces of both signs that have a seed, from 1 on."""
    labels = np.zeros(above.shape, np.int32)
    boxes, areas, signs = [], [], []
    total = 0
    for white, mask in ((True, above), (False, below)):
        count, own, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
        seeded = np.zeros(count, np.bool_)
        seeded[own[seeds & mask]] = True
        seeded[0] = False
        kept = np.flatnonzero(seeded)
        new = np.zeros(count, np.int32)
        new[kept] = np.arange(1, kept.size + 1) + total
        labels += new[own]
        boxes.append(stats[kept, :4])
        areas.append(stats[kept, 4])
        signs.append(np.full(kept.size, white))
        total += kept.size
    return labels, np.concatenate(boxes), np.concatenate(areas).astype(np.int64), np.concatenate(signs)


def _around(labels: Labels, there: NDArray[np.uint8], number: int, *values: Floats) -> list[Floats]:
    """Return the means of some values (H, W) in a ring around each piece, 3 to 6 pixels away."""
    near = cv2.dilate(there, np.ones((5, 5), np.uint8))
    reach = cv2.dilate(labels.astype(np.float32), np.ones((13, 13), np.uint8))
    reach[near > 0] = 0
    at = np.flatnonzero(reach)
    own = reach.ravel()[at].astype(np.int64)
    count = np.bincount(own, minlength=number + 1)[1:]
    means = []
    for each in values:
        sums = np.bincount(own, each.ravel()[at].astype(np.float64), number + 1)[1:]
        whole = float(each.mean())
        means.append(np.where(count > 0, sums / np.maximum(count, 1), whole).astype(np.float32))
    return means
