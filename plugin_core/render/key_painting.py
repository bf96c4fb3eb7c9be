"""Paint one key frame: reference frames first, real pixels, its neighbors' paint, then parts of the plate."""

from __future__ import annotations

import contextlib
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.network_pixels import native_pixels, network_pixels
from ..errors import InputError
from ..images import Plate
from ..images.layers import Layers
from ..motion.background import awaited
from ..motion.finder import Propagator
from ..paint.complete import complete
from ..paint.lay import painted
from ..patch import Patch, covers, laid_over
from ..progress.watch import Watch
from ..regions.hole import Hole
from ..regions.sample_matte import excluded
from .carrying import Carrier
from .copied_places import copied_places
from .key_files import Made
from .key_frames import KeyFrame
from .plan import Plan
from .references import References

Floats = NDArray[np.float32]

_UNSURE, _SURE = 0.3, 0.5
"""Confidence below which nothing of a found pixel stays, and from which all of it does. They are as sharp as
their sources: softened, their haze would lead the painter."""

_ENTERED_UNSURE, _ENTERED_SURE = 0.75, 0.95
"""The same where something enters the hole: there one source shows it here, another one elsewhere."""

_UNCOVERED = 0.1
"""A frame between two key frames is painted where their paint leaves more than this share of its hole."""

_CONTEXT_PX = 96
"""The painter sees at least this much of the plate around the hole."""

_RIM_PX = 4
"""What lies this near to a hole is not borrowed: the removed object's edge and what it reflects."""

_BESIDE_PX = 24
"""What passes by this near to a hole is painted over for the painter's eyes."""


class KeyPainter:
    """Paints key frames of one shot. Not for several threads at once.

    Args:
        plan: of the render.
        finder: of real pixels.
        carrier: of the paint of other key frames.
        references: what was painted by hand; None for nothing.
    """

    def __init__(
        self, plan: Plan, finder: Propagator, carrier: Carrier, references: References | None
    ) -> None:
        self._plan = plan
        self._finder = finder
        self._carrier = carrier
        self._references = references

    def paint(self, key: KeyFrame, hole: Hole, plate: Plate, watch: Watch) -> Made:
        """Return a frame's plate with its hole filled, or that the frame needs no paint of its own.

        Args:
            key: which; its parents are there.
            hole: the frame's.
            plate: the frame's, which is given up: its pixels are taken over.
            watch: called again and again; may raise to stop.

        Raises:
            ImageError: a picture that is looked at can't be read.
        """
        by_hand, taken = None, frozenset[int]()
        if self._references is not None:
            by_hand, taken = self._references.shown(key.frame, hole, watch)
        real = carried = background = None
        if by_hand is None or not covers(by_hand.confidence, hole.alpha):
            judged = self._finder.aside(partial(self._finder.belonging, key.frame, hole))
            real = self._finder.find(key.frame, hole, lambda looked, of: watch(), sharp=True)
            if key.parents:
                carried = self._carrier.carried(key.frame, hole, key.parents, real, watch)
            background = awaited(judged, watch)
        found = laid_over(real, carried)
        trusted = _trusted(found, hole, background)
        if by_hand is not None:
            found = laid_over(by_hand, found)
            trusted = np.where(hole.alpha > 0, np.maximum(trusted, by_hand.confidence), 0)
        clean, copied = None, None
        if key.regular or _wanted(hole, trusted, background) > _UNCOVERED:
            # Nothing to paint with: the network fills it.
            with contextlib.suppress(InputError):
                clean, copied = self._filled(key, hole, plate, found, trusted, watch)
        return Made(clean, key.parents, taken, copied)

    def _filled(
        self, key: KeyFrame, hole: Hole, plate: Plate, found: Patch | None, trusted: Floats, watch: Watch
    ) -> tuple[Plate, Layers | None]:
        """Return a frame's plate with its hole filled, and where paint was copied from; None for no paint.

        What was found stays as it is trusted (h, w).
        """
        copied = None
        crop = self._context(hole.box)
        values = plate.crop(*crop)
        shown, missing = network_pixels(np.array(native_pixels(plate, crop)), self._plan.color)
        there = hole.box.moved(-crop.x0, -crop.y0).slices
        holed = hole.mask_on(crop)
        known = np.zeros(holed.shape, np.float32)
        if found is not None:
            known[there] = trusted
            told = trusted > 0
            shown[there][told] = found.picture[told]
            values[there][told] = self._plan.color.from_network(found.picture)[told]
        if missing is not None:
            values[missing] = 0
        if (known[holed] < 1).any():
            strangers = self._finder.strangers(key.frame, hole, crop, watch)
            sources, settings = self._plan.sources, self._plan.settings
            borrow = ~_grown(holed, _RIM_PX) & ~strangers
            borrow &= ~excluded(sources.sample, key.frame, sources.header, settings, crop)
            if missing is not None:
                borrow &= ~missing
            # What is painted is the background, behind what passes by too: else it would be continued.
            unseen = holed | (strangers & _grown(holed, _BESIDE_PX))
            picture = np.asarray((shown + 1) / 2, np.float32)

            def tick(share: float) -> None:
                watch()

            completion = complete(
                picture, unseen, borrow, known=known, tick=tick, workers=self._finder.workers
            )
            box = completion.box.slices
            laid = painted(completion, values, tick=tick)
            values[box] = laid + (values[box] - laid) * known[box][..., None]
            copied = copied_places(completion, known[box], crop, plate.header)
        return plate.with_patch(values, holed, crop.x0, crop.y0, in_place=True), copied

    def _context(self, box: Box) -> Box:
        header = self._plan.sources.header
        return box.grown(max(_CONTEXT_PX, box.longer_side // 2)).within(header.width, header.height)


def _wanted(hole: Hole, trusted: Floats, background: Floats | None) -> float:
    """Return of how much of a hole paint is wanted: nothing shows it, and it is background."""
    wanted = 1 - trusted if background is None else (1 - trusted) * background
    return float(wanted[hole.alpha > 0].mean())


def _trusted(found: Patch | None, hole: Hole, background: Floats | None) -> Floats:
    """How surely (h, w) what was found belongs there; `background` as `Propagator.belonging` has it."""
    if found is None:
        return np.zeros_like(hole.alpha)
    entered = np.float32(0) if background is None else 1 - background
    low = _UNSURE + (_ENTERED_UNSURE - _UNSURE) * entered
    high = _SURE + (_ENTERED_SURE - _SURE) * entered
    sure = np.clip((found.confidence - low) / (high - low), 0, 1)
    if found.soft is not None:
        sure = np.minimum(sure, 1 - found.soft)
    return np.where(hole.alpha > 0, sure, 0).astype(np.float32)


def _grown(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    return cv2.dilate(mask.astype(np.uint8), _disc(radius)) > 0


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.uint8)
