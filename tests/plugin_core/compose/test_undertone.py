"""What the network has to say of paint: low frequencies, where the two see something else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.compose.undertone import led
from plugin_core.patch import Patch

ROWS, BOX = 240, Box(20, 30, 116, 110)
INNER = np.s_[20:-20, 20:-20]


def paint(level: float | np.ndarray, guess: float | None = 1) -> Patch:
    """Grainy paint of some brightness, all of it a guess or none."""
    shape = BOX.height, BOX.width
    grain = np.random.default_rng(3).normal(0, 0.1, (*shape, 3))
    ones = np.ones(shape, np.float32)
    picture = (grain + np.broadcast_to(np.asarray(level), shape)[..., None]).astype(np.float32)
    return Patch(BOX, picture, ones, ones, guess=None if guess is None else ones * np.float32(guess))


def flat(level: float) -> np.ndarray:
    return np.full((BOX.height, BOX.width, 3), level, np.float32)


def fine(picture: np.ndarray) -> float:
    return float(np.abs(cv2.Laplacian(picture, cv2.CV_32F))[INNER].mean())


def test_where_the_network_sees_about_the_same_paint_stays_as_it_is():
    given = paint(0.2)
    np.testing.assert_allclose(led(given, flat(0.22), ROWS).picture, given.picture, atol=0.02)


def test_where_it_sees_something_else_paint_takes_its_colors_and_keeps_its_texture():
    left = np.where(np.arange(BOX.width) < BOX.width // 2, 0.8, -0.4)
    given = paint(left)
    shown = led(given, flat(-0.4), ROWS).picture
    halves = shown[20:-20, 20:36].mean(), shown[20:-20, -36:-20].mean()
    np.testing.assert_allclose(halves, -0.4, atol=0.05)
    assert 0.9 < fine(shown) / fine(given.picture) < 1.1
    np.testing.assert_allclose(shown[:, -16:], given.picture[:, -16:], atol=0.05)


@pytest.mark.parametrize(("apart", "least", "most"), [(0.05, 0, 0.35), (0.09, 0.5, 0.75), (0.25, 0.95, 1.01)])
def test_how_far_they_may_differ_before_the_network_leads(apart, least, most):
    given = paint(0.2)
    change = led(given, flat(0.2 + apart), ROWS).picture - given.picture
    assert least <= change[INNER].mean() / apart <= most


@pytest.mark.parametrize(("period", "least", "most"), [(3, -0.01, 0.1), (12, 0.95, 1.01)])
def test_what_is_coarser_than_texture_comes_from_the_network_what_is_finer_from_paint(period, least, most):
    wave = np.cos(2 * np.pi / period * np.arange(BOX.width)).astype(np.float32)
    given = replace(paint(0.8), picture=np.full((BOX.height, BOX.width, 3), 0.8, np.float32))
    shown = led(given, flat(-0.4) + 0.2 * wave[:, None], ROWS).picture
    inner = wave[20:-16]  # whole waves
    assert least <= shown[20:-20, 20:-16].mean(axis=(0, 2)) @ inner / (0.2 * inner @ inner) <= most


def test_what_is_no_guess_and_lights_beyond_its_range_are_none_of_its_business():
    real = paint(0.8, None)
    assert led(real, flat(-0.5), ROWS) is real
    assert (led(paint(0.8, 0), flat(-0.5), ROWS).picture == real.picture).all()
    lamp = paint(0.8).picture.copy()
    lamp[30:40, 40:50] = 40
    shown = led(replace(paint(0.8), picture=lamp), flat(-0.5), ROWS).picture
    assert (shown[30:40, 40:50] == 40).all() and shown[50:, 20:-20].mean() < -0.2
