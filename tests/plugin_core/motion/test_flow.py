import numpy as np
import pytest

from plugin_core.motion.flow import fitted_plane, flow_between, spread


def texture(height=96, width=128, seed=0):
    """Random blobs that a search can hold on to, (H, W, 3) of 0..1."""
    import cv2

    noise = np.random.default_rng(seed).random((height + 40, width + 40, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 2.0) * 4 - 1.5, 0, 1)


def disc(height, width, y, x, radius):
    rows, columns = np.mgrid[:height, :width]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def test_a_pan_is_measured_and_continued_behind_the_hole():
    world = texture()
    first, second = world[10:106, 10:138], world[12:108, 13:141]
    hole = disc(96, 128, 48, 64, 16)
    forth, back = flow_between(first, hole, second, hole), flow_between(second, hole, first, hole)
    inner = np.s_[12:-12, 12:-12]
    assert np.abs(forth.motion[inner] - (-3, -2)).mean() < 0.05
    assert np.abs(back.motion[inner] - (3, 2)).mean() < 0.05
    assert np.abs(forth.motion[hole] - (-3, -2)).max() < 0.5
    assert forth.doubt[hole].min() > 0, "what was not seen is never certain"


def test_what_stands_in_the_hole_has_no_say():
    world = texture()
    first, second = world[10:106, 10:138].copy(), world[12:108, 13:141].copy()
    hole = disc(96, 128, 48, 64, 16)
    clean = flow_between(first, hole, second, hole).motion
    first[hole], second[hole] = 1.0, 0.0
    assert np.array_equal(flow_between(first, hole, second, hole).motion, clean)


def test_someone_who_walks_past_does_not_drag_the_hole_along():
    world, walker = texture(), texture(seed=5)
    first, second = world[10:106, 10:138].copy(), world[10:106, 10:138].copy()
    hole = disc(96, 128, 48, 64, 14)
    body = np.s_[20:80, 30:46]
    first[body] = walker[body]
    second[20:80, 34:50] = walker[body]
    motion = flow_between(first, hole, second, hole).motion
    assert np.abs(motion[hole]).max() < 0.5


def test_a_camera_that_turns_is_followed_across_a_wide_hole():
    rows, columns = np.mgrid[:96, :200].astype(np.float32)
    turned = 1e-4 * (columns - 90) - 2e-5 * (rows - 40)
    motion = np.dstack([9 + 0.01 * columns, 0.02 * columns - 2]) + turned[..., None] * np.dstack(
        [columns - 90, rows - 40]
    )
    motion = motion.astype(np.float32)
    hole = (abs(columns - 100) < 70) & (abs(rows - 48) < 30)
    seen = motion + np.random.default_rng(0).normal(0, 0.05, motion.shape).astype(np.float32)
    seen[:60, 170:190] += 5  # somebody passes by
    x, y = np.ascontiguousarray(seen[..., 0]), np.ascontiguousarray(seen[..., 1])
    plane = fitted_plane(x, y, ~hole, np.float32([[0, 0, 9], [0, 0, 0]]))
    assert np.abs(plane.at(columns, rows) - motion)[hole].max() < 0.05
    few = np.zeros_like(hole)
    few[:5, :5] = True
    assert (fitted_plane(x, y, few, plane.affine).at(columns, rows)[..., 0] > 5).all(), "as the camera moves"


def test_spread_keeps_what_is_known_and_continues_it():
    rows, columns = np.mgrid[:40, :50].astype(np.float32)
    values = np.dstack([rows, columns])
    known = ~disc(40, 50, 20, 25, 10)
    filled = spread(np.where(known[..., None], values, 1e6).astype(np.float32), known)
    assert np.array_equal(filled[known], values[known])
    assert np.abs(filled - values).max() < 6


@pytest.mark.parametrize("known", [False, True])
def test_spread_without_anything_to_spread(known):
    values = np.full((8, 9, 2), 3, np.float32)
    filled = spread(values, np.full((8, 9), known))
    assert np.array_equal(filled, values if known else np.zeros_like(values))
