"""Baseline: flow-guided propagation over the whole clip.

Dense inverse search between neighboring frames, both ways, on plates filled by Telea so that the hole's edge
does not pull at the flow. Inside the hole and a ring around it the flow is unknown and completed smoothly.
Then pixels are carried from frame to frame, once forwards and once backwards through the clip, wherever there
and back meet; where both directions know a pixel, the one that came fewer frames weighs more. What neither
knows is filled by Telea.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.qc.warp_error import dense_flow, places, sample

from .cases import Mask

Video = list[NDArray[np.uint8]]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FlowSettings:
    """What was tuned.

    Attributes:
        preset: of dense inverse search.
        ring_px: the flow this near to a hole is not trusted either.
        agree_px: there and back must meet within this distance; the longer a flow, the more is allowed.
    """

    preset: str = "medium"
    ring_px: int = 8
    agree_px: float = 2.0


def flow_fill(
    plate: Video,
    holes: list[Mask],
    rest: Callable[[Video, list[Mask]], Video],
    settings: FlowSettings = FlowSettings(),
    *,
    past_only: bool = False,
) -> Video:
    """Fill by propagation; `rest` fills what is never uncovered, or was not yet with `past_only`."""
    forward, backward = _flows(rest(plate, holes), holes, settings)
    steps = range(len(plate) - 1)
    good_forward = [_agrees(forward[t], backward[t], settings.agree_px) for t in steps]
    good_backward = [_agrees(backward[t], forward[t], settings.agree_px) for t in steps]
    past = _carry(plate, holes, list(zip(backward, good_backward, strict=True)))
    if past_only:
        future = past
    else:
        future = _carry(plate[::-1], holes[::-1], list(zip(forward, good_forward, strict=True))[::-1])[::-1]
    filled, unknown = [], []
    for picture, hole, one, other in zip(plate, holes, past, future, strict=True):
        result, left = _merged(picture, hole, one, other)
        filled.append(result)
        unknown.append(left)
    return rest(filled, unknown)


def _flows(shown: Video, holes: list[Mask], settings: FlowSettings) -> tuple[list[Floats], list[Floats]]:
    """Completed flows t -> t+1 and t+1 -> t."""
    forward, backward = [], []
    for t in range(len(shown) - 1):
        either = _grown(holes[t], settings.ring_px), _grown(holes[t + 1], settings.ring_px)
        forward.append(complete(dense_flow(shown[t], shown[t + 1], settings.preset), either[0]))
        backward.append(complete(dense_flow(shown[t + 1], shown[t], settings.preset), either[1]))
    return forward, backward


def _grown(mask: Mask, px: int) -> Mask:
    if px == 0:
        return mask
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disk), np.bool_)


def complete(flow: NDArray[np.floating], unknown: Mask) -> Floats:
    """Fill the unknown part of a flow (H, W, 2) smoothly from its surroundings (pull, push, then relax)."""
    if not unknown.any() or unknown.all():
        return flow.astype(np.float32)
    weight = (~unknown).astype(np.float32)
    filled = _pull_push(flow.astype(np.float32) * weight[..., None], weight)
    for _ in range(20):
        filled[unknown] = cv2.blur(filled, (3, 3))[unknown]
    return filled


def _pull_push(weighted: Floats, weight: Floats) -> Floats:
    height, width = weight.shape
    if (weight > 0).all():
        return np.asarray(weighted / weight[..., None], np.float32)
    half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
    coarse = _pull_push(
        np.asarray(cv2.resize(weighted, half, interpolation=cv2.INTER_AREA), np.float32),
        np.asarray(cv2.resize(weight, half, interpolation=cv2.INTER_AREA), np.float32),
    )
    below = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    lacking = np.clip(1 - weight, 0, 1)[..., None]
    return np.asarray((weighted + below * lacking) / (weight[..., None] + lacking), np.float32)


def _agrees(there: Floats, back: Floats, limit_px: float) -> Mask:
    """Where going there and back again ends within the limit, inside the picture."""
    at = places(there)
    height, width = there.shape[:2]
    miss = np.sqrt(np.square(there + sample(back, at)).sum(axis=2))
    long = np.sqrt(np.square(there).sum(axis=2))
    inside = (at >= 0).all(axis=2) & (at[..., 0] <= width - 1) & (at[..., 1] <= height - 1)
    return np.asarray(inside & (miss <= limit_px + 0.05 * long), np.bool_)


@dataclass(frozen=True)
class _Carried:
    """A frame with what was carried into its hole; `age` in frames, infinite where nothing was."""

    picture: Floats
    age: Floats


def _carry(plate: Video, holes: list[Mask], steps: list[tuple[Floats, Mask]]) -> list[_Carried]:
    """Carry pixels along a clip; each step is the flow from a frame back to the one before it."""
    far = np.float32(1e6)
    before = _Carried(plate[0].astype(np.float32), np.where(holes[0], far, np.float32(0)))
    traces = [before]
    for picture, hole, (flow, good) in zip(plate[1:], holes[1:], steps, strict=True):
        at = places(flow)
        age = sample(before.age, at) + 1
        known = good & (age < far / 1000)
        came = sample(before.picture, at)
        inside = hole[..., None]
        before = _Carried(
            np.where(inside, came, picture.astype(np.float32)),
            np.where(hole, np.where(known, age, far), np.float32(0)).astype(np.float32),
        )
        traces.append(before)
    return traces


def _merged(
    picture: NDArray[np.uint8], hole: Mask, one: _Carried, other: _Carried
) -> tuple[NDArray[np.uint8], Mask]:
    """The hole filled from both directions, and what neither knows."""
    far = np.float32(1e5)
    weights = [np.where(side.age < far, 1 / np.maximum(side.age, 1), 0) ** 2 for side in (one, other)]
    total = weights[0] + weights[1]
    known = hole & (total > 0)
    result = picture.copy()
    mixed = weights[0][..., None] * one.picture + weights[1][..., None] * other.picture
    result[known] = np.rint(mixed[known] / total[known][:, None]).astype(np.uint8)
    return result, hole & ~known
