"""From a matte to what is filled."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.job.settings import Settings
from plugin_core.regions.hole import hole_of


def square(value: float = 1.0) -> np.ndarray:
    matte = np.zeros((60, 80), np.float32)
    matte[20:30, 40:56] = value
    return matte


def test_a_plain_matte_is_taken_as_it_is():
    hole = hole_of(square(), Settings(grow=0, feather=0))
    assert hole is not None
    assert hole.box == Box(40, 20, 56, 30)
    assert (hole.alpha == 1).all()


@pytest.mark.parametrize("value", [0.0, 0.04])
def test_what_is_below_the_threshold_is_no_hole(value):
    assert hole_of(square(value), Settings(grow=0, feather=0)) is None


def test_a_soft_edge_belongs_to_the_hole():
    matte = square()
    matte[20:30, 56] = 0.2
    hole = hole_of(matte, Settings(grow=0, feather=0))
    assert hole is not None
    assert hole.box.x1 == 57


def test_grow_and_feather_reach_as_far_as_asked_and_no_further():
    hole = hole_of(square(), Settings(grow=3, feather=4))
    assert hole is not None
    assert hole.box.x0 >= 40 - 3 - 4
    assert hole.box.x0 < 40 - 3
    on_plate = np.zeros((60, 80), np.float32)
    on_plate[hole.box.slices] = hole.alpha
    assert (on_plate[20:30, 37:59] == 1).all()
    edge = on_plate[25, 59:64]
    assert (np.diff(edge) <= 0).all()
    assert 0 < edge[0] < 1


def test_a_negative_grow_can_leave_nothing():
    assert hole_of(square(), Settings(grow=-6, feather=0)) is None


def test_the_hole_stops_at_the_plate_edge():
    matte = np.zeros((20, 20), np.float32)
    matte[:4, :4] = 1
    hole = hole_of(matte, Settings(grow=5, feather=5))
    assert hole is not None
    assert hole.box.x0 == 0
    assert hole.box.y0 == 0


def test_mask_on_a_crop_marks_the_feather_too():
    hole = hole_of(square(), Settings(feather=3, grow=0))
    assert hole is not None
    mask = hole.mask_on(Box(30, 10, 70, 50))
    assert mask.sum() == (hole.alpha > 0).sum()
    assert mask[10:20, 10:26].all()


@pytest.mark.parametrize("side", ["outside", "center", "inside"])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("grow", [-3, 0, 4])
def test_a_hole_is_the_same_wherever_it_lies(side, soft, grow):
    """It is made on a crop around the matte, which must not show."""
    settings = Settings(grow=grow, feather=5, feather_side=side, matte_soft=soft)
    matte = square()
    matte[20:30, 56:60] = (0.8, 0.6, 0.3, 0.1)
    hole = hole_of(matte, settings)
    wide = hole_of(np.pad(matte, 40), settings)
    assert hole is not None and wide is not None
    assert wide.box == hole.box.moved(40, 40)
    np.testing.assert_allclose(wide.alpha, hole.alpha, atol=1e-6)


def test_soft_values_are_the_weights_and_what_is_below_the_threshold_is_not():
    matte = square()
    matte[20:30, 56:60] = (0.8, 0.5, 0.2, 0.04)
    hole = hole_of(matte, Settings(matte_soft=True, grow=0, feather=0))
    assert hole is not None
    assert hole.box == Box(40, 20, 59, 30)
    np.testing.assert_array_equal(hole.alpha[5, -4:], np.array([1, 0.8, 0.5, 0.2], np.float32))


def test_grow_carries_soft_values_outwards():
    matte = square()
    matte[20:30, 56] = 0.5
    hole = hole_of(matte, Settings(matte_soft=True, grow=3, feather=0))
    assert hole is not None
    row = hole.alpha[25 - hole.box.y0]
    assert hole.box.x1 == 60
    assert row[58 - hole.box.x0] == 1 and row[59 - hole.box.x0] == 0.5
