"""The warping error of motions that are known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.qc.warp_error import WarpPair, dense_flow, places, sample, seen_in_both

HEIGHT, WIDTH = 96, 128


def texture(seed: int = 1, height: int = HEIGHT, width: int = WIDTH + 16) -> np.ndarray:
    """Smooth 8-bit noise, with detail that a flow can hold on to."""
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    span = smooth.max() - smooth.min()
    return ((smooth - smooth.min()) / span * 255).astype(np.uint8)


def panned(offset: int) -> np.ndarray:
    """A view that moves to the right over the texture: its content moves left by `offset`."""
    return np.ascontiguousarray(texture()[:, offset : offset + WIDTH])


def constant_flow(x: float, y: float = 0.0) -> np.ndarray:
    return np.broadcast_to(np.array([x, y], np.float32), (HEIGHT, WIDTH, 2)).copy()


def test_an_exact_translation_has_no_error():
    pair = WarpPair(constant_flow(-4), np.ones((HEIGHT, WIDTH), np.bool_))
    inner = Box(8, 8, WIDTH - 8, HEIGHT - 8)
    assert pair.error(panned(0), panned(4), inner) == pytest.approx(np.zeros((80, 112)), abs=1e-12)
    assert pair.error(panned(0), panned(0), inner).mean() > 1e-3


def test_the_estimated_flow_of_a_translation_has_almost_none():
    pair = WarpPair.of(panned(0), panned(4))
    middle = pair.flow[20:-20, 20:-20].astype(np.float32)
    assert np.median(middle[..., 0]) == pytest.approx(-4, abs=0.1)
    error = pair.error(panned(0), panned(4), Box(0, 0, WIDTH, HEIGHT))
    assert pair.seen.mean() > 0.8
    assert error[pair.seen].mean() < 1e-4


def test_a_known_difference_gives_a_known_error():
    pair = WarpPair(constant_flow(0), np.ones((HEIGHT, WIDTH), np.bool_))
    a, b = np.full((HEIGHT, WIDTH, 3), 100, np.uint8), np.full((HEIGHT, WIDTH, 3), 151, np.uint8)
    assert pair.error(a, b, Box(3, 5, 9, 8)) == pytest.approx(np.full((3, 6), 0.04), rel=1e-5)


def test_what_leaves_the_picture_is_not_seen_in_both():
    seen = seen_in_both(constant_flow(-10), constant_flow(10))
    assert not seen[:, :10].any()
    assert seen[:, 10:].all()


def test_there_and_back_must_meet():
    seen = seen_in_both(constant_flow(3), constant_flow(0))  # |F + B|^2 = 9 > 0.01 * 9 + 0.5
    assert not seen.any()
    close = seen_in_both(constant_flow(3), constant_flow(-2.5))  # 0.25 <= 0.01 * 15.25 + 0.5
    assert close[:, : WIDTH - 3].all()


def test_motion_boundaries_are_left_out():
    flow = constant_flow(0)
    flow[:, 64:, 0] = 1.0
    back = -flow
    seen = seen_in_both(flow, back)
    assert not seen[:, 63:65].any()
    assert seen[:, :62].all()


def test_an_error_over_a_box_is_that_part_of_the_whole():
    pair = WarpPair.of(panned(0), panned(3))
    whole = pair.error(panned(1), panned(5), Box(0, 0, WIDTH, HEIGHT))
    box = Box(30, 20, 70, 61)
    # The flow is sampled in a cut of the next frame: the same numbers up to the place's rounding.
    assert pair.error(panned(1), panned(5), box) == pytest.approx(whole[box.slices], abs=1e-4)


def test_reached_is_where_the_flow_leads_into_the_box():
    pair = WarpPair(constant_flow(-10, 4), np.ones((HEIGHT, WIDTH), np.bool_))
    # Bilinear sampling touches a pixel from up to one pixel away; exactly on the edge it does not.
    assert pair.reached(Box(40, 30, 50, 40)) == Box(50, 26, 60, 36)
    assert pair.reached(Box(125, 0, 128, 3)) is None


def test_flow_places_and_samples_are_float32():
    flow = dense_flow(panned(0), panned(2))
    assert flow.dtype == np.float32
    assert sample(panned(0).astype(np.float32), places(flow)).dtype == np.float32
