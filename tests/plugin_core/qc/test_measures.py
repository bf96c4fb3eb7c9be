"""Seam, detail and flicker of fills whose faults are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.qc.measures import RING_PX, detail, flicker, seam, surroundings
from plugin_core.qc.report import change_ratio

SIZE = 160


def wall(seed: int = 1) -> np.ndarray:
    """Smooth texture with grain, 0..1."""
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((SIZE, SIZE, 3)).astype(np.float32), (0, 0), 4.0)
    smooth = 0.3 + 0.4 * (smooth - smooth.min()) / np.ptp(smooth)
    return (smooth + rng.normal(0, 0.02, smooth.shape)).astype(np.float32)


def square() -> np.ndarray:
    hole = np.zeros((SIZE, SIZE), np.bool_)
    hole[55:105, 55:105] = True
    return hole


def test_a_picture_held_against_itself_has_no_seam():
    assert seam(wall(), square()) == pytest.approx(1, abs=0.35)


def test_an_offset_inside_the_hole_is_a_seam_that_grows_with_it():
    hole = square()
    small, large = (seam(wall() + offset * hole[..., None], hole) for offset in (0.1, 0.3))
    assert 1.8 < small < large


def test_an_offset_of_one_code_on_a_flat_wall_passes_and_of_ten_does_not():
    flat, hole = np.full((SIZE, SIZE, 3), 0.5, np.float32), square()
    assert seam(flat + hole[..., None] / np.float32(255), hole) < 2.5
    assert seam(flat + hole[..., None] * np.float32(10 / 255), hole) > 5


def test_a_hole_that_fills_the_picture_has_no_seam_to_measure():
    assert np.isnan(seam(wall(), np.ones((SIZE, SIZE), np.bool_)))


def test_a_blurred_fill_is_softer_and_a_grainless_one_smoother():
    hole = square()
    same = detail(wall(), hole)
    assert (same.sharpness, same.noise) == (pytest.approx(1, abs=0.15), pytest.approx(1, abs=0.15))
    blurred = np.where(hole[..., None], cv2.GaussianBlur(wall(), (0, 0), 4.0), wall())
    soft = detail(blurred, hole)
    assert soft.sharpness < 0.3 and soft.noise < 0.3
    loud = wall() + np.where(hole[..., None], wall(2) - cv2.GaussianBlur(wall(2), (0, 0), 2), 0) * 2
    assert detail(loud.astype(np.float32), hole).noise > 1.5


def test_a_wire_is_too_thin_for_its_detail_to_be_told():
    hole = np.zeros((SIZE, SIZE), np.bool_)
    hole[80:83] = True
    assert np.isnan(detail(wall(), hole).sharpness)
    assert np.isfinite(seam(wall(), hole))


def test_a_steady_fill_changes_as_its_surroundings_and_a_flickering_one_does_not():
    hole = square()
    steady = flicker(wall(), wall(), hole)
    assert change_ratio(steady.fill, steady.around) == pytest.approx(1, abs=0.05)
    brighter = np.clip(wall() + 0.08 * hole[..., None], 0, 1).astype(np.float32)
    loud = flicker(wall(), brighter, hole)
    assert np.sqrt(loud.fill) == pytest.approx(0.08, abs=0.03)
    assert change_ratio(loud.fill, loud.around) > 4


def test_surroundings_hold_every_hole_and_stay_inside_the_picture():
    hole, other = np.zeros((300, 400), np.bool_), np.zeros((300, 400), np.bool_)
    hole[100:110, 150:160] = True
    other[5, 390] = True
    assert surroundings([hole], 400, 300) == Box(150 - RING_PX, 100 - RING_PX, 160 + RING_PX, 110 + RING_PX)
    assert surroundings([hole, other], 400, 300) == Box(150 - RING_PX, 0, 400, 110 + RING_PX)
    assert surroundings([np.zeros((300, 400), np.bool_)], 400, 300) is None
