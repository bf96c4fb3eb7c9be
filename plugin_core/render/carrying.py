"""Carry the paint of key frames into a frame's hole: one dissolves into the other on the way between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..channels import mean_square, weighed
from ..color.network_pixels import native_pixels, network_pixels
from ..images import read_plate
from ..motion.background import awaited
from ..motion.finder import Propagator
from ..motion.places import own_places
from ..motion.resharpen import FineContrast
from ..motion.sampling import Sampler, bicubic, lanczos
from ..motion.vote import ReadPixels
from ..patch import Patch, covers, dissolved, is_alone
from ..regions.hole import Hole
from .key_files import KeyFiles
from .plan import Plan

Floats = NDArray[np.float32]

_ALIKE = 0.1
"""Low frequencies (network's range) that differ by this much are not of the same thing."""

_LOW_PX = 5.0
"""Sigma, in pixels of the motion view, of low frequencies."""


class Carrier:
    """Carries the key frames of one shot. Not for several threads at once.

    Args:
        plan: of the render.
        finder: whose motion they are carried along.
        files: where they lie.
    """

    def __init__(self, plan: Plan, finder: Propagator, files: KeyFiles) -> None:
        self._plan = plan
        self._finder = finder
        self._files = files
        self._held: dict[int, NDArray[Any]] = {}
        self._contrasts: dict[int, FineContrast | None] = {}

    def carried(
        self, frame: int, hole: Hole, keys: Sequence[int], real: Patch | None, watch: Callable[[], None]
    ) -> Patch | None:
        """Return what one or two key frames give a frame's hole; None for nothing.

        What they show beside their own holes, the plate of another frame, counts as far as it agrees with
        what real pixels say of it, however vaguely.

        Args:
            frame: which.
            hole: the frame's.
            keys: they are there; one on each side, or the frame itself.
            real: real pixels of the hole.
            watch: called again and again; may raise to stop.
        """
        for key in [key for key in self._held if key not in keys]:
            del self._held[key]
            self._contrasts.pop(key, None)
        if frame in keys:
            ones = (hole.alpha > 0).astype(np.float32)
            place = own_places(frame, hole.box, ones) if self._plan.tells_places else None
            return Patch(hole.box, self._clean(frame)(frame, hole.box), ones, ones, place=place)
        way = _way(frame, keys)
        nearer, *others = keys if way < 0.5 else tuple(reversed(keys))
        near = min(way, 1 - way)

        def farther(watch: Callable[[], None]) -> Patch | None:
            # The one that stands back may be a little softer: its filter takes a fifth of the time.
            return self._taken(frame, hole, others[0], real, watch, bicubic)

        beside = self._finder.aside(farther) if others and not is_alone(near) else None
        one = self._taken(frame, hole, nearer, real, watch)
        if not others or (is_alone(near) and one is not None and covers(one.confidence, hole.alpha)):
            return one
        other = farther(watch) if beside is None else awaited(beside, watch)
        if one is None or other is None:
            return other if one is None else one
        return dissolved(one, other, near)

    def close(self) -> None:
        """Let go of the key frames."""
        self._held.clear()
        self._contrasts.clear()

    def _taken(
        self,
        frame: int,
        hole: Hole,
        key: int,
        real: Patch | None,
        watch: Callable[[], None],
        by: Sampler = lanczos,
    ) -> Patch | None:
        """Return what one key frame gives, as far as real pixels do not speak against it."""
        clean = self._clean(key)
        contrast = self._contrast(key, clean)
        carried = self._finder.carried(frame, hole, key, clean, watch, by=by, contrast=contrast)
        if carried is None:
            return None
        patch = carried.patch
        share = carried.own
        if real is not None and ((share < 1) & (patch.confidence > 0)).any():
            share = share + (1 - share) * alike(patch, real, max(self._finder.view.pixels_per))
        return replace(patch, confidence=(patch.confidence * share).astype(np.float32))

    def _contrast(self, key: int, clean: ReadPixels) -> FineContrast | None:
        """Return how strong fine detail is on a key frame; None where somebody's hand made it so."""
        if key not in self._contrasts:
            mended = self._files.is_edited(key)
            whole = self._finder.view.crop
            self._contrasts[key] = None if mended else FineContrast.of(clean(key, whole))
        return self._contrasts[key]

    def _clean(self, key: int) -> ReadPixels:
        """Return what reads pixels of a key frame."""
        crop = self._finder.view.crop
        if key not in self._held:
            plate = read_plate(self._files.path(key)).on(self._plan.sources.header.data_window)
            self._held[key] = np.array(native_pixels(plate, crop))
        held = self._held[key]

        def read(frame: int, box: Box) -> Floats:
            pixels, _ = network_pixels(held[box.moved(-crop.x0, -crop.y0).slices], self._plan.color)
            return np.ascontiguousarray(pixels)

        return read


def alike(patch: Patch, real: Patch, per: float) -> Floats:
    """How well (h, w) a patch agrees with real pixels in low frequencies; 0 where those say nothing.

    Args:
        patch, real: of one hole.
        per: plate pixels to a pixel of the motion view.
    """
    height, width = patch.confidence.shape
    # However little they are believed: sources that disagree make for little confidence.
    told = np.asarray(patch.confidence * (real.confidence > 0), np.float32)
    apart = weighed(patch.picture - real.picture, told)
    # Low frequencies need few pixels.
    step = max(1, round(_LOW_PX * per / 3))
    size, sigma = (max(1, round(width / step)), max(1, round(height / step))), _LOW_PX * per / step
    low, weight = (
        np.asarray(
            cv2.GaussianBlur(cv2.resize(of, size, interpolation=cv2.INTER_AREA), (0, 0), sigma), np.float32
        )
        for of in (apart, told)
    )
    low, weight = low.reshape(size[1], size[0], 3), weight.reshape(size[1], size[0])
    differ = np.sqrt(mean_square(low)) / np.maximum(weight, np.float32(1e-6))
    same = np.exp(-((differ / _ALIKE) ** 2)) * np.clip(4 * weight, 0, 1)
    return np.asarray(
        cv2.resize(same.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _way(frame: int, keys: Sequence[int]) -> float:
    """Return how far a frame is on the way from one key frame to the other, 0..1."""
    return (frame - keys[0]) / (keys[1] - keys[0]) if len(keys) > 1 else 0.0
