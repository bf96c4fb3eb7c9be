"""Scores of one filled case, frame by frame and together.

Outside the hole a result equals the truth, so everything is computed on the part that differs and what is
known of the rest is added: the same numbers as on whole frames, in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from plugin_core.box import Box, bounds
from plugin_core.qc.scores import Window, psnr_db, squared_error, ssim_map
from plugin_core.qc.warp_error import WarpPair

from .cases import Mask
from .clips import Footage, Video
from .detail import detail_ratio
from .detail_flicker import detail_flicker
from .texture import texture_distance


@dataclass(frozen=True)
class Scores:
    """One case's scores under one method.

    PSNR (dB) and SSIM are means over the frames (with a hole) of the frame's score; `e_warp` is the mean over
    neighboring frames of the mean squared warping error, `hole_e_warp` that of all the holes' pixels
    together, both in units of 0..1 squared. `detail`, `texture` and `detail_flicker` are what the modules of
    these names say, inside the hole. NaN where there is nothing to score.
    """

    hole_psnr: float
    hole_ssim: float
    hole_e_warp: float
    psnr: float
    ssim: float
    e_warp: float
    detail: float
    texture: float
    detail_flicker: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The scores' names, in order."""
        return tuple(entry.name for entry in fields(cls))


@dataclass(frozen=True)
class TrueMotion:
    """A pair of neighboring true frames, and the truth's own warping error over the whole picture.

    Attributes:
        pair: motion and visibility.
        total: the truth's squared warping error, summed over the pixels seen in both.
        count: how many these are.
    """

    pair: WarpPair
    total: float
    count: int

    @classmethod
    def of(cls, this: NDArray[np.uint8], following: NDArray[np.uint8]) -> TrueMotion:
        """Estimate the motion between two true frames."""
        pair = WarpPair.of(this, following)
        error = pair.error(this, following, _whole(this))
        return cls(pair, float(error[pair.seen].sum(dtype=np.float64)), int(pair.seen.sum()))


def score(footage: Footage, motion: Sequence[TrueMotion], result: Video, window: Window) -> Scores:
    """Score a result against a case's truth.

    Args:
        footage: the case.
        motion: of each pair of neighboring frames.
        result: a picture for each frame.
        window: what SSIM is measured in.
    """
    changed = [
        _changed(truth, picture, hole)
        for truth, picture, hole in zip(footage.truth, result, footage.holes, strict=True)
    ]
    frames = [
        _frame_scores(truth, picture, hole, box, window)
        for truth, picture, hole, box in zip(footage.truth, result, footage.holes, changed, strict=True)
        if hole.any() and box is not None
    ]
    hole_psnr, hole_ssim, psnr, ssim = (_mean(column) for column in zip(*frames, strict=True))
    hole_e_warp, e_warp = _warp_scores(footage, motion, result, changed)
    return Scores(
        hole_psnr,
        hole_ssim,
        hole_e_warp,
        psnr,
        ssim,
        e_warp,
        detail=detail_ratio(footage.truth, result, footage.holes),
        texture=texture_distance(footage.truth, result, footage.holes),
        detail_flicker=detail_flicker((true.pair for true in motion), result, footage.holes),
    )


def _whole(picture: NDArray[np.uint8]) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


def _changed(truth: NDArray[np.uint8], result: NDArray[np.uint8], hole: Mask) -> Box | None:
    """The box around the hole and around whatever else differs from the truth; None for neither."""
    return bounds(hole | (truth != result).any(axis=2))


def _frame_scores(
    truth: NDArray[np.uint8], result: NDArray[np.uint8], hole: Mask, box: Box, window: Window
) -> tuple[float, float, float, float]:
    """Hole PSNR, hole SSIM, whole PSNR, whole SSIM of one frame whose hole is not empty."""
    height, width = hole.shape
    error = squared_error(truth[box.slices], result[box.slices])
    hole_error = float(error[hole[box.slices]].mean(dtype=np.float64))
    whole_error = float(error.sum(dtype=np.float64)) / (height * width)
    near = box.grown(window.reach).within(width, height)
    # The window's own reach is added, so that the mirrored edge is the picture's, never a cut's.
    around = near.grown(window.reach).within(width, height)
    similar = ssim_map(truth[around.slices], result[around.slices], window)
    similar = similar[near.moved(-around.x0, -around.y0).slices]
    hole_similar = float(similar[hole[near.slices]].mean(dtype=np.float64))
    # A uniform window's score leaves the border out, where the window does not fit (as scikit-image does).
    inner = near if window.sigma is not None else _inner(near, width, height, window.reach)
    area = (
        (width, height) if window.sigma is not None else (width - 2 * window.reach, height - 2 * window.reach)
    )
    part = similar[inner.moved(-near.x0, -near.y0).slices]
    whole_similar = 1 + float((part - 1).sum(dtype=np.float64)) / (area[0] * area[1])
    return psnr_db(hole_error), hole_similar, psnr_db(whole_error), whole_similar


def _inner(box: Box, width: int, height: int, border: int) -> Box:
    x0, y0 = max(box.x0, border), max(box.y0, border)
    return Box(x0, y0, max(x0, min(box.x1, width - border)), max(y0, min(box.y1, height - border)))


def _warp_scores(
    footage: Footage, motion: Iterable[TrueMotion], result: Video, changed: list[Box | None]
) -> tuple[float, float]:
    """E_warp inside the hole and of the whole picture."""
    hole_total, hole_count, whole = 0.0, 0, []
    for number, true in enumerate(motion):
        box = _affected(true.pair, changed[number], changed[number + 1])
        total = true.total
        if box is not None:
            seen = true.pair.seen[box.slices]
            error = true.pair.error(result[number], result[number + 1], box)
            before = true.pair.error(footage.truth[number], footage.truth[number + 1], box)
            total += float((error[seen] - before[seen]).sum(dtype=np.float64))
            inside = seen & footage.holes[number][box.slices]
            hole_total += float(error[inside].sum(dtype=np.float64))
            hole_count += int(inside.sum())
        if true.count:
            whole.append(total / true.count)
    return hole_total / hole_count if hole_count else float("nan"), _mean(whole)


def _affected(pair: WarpPair, here: Box | None, there: Box | None) -> Box | None:
    """The box of pixels whose warping error a change in this frame or the next can touch."""
    reached = None if there is None else pair.reached(there)
    if here is None:
        return reached
    return here.union(reached)


def _mean(values: Iterable[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
