"""Reads a shot's frames in the order its steps need them, each picture once where memory allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .compose import network_input
from .errors import ImageError
from .fingerprint import Fingerprint
from .hole import Hole
from .images import Plate
from .network import Mask, Picture
from .plan import Plan, mattes_of
from .region import Region
from .window import Step, mirror

PLATE_CACHE_BYTES = 256 << 20
"""Decoded plates kept between their first use as a source and the step that fills them."""


@dataclass(frozen=True)
class Shown:
    """A frame as the network sees it, the hole it has at plate resolution, and what to tell of its matte."""

    picture: Picture
    mask: Mask
    hole: Hole | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepInput:
    """All that one step needs.

    Attributes:
        step: which step.
        target: the frame to fill.
        encode: frames to encode as sources now; earlier ones are still there.
        keep: source frames that later steps use.
        plate: what the fill is laid into; None for a warm-up step.
        prints: fingerprints of the files read for this step and not for an earlier one.
    """

    step: Step
    target: Shown
    encode: Mapping[int, Shown]
    keep: frozenset[int]
    plate: Plate | None
    prints: Mapping[int, Mapping[str, Fingerprint]]


class ShotReader:
    """Prepares steps one after the other. Not for several threads at once."""

    def __init__(self, plan: Plan, region: Region) -> None:
        self._plan = plan
        self._region = region
        self._mattes = mattes_of(plan.sources, plan.settings, plan.cuts)
        self._shown: dict[int, Shown] = {}
        self._encoded: set[int] = set()
        self._printed: set[int] = set()
        self._plates: dict[int, Plate] = {}
        self._plate_bytes = 0

    def prepare(self, step: Step) -> StepInput:
        """Read what `step` needs; call it with the steps in order.

        Raises:
            ImageError: a picture can't be read, or its matte left the crop since the shot was scanned.
        """
        if step.starts:
            self._encoded.clear()
        new = sorted(set(step.sources) - self._encoded)
        read = {frame for shown in (step.frame, *new) for frame in self._mattes.joined(shown)}
        prints = {frame: self._prints(frame) for frame in sorted(read - self._printed)}
        self._printed |= set(prints)
        encode = {frame: self._show(frame) for frame in new}
        target = self._show(step.frame)
        plate = None if step.warmup else self._plate(step.frame)
        keep = frozenset(self._plan.schedule.needed_after(step))
        self._encoded = (self._encoded | set(new)) & keep
        self._forget(step)
        return StepInput(step, target, encode, keep, plate, prints)

    def _show(self, frame: int) -> Shown:
        if frame not in self._shown:
            hole, notes = self._hole(frame)
            picture, mask = network_input(self._plate(frame), hole, self._region, self._plan.color)
            self._shown[frame] = Shown(picture, mask, hole, notes)
        return self._shown[frame]

    def _plate(self, frame: int) -> Plate:
        if frame in self._plates:
            return self._plates[frame]
        plate = self._plan.sources.plate.plate(frame)
        # Where there is no room the new one is not kept: those there are filled before it.
        if self._plate_bytes + _size(plate) <= PLATE_CACHE_BYTES:
            self._plates[frame] = plate
            self._plate_bytes += _size(plate)
        return plate

    def _hole(self, frame: int) -> tuple[Hole | None, tuple[str, ...]]:
        hole, notes = self._mattes.hole(frame)
        if hole is not None and not self._region.crop.contains(hole.box):
            matte = self._plan.sources.matte.path(frame)
            raise ImageError(f"Matte {matte} has changed since the render began; start it again.")
        return hole, notes

    def _prints(self, frame: int) -> dict[str, Fingerprint]:
        sources = self._plan.sources
        return {"plate": sources.plate.fingerprint(frame), "matte": sources.matte.fingerprint(frame)}

    def _forget(self, step: Step) -> None:
        """Drop frames that no later step fills; a source's features outlive its picture."""
        coming = range(step.position + 1, step.position + self._plan.schedule.reach + 1)
        later = {mirror(position, step.segment.lower, step.segment.upper) for position in coming}
        for frame in [frame for frame in self._shown if frame not in later]:
            del self._shown[frame]
        for frame in [frame for frame in self._plates if frame not in later]:
            self._plate_bytes -= _size(self._plates.pop(frame))


def _size(plate: Plate) -> int:
    return sum(group.pixels.nbytes for part in plate.parts for group in part.groups)
