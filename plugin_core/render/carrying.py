"""Carry the paint of key frames into a frame's hole: one dissolves into the other on the way between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.network_pixels import native_pixels, network_pixels
from ..images import read_plate
from ..motion.carry import Carried
from ..motion.finder import Propagator
from ..motion.vote import ReadPixels
from ..patch import Patch
from ..regions.hole import Hole
from .key_files import KeyFiles
from .plan import Plan

Floats = NDArray[np.float32]

_DISSOLVE = 0.5
"""Share of the way between two key frames, around its middle, over which one dissolves into the other."""

_LEAST = 0.01
"""Share of a key frame that is dissolved away: it stands alone where the other does not reach."""

_ALIKE = 0.1
"""Low frequencies (network's range) that differ by this much are not of the same thing."""

_VAGUE = np.float32(20)
"""Real pixels with one part in so many of confidence have a say already: sources disagree there."""

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
        if frame in keys:
            ones = (hole.alpha > 0).astype(np.float32)
            return Patch(hole.box, self._clean(frame)(frame, hole.box), ones, ones)
        found: dict[int, Patch] = {}
        for key in keys:
            carried = self._finder.carried(frame, hole, key, self._clean(key), watch)
            if carried is not None:
                found[key] = self._believed(carried, real)
        return _dissolved(frame, found)

    def close(self) -> None:
        """Let go of the key frames."""
        self._held.clear()

    def _believed(self, carried: Carried, real: Patch | None) -> Patch:
        patch = carried.patch
        if real is None or not (real.confidence > 0).any():
            return patch
        per = max(self._finder.view.pixels_per)
        told = np.minimum(np.minimum(real.confidence * _VAGUE, 1), patch.confidence)
        weight = np.maximum(cv2.GaussianBlur(told, (0, 0), _LOW_PX * per), np.float32(1e-6))
        apart = cv2.GaussianBlur((patch.picture - real.picture) * told[..., None], (0, 0), _LOW_PX * per)
        apart = np.sqrt((apart * apart).mean(axis=2)) / weight
        alike = np.exp(-((apart / _ALIKE) ** 2))
        # Where real pixels say nothing there is nothing to disagree with.
        alike = 1 - (1 - alike) * np.clip(4 * weight, 0, 1)
        share = carried.own + (1 - carried.own) * alike
        confidence = (patch.confidence * share).astype(np.float32)
        return Patch(patch.box, patch.picture, confidence, patch.grain)

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


def _dissolved(frame: int, found: Mapping[int, Patch]) -> Patch | None:
    """Return what the key frames on both sides of a frame give it as one: the nearer one counts more."""
    if len(found) < 2:
        return next(iter(found.values()), None)
    (before, one), (after, other) = sorted(found.items())
    way = (frame - before) / (after - before)
    share = float(np.clip((way - 0.5) / _DISSOLVE + 0.5, 0, 1))
    share = share * share * (3 - 2 * share)
    # Where only one of them reaches, it stands alone.
    weights = (1 - share + _LEAST) * one.confidence, (share + _LEAST) * other.confidence
    part = weights[1] / np.maximum(weights[0] + weights[1], np.float32(1e-6))
    picture = one.picture + (other.picture - one.picture) * part[..., None]
    grain = np.hypot((1 - part) * one.grain, part * other.grain)
    confidence = np.maximum(one.confidence, other.confidence)
    return Patch(one.box, *(each.astype(np.float32) for each in (picture, confidence, grain)))
