"""Finds the damage of a shot's frames, each from the frames around it and from nothing else.

So a frame's finds are the same whatever was looked at before, and resumed or cut-up runs agree. What was made
of the frames near by is kept, and all else forgotten: memory does not grow with the shot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from . import dirt, scratches
from .compared import Near, compared
from .followed import elsewhere, followed
from .look import Look, Seen, look_at
from .motion import light_between, motion_between, rough_clean, targets

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Kind = Literal["dirt", "scratch"]
REACH = 2
"""Frames on either side that dirt is compared with."""

LOOKS_AT = 2 * REACH + 1 + scratches.REACH
"""Frames on either side that a frame's finds depend on."""

_DOUBT, _CALM = 0.95, 0.01
_STRICTEST = 0.7
"""Pieces may be doubted up to `_DOUBT`; where more than the share `_CALM` of a frame is motion that went
wrong, less by the square of how much there is of it, down to this share."""

_ROUGHLY_PX, _BESIDE_PX, _AROUND_PX = 5, 3, 40
"""A neighbor's dirt, on the picture that motion is measured on, is taken for so much larger where it is asked
whether it lies on a piece; such a piece is judged again with what is so near to it, and so much around it is
looked at for that."""

_LINE = 0.45
_NOISES = 4.5
_LOW, _HIGH, _EDGE = 7.0, 11.0, 10.0
"""Levels that pieces stand out by, at least and at their strongest; and that their edges do."""


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        kinds: of damage.
        sensitivity: 0 finds next to nothing, 1 all that may be damage.
        polarity: `white`, `black` or `both`.
        contrast: levels of 255 by which damage differs from what should be there, at least.
        smallest, largest: pixels of a piece of dirt; None for any number.
    """

    kinds: frozenset[Kind] = frozenset(("dirt", "scratch"))
    sensitivity: float = 0.5
    polarity: Literal["white", "black", "both"] = "both"
    contrast: float = 10.0
    smallest: int = 2
    largest: int | None = None

    @property
    def tolerance(self) -> float:
        """By how much more than usual is taken for damage: 1 at a sensitivity of 0.5, 2 at 0.75."""
        return float(4.0 ** (2 * self.sensitivity - 1)) if self.sensitivity > 0 else 0.0


@dataclass(frozen=True)
class Find:
    """One piece of damage on one frame.

    Attributes:
        kind: of it.
        left, top, width, height: its box, pixels of the data window.
        pixels: how many it has.
        white: brighter than what should be there, or darker.
        contrast: levels of 255 between it and that.
        score: 0..1, how sure it is.
    """

    kind: Kind
    left: int
    top: int
    width: int
    height: int
    pixels: int
    white: bool
    contrast: float
    score: float


@dataclass(frozen=True)
class Damage:
    """The damage of one frame.

    Attributes:
        labels: (H, W), 0 where there is none, else the number of a find, counted from 1.
        finds: in the order of their numbers.
    """

    labels: NDArray[np.integer] = field(repr=False)
    finds: tuple[Find, ...]

    def mask(self, kind: Kind | None = None) -> Mask:
        """Return the damaged pixels (H, W), of one kind or of all."""
        wanted = [kind is None or find.kind == kind for find in self.finds]
        return np.asarray(np.concatenate([[False], wanted])[self.labels], np.bool_)


@dataclass(frozen=True)
class _Judged:
    """The pieces of a frame, judged.

    Attributes:
        pieces: all that are suspected.
        pixels: of those that are dirt, by their numbers, with their soft edges, counted row by row.
        low: levels that a piece stands out by.
    """

    pieces: dirt.Pieces
    pixels: Mapping[int, NDArray[np.int64]] = field(repr=False)
    low: float

    def mask(self) -> Mask:
        """Return its dirt, (H, W)."""
        mask = np.zeros((self.pieces.height, self.pieces.width), np.bool_)
        for at in self.pixels.values():
            mask.flat[at] = True
        return mask


class DamageFinder:
    """The damage of one shot.

    Args:
        see: reads a frame (see `Seen`).
        take: the frames of a frame's take that can be read.
        search: what is looked for.
        protected: (H, W) of a frame, true where nothing is damage; None for nowhere.
    """

    def __init__(
        self,
        see: Callable[[int], Seen],
        take: Callable[[int], range],
        search: Search | None = None,
        protected: Callable[[int], Mask | None] = lambda frame: None,
    ) -> None:
        self._see, self._take, self._protected = see, take, protected
        self._search = search or Search()
        self._seen: dict[int, Seen] = {}
        self._lines: dict[int, scratches.Lines] = {}
        self._scratched: dict[int, list[tuple[scratches.Scratch, NDArray[np.int64]]]] = {}
        self._looks: dict[int, Look] = {}
        self._clean: dict[int, NDArray[np.uint8]] = {}
        self._motions: dict[tuple[int, int], NDArray[np.float16]] = {}
        self._lights: dict[tuple[int, int], Floats] = {}
        self._firsts: dict[int, _Judged] = {}

    def around(self, frame: int) -> list[int]:
        """Return the frames that a frame is compared with, two on either side within its take."""
        take = self._take(frame)
        return [near for near in range(frame - REACH, frame + REACH + 1) if near != frame and near in take]

    def look(self, frame: int) -> Look:
        """Return a frame as damage is looked for on it."""
        if frame not in self._looks:
            self._looks[frame] = look_at(self._sight(frame), self.lines(frame))
            del self._seen[frame]
        return self._looks[frame]

    def lines(self, frame: int) -> Mask:
        """Return the pixels (H, W) of a frame's running scratches."""
        looks = self._looks.get(frame)
        mask = np.zeros((self._sight(frame)[0] if looks is None else looks.low).shape, np.bool_)
        for _, at in self._scratches(frame):
            mask.flat[at] = True
        return mask

    def motion(self, frame: int, other: int) -> Floats:
        """Return the motion (h, w, 2) from a frame to another that it is compared with, see `full_size`."""
        if (frame, other) not in self._motions:
            motion = motion_between(self._cleaned(frame), self._cleaned(other))
            self._motions[frame, other] = motion.astype(np.float16)
        return self._motions[frame, other].astype(np.float32)

    def find(self, frame: int) -> Damage:
        """Find a frame's damage."""
        self._forget(frame)
        labels = np.zeros(self.look(frame).low.shape, np.int32)
        finds: list[Find] = []
        protected = self._protected(frame)
        if "dirt" in self._search.kinds and self.around(frame):
            judged = self._alone(frame)
            for piece, at in judged.pixels.items():
                score = 1 / (1 + float(judged.pieces.doubt[piece]))
                white, contrast = bool(judged.pieces.white[piece]), float(judged.pieces.contrast[piece])
                _add(labels, finds, _free(at, protected), "dirt", white, contrast, score)
        if "scratch" in self._search.kinds:
            for scratch, at in self._scratches(frame):
                at = _free(at, protected)
                _add(labels, finds, at, "scratch", scratch.white, scratch.contrast, scratch.score)
        return Damage(labels.astype(np.uint16) if len(finds) < 1 << 16 else labels, tuple(finds))

    def _alone(self, frame: int) -> _Judged:
        """Leave out of a frame's dirt what is there, too, on the frames around: it moves."""
        judged, near = self._judged(frame), (frame - 1, frame + 1)
        if not judged.pixels:
            return judged
        pieces, around = judged.pieces, self.around(frame)
        taken = np.zeros(len(pieces.white), np.bool_)
        taken[list(judged.pixels)] = True
        known = [self.look(other).small for other in near if other in around]
        moves = elsewhere(pieces, taken, self.look(frame).small, known)
        if set(near) <= set(around):
            moves |= followed(pieces, *(self._first(other).pieces for other in near))
        kept = {piece: at for piece, at in judged.pixels.items() if not moves[piece]}
        return _Judged(pieces, kept, judged.low)

    def _judged(self, frame: int) -> _Judged:
        """Judge a frame's pieces: where a neighbor has dirt of its own it has no say."""
        first = self._first(frame)
        if len(first.pixels) == len(first.pieces.white):
            return first
        hidden = {other: self._first(other) for other in self.around(frame)}
        masks = {other: judged.mask() for other, judged in hidden.items() if judged.pixels}
        touched = self._touched(frame, first, masks) if masks else np.zeros(0, np.bool_)
        return self._again(frame, first, touched, masks) if touched.any() else first

    def _touched(self, frame: int, first: _Judged, masks: Mapping[int, Mask]) -> NDArray[np.bool_]:
        """Return which pieces (n,) are doubted and have a neighbor's dirt on them, roughly."""
        height, width = self.look(frame).small.shape
        brush = np.ones((_ROUGHLY_PX, _ROUGHLY_PX), np.uint8)
        there = np.zeros((height, width), np.uint8)
        for other, mask in masks.items():
            dirt_there = cv2.resize(
                mask.view(np.uint8) * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA
            )
            rough = cv2.dilate((dirt_there > 0).view(np.uint8), brush)
            there |= np.asarray(
                cv2.remap(rough, *targets(self.motion(frame, other)), cv2.INTER_NEAREST), np.uint8
            )
        pieces = first.pieces
        on_all = cv2.resize(there, (pieces.width, pieces.height), interpolation=cv2.INTER_NEAREST) > 0
        touched = pieces.meet(np.asarray(on_all, np.bool_))
        touched[list(first.pixels)] = False
        return touched

    def _again(
        self, frame: int, first: _Judged, touched: NDArray[np.bool_], masks: Mapping[int, Mask]
    ) -> _Judged:
        """Judge the pieces that are touched (n,) again, on the part of the frame that they lie on."""
        pieces = first.pieces
        region = np.zeros((pieces.height, pieces.width), np.bool_)
        boxes = [Box(x, y, x + wide, y + high) for x, y, wide, high in pieces.boxes[touched].tolist()]
        for box in boxes:
            region[box.grown(_BESIDE_PX).within(pieces.width, pieces.height).slices] = True
        box = boxes[0].union(*boxes[1:]).grown(_AROUND_PX).within(pieces.width, pieces.height)
        new, grown, _ = self._suspected(frame, masks, box, first.low)
        placed = new.in_frame(box, pieces.height, pieces.width)
        here = placed.meet(region)
        numbers = np.flatnonzero(here)
        placed = placed.those(here)
        region.flat[placed.at] = True
        kept = ~pieces.meet(region)
        judged = pieces.those(kept).and_those(placed)
        taken = self._taken(judged)
        number_of = np.cumsum(kept) - 1
        pixels = {int(number_of[piece]): at for piece, at in first.pixels.items() if kept[piece]}
        old = int(kept.sum())
        for piece in np.flatnonzero(taken[old:]).tolist():
            at = grown(int(numbers[piece]))
            pixels[old + piece] = np.asarray(dirt.in_frame(at, box, pieces.width), np.int64)
        return _Judged(judged, pixels, first.low)

    def _first(self, frame: int) -> _Judged:
        if frame not in self._firsts:
            self._firsts[frame] = self._judge(frame)
        return self._firsts[frame]

    def _judge(self, frame: int) -> _Judged:
        pieces, grown, low = self._suspected(frame, {}, None, None)
        taken = np.flatnonzero(self._taken(pieces)).tolist()
        return _Judged(pieces, {piece: grown(piece) for piece in taken}, low)

    def _suspected(
        self, frame: int, hidden: Mapping[int, Mask], within: Box | None, low: float | None
    ) -> tuple[dirt.Pieces, Callable[[int], NDArray[np.int64]], float]:
        """Return what is suspected on a frame or a box of it, what gives a piece's pixels with its edge, and
        the levels that a piece stands out by: those given, else by the frame's noise."""
        search, look, protected = self._search, self.look(frame), self._protected(frame)
        height, width = look.low.shape
        near = []
        for other in self.around(frame):
            motion = self.motion(frame, other)
            light = self._light(frame, other)
            near.append(Near(other - frame, self.look(other), motion, light, hidden.get(other)))
        if not near:
            nothing = dirt.no_pieces(height, width)
            return nothing, lambda piece: np.zeros(0, np.int64), _LOW
        found = compared(look, near, within)
        if low is None:
            low = max(_LOW, min(_NOISES * found.noise, 40.0), search.contrast * _LOW / 10)
        part = (Box(0, 0, width, height) if within is None else within).slices
        apart = cv2.dilate(self.lines(frame)[part].view(np.uint8), np.ones((3, 5), np.uint8)) > 0
        if protected is not None:
            apart |= protected[part]
        level = np.asarray(cv2.addWeighted(look.low[part], 0.5, look.high[part], 0.5, 0), np.uint8)
        pieces = dirt.suspected(found, level, low=low, high=low * _HIGH / _LOW, apart=apart)
        edge = max(low, _EDGE)
        return pieces, lambda piece: dirt.grown(pieces, piece, found, level, edge), low

    def _light(self, frame: int, other: int) -> Floats:
        if (frame, other) not in self._lights:
            motion = self.motion(frame, other)
            self._lights[frame, other] = light_between(self.look(frame), self.look(other), motion)
        return self._lights[frame, other]

    def _taken(self, pieces: dirt.Pieces) -> NDArray[np.bool_]:
        """Return which pieces (n,) of a frame are dirt."""
        search = self._search
        wrong = dirt.turmoil(pieces, _DOUBT)
        limit = _DOUBT * search.tolerance * np.clip((_CALM / np.maximum(wrong, 1e-9)) ** 2, _STRICTEST, 1)
        taken = (pieces.doubt < limit) & (pieces.area >= search.smallest)
        taken &= pieces.contrast >= search.contrast
        if search.largest is not None:
            taken &= pieces.area <= search.largest
        if search.polarity != "both":
            taken &= pieces.white == (search.polarity == "white")
        return np.asarray(taken, np.bool_)

    def _sight(self, frame: int) -> Seen:
        if frame not in self._seen:
            self._seen[frame] = self._see(frame)
        return self._seen[frame]

    def _scratches(self, frame: int) -> list[tuple[scratches.Scratch, NDArray[np.int64]]]:
        """Return the scratches of a frame, each with its pixels, counted row by row."""
        if frame not in self._scratched:
            self._scratched[frame] = self._find_scratches(frame) if "scratch" in self._search.kinds else []
        return self._scratched[frame]

    def _find_scratches(self, frame: int) -> list[tuple[scratches.Scratch, NDArray[np.int64]]]:
        take, search = self._take(frame), self._search
        near = [
            other for other in range(frame - scratches.REACH, frame + scratches.REACH + 1) if other in take
        ]
        for other in near:
            if other not in self._lines:
                self._lines[other] = scratches.look_for_lines(self._sight(other), 0.3 * search.contrast)
        least = _LINE / max(search.tolerance, 0.45) ** 0.5 if search.tolerance else 2.0
        found = scratches.find_scratches([self._lines[other] for other in near], near.index(frame), least)
        seen = self._sight(frame)
        return [
            (scratch, scratches.pixels_of(scratch, seen))
            for scratch in (scratches.placed(each, seen) for each in found)
            if search.polarity == "both" or scratch.white == (search.polarity == "white")
        ]

    def _cleaned(self, frame: int) -> NDArray[np.uint8]:
        if frame not in self._clean:
            take = self._take(frame)
            before, after = (self.look(other) if other in take else None for other in (frame - 1, frame + 1))
            self._clean[frame] = rough_clean(self.look(frame), before, after)
        return self._clean[frame]

    def _forget(self, frame: int) -> None:
        """Drop what no frame from this one on needs, going forward; going back it is made again."""
        kept: list[tuple[dict[int, object], int, int]] = [
            (self._seen, LOOKS_AT, LOOKS_AT),  # type: ignore[list-item]
            (self._lines, LOOKS_AT, LOOKS_AT),  # type: ignore[list-item]
            (self._scratched, LOOKS_AT, LOOKS_AT),  # type: ignore[list-item]
            (self._firsts, REACH, REACH),  # type: ignore[list-item]
            (self._looks, REACH, 2 * REACH + 1),  # type: ignore[list-item]
            (self._clean, REACH, 2 * REACH),  # type: ignore[list-item]
        ]
        for known, back, ahead in kept:
            for other in [other for other in known if not frame - back <= other <= frame + ahead]:
                del known[other]
        near = range(frame - REACH, frame + REACH + 1)
        self._motions = {ends: motion for ends, motion in self._motions.items() if ends[0] in near}
        self._lights = {ends: light for ends, light in self._lights.items() if ends[0] in near}


def _free(at: NDArray[np.int64], protected: Mask | None) -> NDArray[np.int64]:
    """Return the pixels, counted row by row, that are not protected (H, W)."""
    return at if protected is None else at[~protected.flat[at]]


def _add(
    labels: NDArray[np.int32],
    finds: list[Find],
    at: NDArray[np.int64],
    kind: Kind,
    white: bool,
    contrast: float,
    score: float,
) -> None:
    """Add one find of pixels `at`, counted row by row."""
    rows, columns = np.unravel_index(at, labels.shape)
    if not rows.size:
        return
    labels[rows, columns] = len(finds) + 1
    left, top = int(columns.min()), int(rows.min())
    finds.append(
        Find(
            kind,
            left,
            top,
            int(columns.max()) - left + 1,
            int(rows.max()) - top + 1,
            int(rows.size),
            white,
            round(contrast, 1),
            round(min(score, 1.0), 3),
        )
    )
