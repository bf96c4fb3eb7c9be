"""The separate holes of a frame, and which of them are the same thing on the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box

CELL = 16
"""Islands are told apart, and their boxes measured, on a grid of this many plate pixels: a small change of
the matte leaves them as they are."""

Islands = tuple[Box, ...]
"""Boxes that hold every hole pixel of a frame and do not meet."""


def islands_of(mask: NDArray[np.bool_], box: Box, bounds: Box) -> Islands:
    """Find the separate holes of a frame.

    Args:
        mask: the hole's pixels (H, W) over `box`.
        box: where it lies on the plate.
        bounds: the plate.
    """
    top, left = box.y0 % CELL, box.x0 % CELL
    bottom, right = -(box.y1) % CELL, -(box.x1) % CELL
    padded = np.pad(mask, ((top, bottom), (left, right)))
    rows, columns = padded.shape[0] // CELL, padded.shape[1] // CELL
    cells = padded.reshape(rows, CELL, columns, CELL).any(axis=(1, 3))
    whole: Any = cells.astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=8)
    found = [Box(x, y, x + width, y + height) for x, y, width, height, _ in stats[1:count].tolist()]
    return tuple(_on_plate(cell, box, bounds) for cell in _apart(found))


def on_cells(box: Box, bounds: Box) -> Box:
    """Return the box widened to the grid, as far as the plate goes."""
    low_x, low_y = box.x0 // CELL * CELL, box.y0 // CELL * CELL
    high_x, high_y = -(-box.x1 // CELL) * CELL, -(-box.y1 // CELL) * CELL
    return Box(low_x, low_y, high_x, high_y).within(bounds.width, bounds.height)


def _on_plate(cells: Box, box: Box, bounds: Box) -> Box:
    x, y = box.x0 // CELL, box.y0 // CELL
    moved = cells.moved(x, y)
    scaled = Box(moved.x0 * CELL, moved.y0 * CELL, moved.x1 * CELL, moved.y1 * CELL)
    return scaled.within(bounds.width, bounds.height)


def _apart(boxes: list[Box]) -> list[Box]:
    """Join boxes until no two of them meet."""
    done: list[Box] = []
    todo = list(boxes)
    while todo:
        box = todo.pop()
        touching = [other for other in done if box.meets(other)]
        if touching:
            done = [other for other in done if other not in touching]
            todo.append(box.union(*touching))
        else:
            done.append(box)
    return sorted(done)


class Track:
    """Islands that belong together over time: what one crop may follow.

    Attributes:
        boxes: the islands of each frame that has any, in the frames' order.
        seen: those of the latest frame.
    """

    def __init__(self, boxes: dict[int, Islands] | None = None) -> None:
        self.boxes = dict(boxes or {})
        self.seen = self.boxes[self.last] if self.boxes else ()

    @property
    def first(self) -> int:
        """First frame with a hole."""
        return next(iter(self.boxes))

    @property
    def last(self) -> int:
        """Last frame with a hole."""
        return next(reversed(self.boxes))

    def joined(self, other: Track) -> Track:
        """Return both as one."""
        own, others = self.boxes, other.boxes
        frames = sorted({*own, *others})
        return Track({frame: (*own.get(frame, ()), *others.get(frame, ())) for frame in frames})


def tracks_of(frames: Iterable[tuple[int, Islands]], *, gap: int) -> list[Track]:
    """Follow islands through the frames of one take.

    An island goes on the track whose latest islands are near it. Where it is near several, they have met, and
    are one from their beginning on; where several are near one track, it has parted, and stays one.

    Args:
        frames: the islands of each frame, in order.
        gap: frames for which a track may have no island and still be found again.
    """
    ended: list[Track] = []
    going: list[Track] = []
    for frame, islands in frames:
        ended += [track for track in going if frame - track.last > gap]
        going = [track for track in going if frame - track.last <= gap]
        for own, boxes in _matched(going, islands):
            going = [track for track in going if track not in own]
            going.append(_continued(own, frame, boxes))
    return sorted([*ended, *going], key=lambda track: (track.first, track.boxes[track.first]))


def _matched(tracks: list[Track], islands: Islands) -> list[tuple[list[Track], list[Box]]]:
    """Return which tracks meet in which islands, each in one group; a group without tracks is a new one."""
    groups: list[tuple[list[Track], list[Box]]] = []
    for box in islands:
        reached = box.grown(_near(box))
        own = [track for track in tracks if any(reached.meets(before) for before in track.seen)]
        shared = [group for group in groups if any(track in group[0] for track in own)]
        groups = [group for group in groups if group not in shared]
        members = [*own, *(track for group in shared for track in group[0] if track not in own)]
        groups.append((members, [*(other for group in shared for other in group[1]), box]))
    return groups


def _continued(tracks: list[Track], frame: int, boxes: list[Box]) -> Track:
    merged = tracks[0] if tracks else Track()
    for other in tracks[1:]:
        merged = merged.joined(other)
    merged.boxes[frame] = merged.seen = tuple(sorted(boxes))
    return merged


def _near(box: Box) -> int:
    """How far an island may be from where it was on the frame before: half its length."""
    return max(64, box.longer_side // 2)
