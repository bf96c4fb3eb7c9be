"""How much of the previous output may be taken again."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.state.carry_share import share_of

from .test_carry_follow import HOLE, seen

MASK = HOLE[None].astype(np.float32)
INSIDE = HOLE[2::4, 2::4]


def wall(at: int = 0) -> np.ndarray:
    return seen(at, hole=np.zeros_like(HOLE))[0]


def test_what_goes_on_from_the_plate_is_taken() -> None:
    share = share_of(wall(), (wall(), MASK))
    assert share.dtype == np.float32 and share.shape == INSIDE.shape
    assert share[INSIDE].min() > 0.7


def test_what_lies_in_the_hole_of_the_plate_and_outside_that_of_the_fill_does_not_count() -> None:
    clean = share_of(wall(), (wall(), MASK))
    plate = np.where(MASK > 0, np.float32(0.9), wall())
    fill = np.where(MASK > 0, wall(), np.float32(-0.9))
    np.testing.assert_array_equal(share_of(fill, (plate, MASK)), clean)


def test_where_somebody_walks_up_to_the_hole_less_is_taken_on_that_side() -> None:
    plate = wall()
    left, right = INSIDE.copy(), INSIDE.copy()
    left[:, 20:], right[:, :24] = False, False
    plate[:, :, :72] = -1
    share = share_of(wall(), (plate, MASK))
    assert share[left].mean() < 0.5 * share[right].mean()


@pytest.mark.parametrize("covered", [0, 1])
def test_without_a_border_nothing_is_held_against_it(covered: int) -> None:
    mask = np.full_like(MASK, covered)
    np.testing.assert_allclose(share_of(wall(3), (wall(), mask)), 1)
