"""Detail, texture and detail flicker: fills whose scores are known beforehand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from models.evaluation.detail import detail_ratio
from models.evaluation.detail_flicker import detail_flicker
from models.evaluation.texture import texture_distance
from plugin_core.qc.warp_error import WarpPair

SIZE, FRAMES, PAN = 96, 4, 3


def wall(seed: int = 1, sigma: float = 1.2, contrast: float = 40) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((SIZE, SIZE + PAN * FRAMES)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    codes = np.clip(128 + contrast * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.repeat(codes[..., None], 3, axis=2)


def panned(over: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(over[:, PAN * t : PAN * t + SIZE]) for t in range(FRAMES)]


def holes() -> list[np.ndarray]:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[16:80, 16:80] = True
    return [mask] * FRAMES


def true_motion() -> list[WarpPair]:
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    flow[..., 0] = -PAN
    return [WarpPair(flow, np.ones((SIZE, SIZE), bool))] * (FRAMES - 1)


def filled(fill: list[np.ndarray]) -> list[np.ndarray]:
    truth = panned(wall())
    return [np.where(h[..., None], f, t) for h, f, t in zip(holes(), fill, truth, strict=True)]


FLAT = [np.full((SIZE, SIZE, 3), 128, np.uint8)] * FRAMES
OTHER_WALL = panned(wall(seed=2))
HALF = [(np.round((f.astype(np.float32) - 128) / 2) + 128).astype(np.uint8) for f in panned(wall())]
NEW_EACH_FRAME = [panned(wall(seed=10 + t))[0] for t in range(FRAMES)]
NOISE = [panned(wall(seed=3, sigma=0.3))[0]] * FRAMES


def measured(fill: list[np.ndarray]) -> tuple[float, float, float]:
    truth, result = panned(wall()), filled(fill)
    return (
        detail_ratio(truth, result, holes()),
        texture_distance(truth, result, holes()),
        detail_flicker(true_motion(), result, holes()),
    )


@pytest.mark.parametrize(
    ("fill", "detail", "texture", "flickers"),
    [
        pytest.param(panned(wall()), (1, 1), (0, 0), (0, 0.001), id="the truth"),
        pytest.param(FLAT, (0, 0), (1, 1), (0, 0.001), id="flat"),
        pytest.param(HALF, (0.49, 0.51), (0.49, 0.51), (0, 0.001), id="half the contrast"),
        pytest.param(OTHER_WALL, (0.9, 1.1), (0, 0.25), (0, 0.001), id="another piece of the wall"),
        pytest.param(NEW_EACH_FRAME, (0.9, 1.1), (0, 0.25), (0.9, 1.1), id="new on every frame"),
        pytest.param(NOISE, (2, 9), (0.5, 9), (0.9, 1.1), id="noise that stands in the picture"),
    ],
)
def test_known_fills(fill, detail, texture, flickers):
    for found, (low, high) in zip(measured(fill), (detail, texture, flickers), strict=True):
        assert low - 1e-6 <= found <= high + 1e-6, measured(fill)


def test_the_surroundings_do_not_count():
    truth, result = panned(wall()), filled(FLAT)
    loud = [np.where(h[..., None], r, 255 - r) for h, r in zip(holes(), result, strict=True)]
    assert detail_ratio(truth, loud, holes()) == detail_ratio(truth, result, holes()) == 0
    assert texture_distance(truth, loud, holes()) == texture_distance(truth, result, holes())
    assert detail_flicker(true_motion(), loud, holes()) < 0.001


def test_where_nothing_can_be_measured_there_is_no_score():
    truth = panned(wall())
    thin = [np.zeros((SIZE, SIZE), bool) for _ in truth]
    for mask in thin:
        mask[40:43] = True
    assert math.isnan(detail_ratio(truth, truth, thin))
    assert math.isnan(detail_ratio(FLAT, truth, holes()))
    assert math.isnan(texture_distance(truth, truth, thin))
    assert math.isnan(texture_distance(FLAT, truth, holes()))
    assert math.isnan(detail_flicker(true_motion(), truth, thin))


def test_a_hole_at_the_pictures_edge_is_measured_up_to_it():
    truth = panned(wall())
    whole = [np.ones((SIZE, SIZE), bool)] * FRAMES
    assert detail_ratio(truth, FLAT, whole) == 0
    assert texture_distance(truth, FLAT, whole) == pytest.approx(1)
