"""Check a retargeted shot: every frame there, objects bit for bit, inside the frame and steady."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..clips.frame_range import frames_words
from ..images import Plate
from ..job.job import Job
from ..qc.check import Checker, bits
from ..qc.judge import frames_there
from ..qc.judge_frames import SHOWN_FRAMES
from ..qc.pictures import Looked, Pictures
from ..qc.report import Check, FrameFound, Measure, Report
from ..regions.hole import Hole
from .lay import cropped
from .objects import FAINT, matte_of
from .pictures import light_of, mattes_shown, native_of, retargeted, stored_pixels
from .resample import resized
from .retarget import Plan, placed, plan_retarget
from .steady import curve
from .troubles import Trouble

Mask = NDArray[np.bool_]

MOST_STRAY = 0.5
"""Pixels by which a place may stray from the way through those around it."""

_NAMES: dict[str, tuple[str, str]] = {
    "objects": ("objects", "the matte shows objects"),
    "inside": ("inside", "every object is inside the frame"),
    "apart": ("apart", "no two objects overlap"),
    "background": ("background", "the background is not squeezed too far"),
}


@dataclass(frozen=True)
class RetargetedFrame(Looked):
    """A frame that was retargeted. Its plate is the whole plate, squeezed to the result's size.

    Attributes:
        broken: pixels that have to be the plate's and are not, bit for bit.
        opaque: how many have to be.
    """

    broken: int = 0
    opaque: int = 0


class RetargetedPictures(Pictures):
    """The pictures of a retargeting.

    Args:
        job: as it was run.

    Raises:
        CleanplateError: plate or matte can't be opened.
    """

    before = "plate, squeezed whole"

    def __init__(self, job: Job) -> None:
        self.plan: Plan = plan_retarget(job, dry=True)
        super().__init__(job, self.plan.sources, self.plan.color)
        self._threads = job.run.threads or 0
        width, height = self.plan.geometry.size
        window = self.header.display_window._replace(x=0, y=0, width=width, height=height)
        self.header = replace(
            self.header,
            width=width,
            height=height,
            data_window=window,
            display_window=window,
            pixel_aspect=self.plan.geometry.pixel_aspect,
        )

    def look(self, frame: int) -> RetargetedFrame:
        """Read all there is of a frame. Raises ImageError when plate or matte can't be read."""
        plan, geometry = self.plan, self.plan.geometry
        plate = plan.sources.plate.plate(frame)
        light = resized(light_of(plate, self.color), *geometry.size, self._threads)
        squeezed = retargeted(plate, native_of(light, plate, self.color), geometry)
        result, problem = self._result_of(frame)
        looked = RetargetedFrame(frame, squeezed, self._hole(frame), result, problem)
        if result is None or looked.lossy or not geometry.is_native:
            return looked
        wanted, where = self._exact(frame, plate)
        unlike = (bits(stored_pixels(result)) != bits(wanted)).any(axis=2) & where
        return replace(looked, broken=int(unlike.sum()), opaque=int(where.sum()))

    def _result_of(self, frame: int) -> tuple[Plate | None, str]:
        found, problem = self.as_it_is(frame)
        if found is None:
            return None, problem
        ours, wanted = found.header.display_window, self.header.display_window
        if ours[2:] != wanted[2:]:
            return None, f"{ours.width}x{ours.height}, asked for was {wanted.width}x{wanted.height}"
        return found, ""

    def _exact(self, frame: int, plate: Plate) -> tuple[NDArray[np.generic], Mask]:
        """Return what the result has to show (H, W, N) where nothing is scaled, and where it has to."""
        plan = self.plan
        width, height = plan.geometry.size
        if plan.geometry.keep == "crop":
            whole = cropped(plate, plan.geometry, plan.paths[0][frame], self.color, self._threads)
            return whole, np.ones((height, width), np.bool_)
        stored = stored_pixels(plate)
        wanted = np.zeros((height, width, stored.shape[2]), stored.dtype)
        where = np.zeros((height, width), np.bool_)
        matte, shadow = mattes_shown(plan.mattes, plan.sources.header, frame)
        for each in placed(plan, frame):
            box = each.seen.box
            there = box.moved(*each.shift).within(width, height)
            if there.width <= 0 or there.height <= 0:
                continue
            cut = there.moved(-each.shift[0] - box.x0, -each.shift[1] - box.y0).slices
            own = matte_of(each.seen, box, matte)[cut]
            shade = own if shadow is None else matte_of(each.seen, box, shadow)[cut]
            solid = own >= 1
            where[there.slices] &= np.maximum(own, shade) < FAINT
            where[there.slices] |= solid
            wanted[there.slices][solid] = stored[box.slices][cut][solid]
        return wanted, where

    def _hole(self, frame: int) -> Hole | None:
        """Return where the objects lie in the result."""
        plan = self.plan
        width, height = plan.geometry.size
        matte, _ = mattes_shown(plan.mattes, plan.sources.header, frame)
        alpha = np.zeros((height, width), np.float32)
        across, down = plan.geometry.objects
        if plan.geometry.keep == "crop":
            laid = [(matte, Box(0, 0, *plan.geometry.source), plan.paths[0][frame])]
        else:
            laid = [(matte_of(o.seen, o.seen.box, matte), o.seen.box, o.shift) for o in placed(plan, frame)]
        for values, box, (x, y) in laid:
            at = (box.x0 + 0.5) * across + x - 0.5, (box.y0 + 0.5) * down + y - 0.5
            place = np.array([[across, 0, at[0]], [0, down, at[1]]])
            alpha = np.maximum(alpha, cv2.warpAffine(values, place, (width, height)))
        tight = bounds(alpha >= FAINT)
        return None if tight is None else Hole(tight, np.ascontiguousarray(alpha[tight.slices]))


class RetargetedChecker(Checker):
    """A retargeting that is looked at.

    Args:
        pictures: its own.
    """

    def __init__(self, pictures: RetargetedPictures) -> None:
        super().__init__(pictures)
        self._retargeted = pictures
        self._frames: list[FrameFound] = []
        self._opaque = 0
        self._lossy = ""

    def look(self, frame: int) -> Looked:
        """Read and measure the next frame. Raises ImageError when plate or matte can't be read."""
        looked = self._retargeted.look(frame)
        self._lossy = self._lossy or looked.lossy
        self._opaque += looked.opaque
        if looked.result is None:
            found = looked.lost
        else:
            bad = ~np.isfinite(stored_pixels(looked.result)).all(axis=2)
            hole = 0 if looked.hole is None else int((looked.hole.alpha > 0).sum())
            found = FrameFound(frame, touched=looked.broken, not_finite=int(bad.sum()), hole=hole)
        self._frames.append(found)
        return looked

    def report(self) -> Report:
        """Judge what was looked at so far: at least one frame."""
        frames, plan = tuple(self._frames), self._retargeted.plan
        checks = [frames_there(frames)]
        there = [one for one in frames if one.state == "ok"]
        if there:
            strays = strays_of(plan)
            checks += [self._exact(there), _finite(there), *_troubles(plan.troubles), _steady(strays)]
            away = tuple(strays.get(one.frame, math.nan) for one in frames)
            about = "how far an object's place is from the way through those around it, in pixels"
            measures = (Measure("stray", "Unsteady, px", about, away, MOST_STRAY),)
            return Report(self._retargeted.name, frames, tuple(checks), measures=measures)
        return Report(self._retargeted.name, frames, tuple(checks))

    def _exact(self, frames: Sequence[FrameFound]) -> Check:
        what = (
            "of the window" if self._retargeted.plan.geometry.keep == "crop" else "where objects are opaque"
        )
        touched = tuple(one.frame for one in frames if one.touched)
        if touched:
            total = sum(one.touched for one in frames)
            words = f"{total} pixels {what} are not the plate's on {frames_words(touched)}"
            return Check("exact", "FAULT", words, total, touched)
        if self._lossy:
            return Check("exact", "-", self._lossy)
        if not self._retargeted.plan.geometry.is_native:
            return Check("exact", "-", "not checked: objects are scaled")
        return Check("exact", "ok", f"{self._opaque} pixels {what} are the plate's, bit for bit", 0)


def strays_of(plan: Plan) -> dict[int, float]:
    """Return by frame how far the places chosen are from a smooth way, in pixels: the worst object's.

    A way is a parabola through those around, over as many frames each way as are smoothed over.
    """
    reach = plan.job.retarget.smooth or 8
    strays: dict[int, float] = {}
    for path in plan.paths:
        for frames in _runs(sorted(path)):
            places = np.array([path[frame] for frame in frames], np.float64)
            away = np.max([np.abs(way - curve(way, reach)) for way in places.T], axis=0)
            for frame, far in zip(frames, away.tolist(), strict=True):
                strays[frame] = max(far, strays.get(frame, 0.0))
    return strays


def _runs(frames: Sequence[int]) -> Iterator[list[int]]:
    for _, run in itertools.groupby(enumerate(frames), key=lambda at: at[1] - at[0]):
        yield [frame for _, frame in run]


def _steady(strays: dict[int, float]) -> Check:
    if not strays:
        return Check("steady", "-", "nothing to measure: no frame has an object")
    ranked = sorted(strays, key=lambda frame: strays[frame], reverse=True)
    worst = strays[ranked[0]]
    beyond = tuple(frame for frame in ranked if strays[frame] > MOST_STRAY)
    words = f"places stray from a smooth way by {worst:.2f} pixels at most (limit {MOST_STRAY:g})"
    words += f", on frame {ranked[0]}" if worst else ""
    if beyond:
        return Check("steady", "look", words, worst, beyond, MOST_STRAY)
    return Check("steady", "ok", words, worst, tuple(ranked[:SHOWN_FRAMES]), MOST_STRAY)


def _troubles(troubles: Sequence[Trouble]) -> Iterator[Check]:
    for kind, (name, good) in _NAMES.items():
        own = [trouble for trouble in troubles if trouble.kind == kind]
        frames = tuple(sorted({frame for trouble in own for frame in trouble.frames}))
        words = " ".join(trouble.told for trouble in own)
        yield Check(name, "look", words, len(own), frames) if own else Check(name, "ok", good, 0)


def _finite(frames: Sequence[FrameFound]) -> Check:
    bad = tuple(one.frame for one in frames if one.not_finite)
    if bad:
        total = sum(one.not_finite for one in frames)
        words = f"{total} pixels are NaN or infinite on {frames_words(bad)}"
        return Check("finite", "look", words, total, bad)
    return Check("finite", "ok", "no NaN, no infinity", 0)
