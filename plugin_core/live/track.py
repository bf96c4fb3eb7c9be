"""What was marked on a frame, followed from frame to frame by optical flow.

Points inside the mark and around it are followed forward and back (OpenCV's pyramidal Lucas-Kanade); those
that do not come back to where they began are left out. The points around tell how the background moves:
points inside that move as it does are background that the mark has caught, and are left out while others
remain. The rest give the mark's shift and change of size, by consensus.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import bounds

_LONGEST = 480
"""Pixels of the longer side that is looked at."""

_POINTS = 60
_LEAST = 6
"""Points that a motion is believed from."""

_BACK = 1.0
"""Pixels that a point may miss its start by, after forward and back."""

_APART = 1.0
"""Pixels that a point's motion differs from the background's by, to be the object's."""

_CONSENSUS = 2.0
_SCALE_SHARE = 0.25
"""How much of a change of size is believed: limbs that move look like one."""

_WINDOW, _LEVELS = (15, 15), 3
_ENOUGH = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 0.05)
_KEY_FRAMES = 3
"""A mark is found by the same frame so often: a longer way tells the object from what is behind it."""

Affine = NDArray[np.float64]
"""(2, 3): from where something was to where it is, in pixels of the picture."""


class View:
    """A frame as trackers see it: gray, and no larger than needed. One serves all marks.

    Args:
        rgb: (H, W, 3) uint8.
    """

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self.shape = rgb.shape[:2]
        self.share = min(1.0, _LONGEST / max(self.shape))
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        if self.share < 1:
            gray = cv2.resize(gray, None, fx=self.share, fy=self.share, interpolation=cv2.INTER_AREA)
        self.gray = gray

    def corners(self, where: NDArray[np.uint8], most: int) -> NDArray[np.float32]:
        """Return points that can be followed, (N, 2), x and y in this view."""
        box = bounds(where > 0)
        if box is None:
            return np.empty((0, 2), np.float32)
        box = box.grown(4).within(self.gray.shape[1], self.gray.shape[0])
        points = cv2.goodFeaturesToTrack(
            np.ascontiguousarray(self.gray[box.slices]),
            most,
            0.005,
            3,
            mask=np.ascontiguousarray(where[box.slices]),
        )
        if points is None:
            return np.empty((0, 2), np.float32)
        return np.asarray(points.reshape(-1, 2) + np.array([box.x0, box.y0]), np.float32)


class Tracked:
    """A mark that follows what it was laid on.

    Args:
        view: the frame it was made on.
        mask: (H, W) bool, of the whole picture.

    Attributes:
        lost: on the last frame too few points agreed, and the mark stayed where it was.
    """

    def __init__(self, view: View, mask: NDArray[np.bool_]) -> None:
        self._first = mask
        self._to_key: Affine = np.eye(2, 3)
        self.lost = False
        self._key = view
        self._age = 0
        self._from_key: Affine = np.eye(2, 3)
        self._begin(view)

    def follow(self, view: View) -> NDArray[np.bool_]:
        """Follow to the next frame; returns (H, W), where the mark is on it."""
        if view.shape != self._key.shape:
            self.lost = True
            return np.zeros(view.shape, bool)
        step = self._found(view)
        self.lost = step is None
        if step is not None:
            self._from_key = step
            self._age += 1
        if step is None or self._age >= _KEY_FRAMES:
            self._begin(view)
        return self.mask()

    def mask(self) -> NDArray[np.bool_]:
        """Return (H, W), where the mark is now."""
        height, width = self._first.shape
        there = _joined(self._to_key, _at(self._from_key, 1 / self._key.share))
        moved = cv2.warpAffine(self._first.astype(np.uint8), there, (width, height), flags=cv2.INTER_NEAREST)
        return np.asarray(moved, np.uint8) > 0

    def _begin(self, view: View) -> None:
        """Take a frame as the one by which the next few are found."""
        if self._age:
            self._to_key = _joined(self._to_key, _at(self._from_key, 1 / view.share))
        self._key, self._age, self._from_key = view, 0, np.eye(2, 3)
        size = (view.gray.shape[1], view.gray.shape[0])
        small = cv2.resize(self.mask().astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        inside = np.asarray(small, np.uint8)
        wide = cv2.dilate(inside, np.ones((3, 3), np.uint8), iterations=_reach(inside))
        around = np.asarray(wide, np.uint8) - inside
        self._inside, self._around = view.corners(inside, _POINTS), view.corners(around, _POINTS)
        self._behind: Affine = np.eye(2, 3)

    def _found(self, view: View) -> Affine | None:
        """From the key frame to this one, in pixels of the view."""
        inside, around = self._inside, self._around
        guesses = [
            cv2.transform(points[:, None], guess).reshape(-1, 2)
            for points, guess in ((inside, self._from_key), (around, self._behind))
            if len(points)
        ]
        if not guesses:
            return None
        points = np.concatenate([inside, around])
        now, good = self._moved(view, points, np.concatenate(guesses))
        own, others = good.copy(), good.copy()
        own[len(inside) :] = others[: len(inside)] = False
        behind = _motion(points[others], now[others])
        self._behind = self._from_key if behind is None else behind
        if behind is not None and own.any():
            off = np.linalg.norm(cv2.transform(points[:, None], behind)[:, 0] - now, axis=1)
            apart = own & (off > _APART)
            if apart.sum() >= max(_LEAST, own.sum() // 6):
                own = apart
        return _motion(points[own], now[own])

    def _moved(
        self, view: View, points: NDArray[np.float32], near: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Where points of the key frame are now, (N, 2), and which came back when they were followed back."""
        flags: dict[str, Any] = {
            "winSize": _WINDOW,
            "maxLevel": _LEVELS,
            "criteria": _ENOUGH,
            "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        }
        start = points[:, None]
        guess = near[:, None].astype(np.float32)
        now, found, _ = cv2.calcOpticalFlowPyrLK(self._key.gray, view.gray, start, guess, **flags)
        back, again, _ = cv2.calcOpticalFlowPyrLK(view.gray, self._key.gray, now, start.copy(), **flags)
        missed = np.linalg.norm((back - start)[:, 0], axis=1)
        return np.asarray(now[:, 0], np.float32), (found.ravel() > 0) & (again.ravel() > 0) & (missed < _BACK)


def _at(step: Affine, share: float) -> Affine:
    """A motion in a picture that is larger by so much."""
    scaled = step.copy()
    scaled[:, 2] *= share
    return scaled


def _joined(first: Affine, second: Affine) -> Affine:
    """One motion, then the other."""
    whole: Affine = (np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]))[:2]
    return whole


def _reach(inside: NDArray[np.uint8]) -> int:
    """How far around a mark the background is looked for."""
    return int(min(40, max(8, np.sqrt(np.count_nonzero(inside)) / 4)))


def _motion(before: NDArray[Any], after: NDArray[Any]) -> Affine | None:
    """Shift and change of size that most points agree on; None where too few do."""
    if len(before) < _LEAST:
        return None
    cv2.setRNGSeed(1)
    step, agree = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=_CONSENSUS)
    if step is None or agree.sum() < _LEAST:
        return None
    scale = 1 + _SCALE_SHARE * (float(np.hypot(step[0, 0], step[1, 0])) - 1)
    middle, now = (points[agree.ravel() > 0].mean(axis=0) for points in (before, after))
    shift = now - scale * middle
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
