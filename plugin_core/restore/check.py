"""Check a restored shot: every frame there, nothing changed beside what was found, and how much that was."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..box import bounds
from ..clips.frame_range import frames_words
from ..damage.repair import reach_px
from ..images import Header
from ..job.job import Job
from ..qc.check import Checker, differing
from ..qc.judge import frames_there
from ..qc.judge_frames import SHOWN_FRAMES
from ..qc.pictures import Looked, Pictures, own_window
from ..qc.report import Check, FrameFound, Measure, Report
from ..regions.hole import Hole
from ..render.delivery import pictures_of
from .noted import Noted, noted_finds
from .run import color_of, open_restored

Mask = NDArray[np.bool_]

_MUCH, _TIMES = 0.02, 5
"""A frame on which more than this share is repaired, and so many times more than on the usual one, asks for a
look: its motion may have failed."""

_NO_NOTES = "not checked: no notes of what was found lie beside the result"


@dataclass(frozen=True)
class RestoredFrame(Looked):
    """A frame that was restored.

    Attributes:
        changed: (H, W), what differs from the plate; None where that can't be told.
        found: (H, W), what may: the boxes of all finds and what is repaired around them; None where nobody
            noted them.
        others: pixels of channels that are never repaired, and differ.
    """

    changed: Mask | None = None
    found: Mask | None = None
    others: int = 0


class RestoredPictures(Pictures):
    """The pictures of a restoration.

    Args:
        job: as it was run.

    Raises:
        CleanplateError: its plate can't be opened.
    """

    def __init__(self, job: Job) -> None:
        sources, _ = open_restored(job, pictures_of(job.shot), dry=True)
        super().__init__(job, sources, color_of(job, sources))
        self.finds = dict(noted_finds(self.name))

    def look(self, frame: int) -> RestoredFrame:
        """Read all there is of a frame. Raises ImageError when the plate can't be read."""
        plate = self.sources.plate.plate(frame)
        result, problem = self.result(frame, plate)
        looked = RestoredFrame(frame, plate, None, result, problem, None, self._found(frame))
        if result is not None and not looked.lossy:
            header, window = plate.header, own_window(plate)
            filled, others = differing(plate, result)
            changed = np.zeros((header.height, header.width), np.bool_)
            top, left = window.y - header.data_window.y, window.x - header.data_window.x
            changed[top : top + window.height, left : left + window.width] = filled
            looked = replace(looked, changed=changed, others=int(others.sum()))
        shown = looked.found if looked.changed is None else looked.changed
        return replace(looked, hole=None if shown is None else _hole(shown))

    def _found(self, frame: int) -> Mask | None:
        if frame not in self.finds:
            return None
        header: Header = self.header
        found = np.zeros((header.height, header.width), np.bool_)
        for find in self.finds[frame]:
            around = find.place.grown(2 * reach_px(header.height)).within(header.width, header.height)
            if around.width > 0 and around.height > 0:
                found[around.slices] = True
        return found


class RestoredChecker(Checker):
    """A restoration that is looked at.

    Args:
        pictures: its own.
    """

    def __init__(self, pictures: RestoredPictures) -> None:
        super().__init__(pictures)
        self._restored = pictures
        self._frames: list[FrameFound] = []
        self._lossy = ""

    def look(self, frame: int) -> Looked:
        """Read and measure the next frame. Raises ImageError when the plate can't be read."""
        looked = self._restored.look(frame)
        self._lossy = self._lossy or looked.lossy
        noted = sum(find.pixels for find in self._restored.finds.get(frame, ()))
        self._frames.append(_measured(looked, noted))
        return looked

    def report(self) -> Report:
        """Judge what was looked at so far: at least one frame."""
        frames, finds = tuple(self._frames), self._restored.finds
        checks = [frames_there(frames)]
        there = [one for one in frames if one.state == "ok"]
        if there:
            checks += [self._untouched(there), self._repaired(there), _finite(there)]
            checks += [_finds(there, finds, self._area)] if finds else []
        shares, counts, least = (
            tuple(value(one) for one in frames) for value in (self._share, self._count, self._least)
        )
        measures = (
            Measure(
                "repaired", "Repaired, %", "share of the frame's pixels that differ from the plate", shares
            ),
            Measure("finds", "Finds", "pieces of dirt and lines of scratches", counts),
            Measure("least_sure", "Least sure", "how sure the doubtfulest find is, 0 to 1", least),
        )
        return Report(self._restored.name, frames, tuple(checks), measures=measures)

    @property
    def _area(self) -> int:
        return self._restored.header.width * self._restored.header.height

    def _share(self, one: FrameFound) -> float:
        return 100 * one.hole / self._area if one.state == "ok" else math.nan

    def _count(self, one: FrameFound) -> float:
        finds = self._restored.finds.get(one.frame)
        return math.nan if finds is None else len(finds)

    def _least(self, one: FrameFound) -> float:
        return min((find.score for find in self._restored.finds.get(one.frame, ())), default=math.nan)

    def _untouched(self, frames: Sequence[FrameFound]) -> Check:
        touched = tuple(one.frame for one in frames if one.touched)
        if touched:
            total = sum(one.touched for one in frames)
            words = f"{total} pixels beside what was found differ from the plate on {frames_words(touched)}"
            return Check("untouched", "FAULT", words, total, touched)
        if self._lossy:
            return Check("untouched", "-", self._lossy)
        unknown = [one.frame for one in frames if one.frame not in self._restored.finds and one.hole]
        if unknown:
            return Check("untouched", "-", f"{_NO_NOTES} ({frames_words(unknown)})")
        return Check("untouched", "ok", "beside what was found every pixel is the plate's, bit for bit", 0)

    def _repaired(self, frames: Sequence[FrameFound]) -> Check:
        if self._lossy:
            return Check("repaired", "-", self._lossy)
        left = tuple(one.frame for one in frames if one.unfilled)
        if left:
            words = f"the plate's damage is still there on {frames_words(left)}"
            return Check("repaired", "FAULT", words, len(left), left)
        return Check("repaired", "ok", "every frame with finds was changed", 0)


def _measured(looked: RestoredFrame, noted: int) -> FrameFound:
    if looked.result is None:
        return looked.lost
    if looked.changed is None:
        return FrameFound(looked.frame, hole=noted)
    beside = 0 if looked.found is None else int((looked.changed & ~looked.found).sum())
    broken = 0
    if (box := bounds(looked.changed)) is not None:
        after, before = (one.crop(*box)[looked.changed[box.slices]] for one in (looked.result, looked.plate))
        broken = int((~np.isfinite(after) & np.isfinite(before)).any(axis=1).sum())
    repaired = int(looked.changed.sum())
    left = looked.found is not None and bool(looked.found.any()) and not repaired
    return FrameFound(
        looked.frame, touched=beside + looked.others, not_finite=broken, unfilled=left, hole=repaired
    )


def _finite(frames: Sequence[FrameFound]) -> Check:
    bad = tuple(one.frame for one in frames if one.not_finite)
    if bad:
        total = sum(one.not_finite for one in frames)
        words = f"{total} repaired pixels are NaN or infinite on {frames_words(bad)}"
        return Check("finite", "FAULT", words, total, bad)
    return Check("finite", "ok", "no NaN, no infinity in what was repaired", 0)


def _finds(frames: Sequence[FrameFound], finds: dict[int, Sequence[Noted]], area: int) -> Check:
    """Tell how much was found, and name frames on which far more was repaired than on the others."""
    here = [one for one in frames if one.frame in finds]
    kinds = Counter(find.kind for one in here for find in finds[one.frame])
    shares = {one.frame: one.hole / area for one in here}
    ranked = sorted(shares, key=lambda frame: shares[frame], reverse=True)
    words = (
        f"{kinds['dirt']} pieces of dirt and {kinds['scratch']} lines of scratches on "
        f"{sum(bool(finds[one.frame]) for one in here)} of {len(here)} frames"
    )
    if not ranked or not shares[ranked[0]]:
        return Check("finds", "ok", words, 0)
    mean = sum(shares.values()) / len(shares)
    words += f", {mean:.2%} of all pixels; most on frame {ranked[0]}: {shares[ranked[0]]:.2%}"
    usual = max(_MUCH, _TIMES * statistics.median(shares.values()))
    much = tuple(frame for frame in ranked if shares[frame] > usual)
    if much:
        words = f"far more than usual is repaired on {frames_words(sorted(much))}; {words}"
        return Check("finds", "look", words, shares[ranked[0]], much, usual)
    return Check("finds", "ok", words, shares[ranked[0]], tuple(ranked[:SHOWN_FRAMES]), usual)


def _hole(mask: Mask) -> Hole | None:
    box = bounds(mask)
    return None if box is None else Hole(box, mask[box.slices].astype(np.float32))
