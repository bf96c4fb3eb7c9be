"""Dirt, dust, hairs, blotches: what stands on one frame and on none of those around it.

A pixel is suspected where it is brighter (or darker) than all of its neighbors, two frames on either side
brought to it along the motion. Most of what is suspected is motion that went wrong. So each suspected piece
is judged as a whole: neighbors that disagree on what should be there, in the piece and around it, say that
motion is not to be trusted; dirt lies where they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from .compared import Compared

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]

_WIDE_CELLS, _CELL_PX = 15, 4
_CAP = np.float32(40)

_TURMOIL_PX, _TURMOIL_OVER = 16, 0.5
"""Motion gone wrong is counted in cells of so many pixels, over this share of the height around a piece."""

_LARGE_PX = 60
"""Pieces of more pixels than this are doubted more: dirt is small, what moves fast is not."""

_GOES_ON_PX = 16
"""A piece goes on at most so far where no neighbor shows anything."""

_COLOR_LEVELS = 15
_ONE_SIDE = 40
"""Levels of doubt where no neighbor reaches, and in proportion where some do: those are on one side in time,
and agree more than they know."""


@dataclass(frozen=True)
class Pieces:
    """Suspected pieces of one frame.

    Attributes:
        height, width: of the frame.
        at: (m,), their pixels, counted row by row, piece after piece.
        ends: (n + 1,), where the pixels of each begin, and where those of the last end.
        boxes: (n, 4), left, top, width and height of each.
        white: (n,) bool, brighter than the neighbors or darker.
        contrast: (n,) levels of 255 beside what the neighbors show.
        level: (n,) mean level.
        peak: (n,) levels, the most that a pixel stands out from all that is near it there.
        doubt: (n,) how much of its contrast may be motion that went wrong; dirt has below 1, the most
            below one half.
    """

    height: int
    width: int
    at: NDArray[np.int32] = field(repr=False)
    ends: NDArray[np.int64] = field(repr=False)
    boxes: NDArray[np.int32]
    white: NDArray[np.bool_]
    contrast: Floats
    level: Floats
    peak: Floats
    doubt: Floats

    @property
    def area(self) -> NDArray[np.int64]:
        """(n,) pixels of each."""
        return np.diff(self.ends)

    def pixels(self, number: int) -> NDArray[np.int32]:
        """Return the pixels of one piece, counted row by row."""
        return self.at[self.ends[number] : self.ends[number + 1]]

    def shape(self, number: int) -> tuple[Box, Mask]:
        """Return the box of one piece, and which of its pixels (h, w) it has."""
        left, top, wide, high = (int(edge) for edge in self.boxes[number])
        rows, columns = np.divmod(self.pixels(number), self.width)
        mask = np.zeros((high, wide), np.bool_)
        mask[rows - top, columns - left] = True
        return Box(left, top, left + wide, top + high), mask

    def those(self, which: NDArray[np.bool_]) -> Pieces:
        """Return some of them (n,), in their order."""
        area = self.area
        return replace(
            self,
            at=self.at[np.repeat(which, area)],
            ends=np.concatenate([[0], np.cumsum(area[which])]),
            boxes=self.boxes[which],
            white=self.white[which],
            contrast=self.contrast[which],
            level=self.level[which],
            peak=self.peak[which],
            doubt=self.doubt[which],
        )

    def and_those(self, other: Pieces) -> Pieces:
        """Return these and then others of the same frame."""
        return replace(
            self,
            at=np.concatenate([self.at, other.at]),
            ends=np.concatenate([self.ends, self.ends[-1] + other.ends[1:]]),
            boxes=np.concatenate([self.boxes, other.boxes]),
            white=np.concatenate([self.white, other.white]),
            contrast=np.concatenate([self.contrast, other.contrast]),
            level=np.concatenate([self.level, other.level]),
            peak=np.concatenate([self.peak, other.peak]),
            doubt=np.concatenate([self.doubt, other.doubt]),
        )

    def in_frame(self, box: Box, height: int, width: int) -> Pieces:
        """Return pieces of a box of a frame as pieces of the frame."""
        boxes = self.boxes + np.array([box.x0, box.y0, 0, 0], np.int32)
        at = np.asarray(in_frame(self.at, box, width), np.int32)
        return replace(self, height=height, width=width, at=at, boxes=boxes)

    def meet(self, mask: Mask) -> NDArray[np.bool_]:
        """Return which (n,) have a pixel in a mask (H, W)."""
        hits = np.concatenate([[0], np.cumsum(mask.ravel()[self.at])])
        return np.asarray(np.diff(hits[self.ends]) > 0, np.bool_)


def suspected(found: Compared, level: NDArray[np.uint8], *, low: float, high: float, apart: Mask) -> Pieces:
    """Find what may be dirt, and measure each piece.

    Args:
        found: a frame beside its neighbors.
        level: (H, W), how bright the frame is.
        low, high: levels by which a pixel of a piece stands out, and by which one of them has to stand out
            from everything near it.
        apart: (H, W), pixels that are not looked at.
    """
    height, width = level.shape
    there = (found.out > low) & ~apart
    labels, boxes, area, white = _labelled(there, found.white, found.peak > high)
    number = len(area)
    if not number:
        return no_pieces(height, width)
    at = np.flatnonzero(labels)
    own = labels.ravel()[at]
    ends = np.concatenate([[0], np.cumsum(area)])
    order = np.argsort(own, kind="stable")
    at, own = at[order], own[order]

    def mean(values: NDArray[np.generic]) -> Floats:
        sums = np.bincount(own, values.ravel()[at].astype(np.float64), number + 1)[1:]
        return (sums / area).astype(np.float32)

    contrast = np.maximum(np.abs(mean(found.off)), 1)
    peak = np.maximum.reduceat(found.peak.ravel()[at].astype(np.float32), ends[:-1])
    ring, ring_spread = _around(labels, boxes, number, found)
    wide = _wide(found.spread, labels)
    cells = wide[at // width // _CELL_PX, at % width // _CELL_PX]
    disagree = (np.bincount(own, cells, number + 1)[1:] / area).astype(np.float32)
    doubt = mean(found.spread) + mean(found.inner) + ring + ring_spread / 2 + 2 * disagree
    # Dirt has no color: it takes away that of what it lies on, and never adds any.
    gained = mean(found.gained)
    doubt += 2 * np.maximum(gained - 5, 0) - np.clip(-gained - 3, 0, _COLOR_LEVELS)
    doubt += _ONE_SIDE * mean(found.unseen) / found.count
    doubt = np.maximum(doubt, 0) / np.sqrt(contrast * np.maximum(peak, 1))
    doubt *= np.maximum(area / _LARGE_PX, 1) ** 0.15
    return Pieces(
        height,
        width,
        np.asarray(at, np.int32),
        ends,
        boxes,
        white,
        contrast,
        mean(level),
        peak,
        doubt.astype(np.float32),
    )


def in_frame(at: NDArray[np.integer], box: Box, width: int) -> NDArray[np.integer]:
    """Return pixels of a box, counted row by row, as they are counted in a frame of some width."""
    rows, columns = np.divmod(at, box.width)
    return (rows + box.y0) * width + columns + box.x0


def no_pieces(height: int, width: int) -> Pieces:
    """Return that nothing is suspected on a frame."""
    none = np.zeros(0, np.float32)
    boxes, at, ends = np.zeros((0, 4), np.int32), np.zeros(0, np.int32), np.zeros(1, np.int64)
    return Pieces(height, width, at, ends, boxes, np.zeros(0, np.bool_), none, none, none, none)


def turmoil(pieces: Pieces, doubt: float) -> Floats:
    """Return (n,) the share of the picture around each piece, 0..1, that is suspected and doubted more than
    this: motion gone wrong."""
    shape = -(-pieces.height // _TURMOIL_PX), -(-pieces.width // _TURMOIL_PX)
    at = pieces.at[np.repeat(pieces.doubt > doubt, pieces.area)]
    cells = at // pieces.width // _TURMOIL_PX * shape[1] + at % pieces.width // _TURMOIL_PX
    wrong = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
    size = max(1, round(_TURMOIL_OVER * pieces.height / _TURMOIL_PX)) | 1
    known = np.full(shape, _TURMOIL_PX**2, np.float32)
    sums = [cv2.boxFilter(each, -1, (size, size), borderType=cv2.BORDER_CONSTANT) for each in (wrong, known)]
    middles = (pieces.boxes[:, :2] + pieces.boxes[:, 2:] // 2) // _TURMOIL_PX
    return np.asarray((sums[0] / sums[1])[middles[:, 1], middles[:, 0]], np.float32)


def grown(
    pieces: Pieces, number: int, found: Compared, level: NDArray[np.uint8], least: float
) -> NDArray[np.int64]:
    """Return the pixels of a piece with the soft edge that it has, counted row by row.

    Where no neighbor shows anything it goes on as far as it looks like itself.

    Args:
        pieces: of a frame.
        number: of the piece.
        found, level: what they were found by, see `suspected`.
        least: levels from which on a pixel beside the piece, off to the same side, belongs to it.
    """
    box, shape = pieces.shape(number)
    around = box.grown(_GOES_ON_PX).within(pieces.width, pieces.height)
    own = np.zeros((around.height, around.width), np.uint8)
    own[box.moved(-around.x0, -around.y0).slices] = shape
    nowhere = found.unseen[around.slices] == found.count
    if nowhere.any():
        off_it = np.abs(level[around.slices].astype(np.float32) - pieces.level[number])
        alike = nowhere & (off_it < pieces.contrast[number] / 3)
        joined = cv2.connectedComponents(own | alike, connectivity=8)[1]
        own |= alike & np.isin(joined, np.unique(joined[own > 0]))
    wide = cv2.dilate(own, np.ones((3, 3), np.uint8)) > 0
    sign = np.float16(1 if pieces.white[number] else -1)
    rows, columns = np.nonzero(wide & ((own > 0) | (found.off[around.slices] * sign > least)))
    return (rows + around.y0) * pieces.width + columns + around.x0


def _labelled(
    there: Mask, white: Mask, seeds: Mask
) -> tuple[Labels, NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_]]:
    """Number the pieces of both signs that have a seed, from 1 on."""
    labels = np.zeros(there.shape, np.int32)
    boxes, areas, signs = [], [], []
    total = 0
    for sign, mask in ((True, there & white), (False, there & ~white)):
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
        signs.append(np.full(kept.size, sign))
        total += kept.size
    return labels, np.concatenate(boxes), np.concatenate(areas).astype(np.int64), np.concatenate(signs)


def _around(labels: Labels, boxes: NDArray[np.int32], number: int, found: Compared) -> tuple[Floats, Floats]:
    """Return how far a frame is off its neighbors, and how far those differ, in a ring around each piece, 3
    to 6 pixels away, where no piece is."""
    there = (labels > 0).view(np.uint8)
    near = cv2.dilate(there, np.ones((5, 5), np.uint8))
    height, width = labels.shape
    brush = np.ones((13, 13), np.uint8)
    off, spread = np.zeros(number, np.float32), np.zeros(number, np.float32)
    for piece in range(number):
        left, top, wide, high = (int(edge) for edge in boxes[piece])
        box = Box(left, top, left + wide, top + high).grown(6).within(width, height)
        own = (labels[box.slices] == piece + 1).view(np.uint8)
        ring = (cv2.dilate(own, brush) > 0) & (near[box.slices] == 0)
        if ring.any():
            off[piece] = np.abs(found.off[box.slices][ring].astype(np.float32)).mean()
            spread[piece] = np.minimum(found.spread[box.slices][ring].astype(np.float32), 2 * _CAP).mean()
    return off, spread


def _wide(spread: NDArray[np.float16], labels: Labels) -> Floats:
    """Return how far neighbors differ in a wide window without what is suspected, cell by cell."""
    height, width = labels.shape
    size = max(1, -(-width // _CELL_PX)), max(1, -(-height // _CELL_PX))
    clean = np.zeros((size[1], size[0]), np.float32)
    summed = np.zeros_like(clean)
    free = 1 - cv2.dilate((labels > 0).view(np.uint8), np.ones((5, 5), np.uint8))
    for top in range(0, height, _CELL_PX * 64):
        rows = slice(top, top + _CELL_PX * 64)
        known = free[rows].astype(np.float32)
        part = slice(top // _CELL_PX, top // _CELL_PX + -(-known.shape[0] // _CELL_PX))
        values = np.minimum(spread[rows].astype(np.float32), _CAP) * known
        pad = (
            (0, part.stop * _CELL_PX - part.start * _CELL_PX - known.shape[0]),
            (0, size[0] * _CELL_PX - width),
        )
        for into, each in ((clean, known), (summed, values)):
            cells = np.pad(each, pad).reshape(-1, _CELL_PX, size[0], _CELL_PX)
            into[part] = cells.sum(axis=(1, 3))
    window = (_WIDE_CELLS, _WIDE_CELLS)
    return np.asarray(
        cv2.blur(summed, window, borderType=cv2.BORDER_CONSTANT)
        / np.maximum(cv2.blur(clean, window, borderType=cv2.BORDER_CONSTANT), 1e-2),
        np.float32,
    )
