from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugin_core.box import bounds
from plugin_core.regions.morphology import feather, feather_soft, grow, grow_soft

Mask = NDArray[np.bool_]


def distances(mask: Mask) -> NDArray[np.float64]:
    """Distance of every pixel to the nearest pixel of the mask, by looking at all pairs."""
    ys, xs = np.nonzero(mask)
    rows, columns = np.indices(mask.shape)
    squares = (rows[..., None] - ys) ** 2 + (columns[..., None] - xs) ** 2
    nearest: NDArray[np.float64] = np.sqrt(squares.min(axis=2))
    return nearest


masks = st.builds(
    lambda seed, height, width, share: np.random.default_rng(seed).random((height, width)) < share,
    st.integers(0, 1000),
    st.integers(1, 24),
    st.integers(1, 24),
    st.sampled_from([0.01, 0.1, 0.5, 0.95]),
)


@settings(max_examples=60)
@given(masks, st.integers(1, 17))
def test_grow_reaches_exactly_as_far_as_asked(mask: Mask, px: int) -> None:
    grown = grow(mask, px)
    expected = distances(mask) <= px if mask.any() else mask
    assert grown.dtype == np.bool_
    np.testing.assert_array_equal(grown, expected)


@settings(max_examples=60)
@given(masks, st.integers(1, 8))
def test_shrink_takes_what_lies_near_the_outside(mask: Mask, px: int) -> None:
    expected = mask if mask.all() else distances(~mask) > px
    np.testing.assert_array_equal(grow(mask, -px), expected)


@settings(max_examples=60)
@given(masks, st.integers(0, 17))
def test_feather_is_one_inside_and_zero_beyond(mask: Mask, px: int) -> None:
    weights = feather(mask, px)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights == 1, mask)
    if mask.any():
        np.testing.assert_array_equal(weights > 0, distances(mask) <= px)
    else:
        assert not weights.any()


def test_feather_falls_smoothly() -> None:
    mask = np.zeros((1, 40), np.bool_)
    mask[0, :10] = True
    weights = feather(mask, 8)[0]
    falling = weights[9:19]
    assert (np.diff(falling) < 0).all()
    assert falling[4] > 0.5 > falling[5]
    assert np.abs(np.diff(weights, 2)).max() < 0.075
    assert weights[18] == 0


def test_grown_point_is_round() -> None:
    mask = np.zeros((41, 41), np.bool_)
    mask[20, 20] = True
    grown = grow(mask, 15)
    assert grown[20, 35] and grown[20, 5] and grown[5, 20] and not grown[5, 5]
    assert abs(grown.sum() / (np.pi * 15**2) - 1) < 0.02
    np.testing.assert_array_equal(grown, grown.T)


def test_nothing_changes_at_zero() -> None:
    mask = np.eye(9, dtype=np.bool_)
    grown = grow(mask, 0)
    np.testing.assert_array_equal(grown, mask)
    assert grown is not mask


def test_matte_at_the_frame_edge_is_not_shrunk_there() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[:, :10] = True
    shrunk = grow(mask, -3)
    assert shrunk[:, :7].all() and not shrunk[:, 7:].any()
    assert grow(np.ones((5, 5), np.bool_), -4).all()


@settings(max_examples=60)
@given(masks)
def test_bounds_hold_the_mask_and_no_more(mask: Mask) -> None:
    box = bounds(mask)
    if box is None:
        assert not mask.any()
        return
    x0, y0, x1, y1 = box
    assert mask.sum() == mask[y0:y1, x0:x1].sum()
    for edge in (mask[y0, x0:x1], mask[y1 - 1, x0:x1], mask[y0:y1, x0], mask[y0:y1, x1 - 1]):
        assert edge.any()


@pytest.mark.parametrize("px", [1, 3, 16, 100])
def test_large_pictures_agree_with_their_cropped_neighbourhood(px: int) -> None:
    rng = np.random.default_rng(px)
    mask = np.zeros((300, 400), np.bool_)
    mask[120:180, 150:220] = rng.random((60, 70)) < 0.3
    np.testing.assert_array_equal(grow(mask, px), distances_within(mask, px))


def distances_within(mask: Mask, px: int) -> Mask:
    """Grow by drawing a filled disc around every pixel."""
    disc = np.hypot(*np.ogrid[-px : px + 1, -px : px + 1]) <= px
    padded = np.zeros((mask.shape[0] + 2 * px, mask.shape[1] + 2 * px), np.bool_)
    for y, x in zip(*np.nonzero(mask), strict=True):
        padded[y : y + 2 * px + 1, x : x + 2 * px + 1] |= disc
    return padded[px:-px, px:-px]


@settings(max_examples=60)
@given(masks, st.integers(0, 12))
def test_a_feather_inside_stays_inside(mask: Mask, px: int) -> None:
    weights = feather(mask, px, "inside")
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights > 0, mask)
    np.testing.assert_array_equal(weights == 1, grow(mask, -px))


@settings(max_examples=60)
@given(masks, st.integers(0, 12))
def test_a_centered_feather_reaches_half_as_far_to_each_side(mask: Mask, px: int) -> None:
    weights = feather(mask, px, "center")
    reach = px / 2 + 1 if px else 1  # from pixel center to pixel center; the edge lies half a pixel nearer
    if mask.any() and not mask.all():
        np.testing.assert_array_equal(weights > 0, distances(mask) < reach)
        np.testing.assert_array_equal(weights == 1, distances(~mask) >= reach)
    assert (weights[mask] > 0.5).all() and (weights[~mask] < 0.5).all()
    np.testing.assert_allclose(weights, 1 - feather(~mask, px, "center"), atol=1e-6)


@pytest.mark.parametrize(
    ("side", "first", "last"), [("outside", 10, 18), ("center", 6, 14), ("inside", 2, 10)]
)
def test_every_side_falls_over_as_many_pixels(side, first: int, last: int) -> None:
    mask = np.zeros((1, 40), np.bool_)
    mask[0, :10] = True
    weights = feather(mask, 8, side)[0]
    assert (weights[:first] == 1).all() and (weights[last:] == 0).all()
    assert (np.diff(weights[first - 1 : last + 1]) < 0).all()


@settings(max_examples=60)
@given(masks, st.integers(-8, 12))
def test_weights_of_0_and_1_grow_as_a_mask_does(mask: Mask, px: int) -> None:
    grown = grow_soft(mask.astype(np.float32), px)
    np.testing.assert_array_equal(grown, grow(mask, px).astype(np.float32))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 20), st.integers(1, 20), st.integers(1, 9))
def test_a_soft_grow_takes_the_largest_value_within_reach(
    seed: int, height: int, width: int, px: int
) -> None:
    weights = np.random.default_rng(seed).random((height, width), np.float32)
    rows, columns = np.indices(weights.shape)
    near = np.hypot(rows[..., None, None] - rows, columns[..., None, None] - columns) <= px
    np.testing.assert_array_equal(grow_soft(weights, px), np.where(near, weights, 0).max(axis=(2, 3)))
    np.testing.assert_allclose(
        grow_soft(weights, -px), np.where(near, weights, 1).min(axis=(2, 3)), atol=1e-6
    )


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 24), st.integers(1, 24), st.integers(0, 9))
def test_a_soft_feather_keeps_to_its_side(seed: int, height: int, width: int, px: int) -> None:
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((height, width)) < 0.4, rng.random((height, width)), 0).astype(np.float32)
    outside, center, inside = (feather_soft(weights, px, side) for side in ("outside", "center", "inside"))
    assert (outside >= weights).all() and (inside <= weights).all()
    for soft in (outside, center, inside):
        assert soft.dtype == np.float32 and soft.min() >= 0 and soft.max() <= 1
    support = np.pad(weights > 0, px + 1)
    reach = np.zeros_like(support)
    if support.any():
        reach = cv2.dilate(support.astype(np.uint8), np.ones((2 * px + 3,) * 2, np.uint8)) > 0
    assert not outside[~reach[px + 1 : px + 1 + height, px + 1 : px + 1 + width]].any()
    np.testing.assert_array_equal(inside > 0, (inside > 0) & (weights > 0))
