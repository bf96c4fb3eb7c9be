"""Grain: what is measured on made-up plates, and what is made from it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.compose.grain import BLOCK, GrainModel, grain_gain

SHAPE = (480, 640)
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
PER_CHANNEL = np.array([1, 0.7, 1.5], np.float32)


def ramp() -> np.ndarray:
    """A clean plate whose luminance rises from left to right, in the network's range."""
    y, x = np.mgrid[0 : 1 : SHAPE[0] * 1j, 0 : 1 : SHAPE[1] * 1j].astype(np.float32)
    return np.stack([1.2 * x - 0.6, x - 0.5 + 0.1 * y, 0.8 * x - 0.4], axis=2)


def noise(size: float, seed: int = 0) -> np.ndarray:
    """Noise of variance 1 whose channels correlate by one half, with grains of a size."""
    random = np.random.default_rng(seed)
    own, common = random.standard_normal((*SHAPE, 3)), random.standard_normal((*SHAPE, 1))
    mixed = np.sqrt(0.5) * (own + common)
    if size:
        mixed = cv2.GaussianBlur(mixed, (0, 0), size)
    return (mixed / mixed.std(axis=(0, 1))).astype(np.float32)


def blocks_of(picture: np.ndarray) -> np.ndarray:
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    return picture.reshape(rows, BLOCK, columns, BLOCK, 3).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK, 3)


def strength(clean: np.ndarray) -> np.ndarray:
    """Twice as much in the lights as in the shadows."""
    return 0.01 * (1.5 + clean @ LUMA)[..., None] * PER_CHANNEL


def along(grain: np.ndarray, lag: int) -> float:
    green = grain[..., 1]
    return float((green[:, lag:] * green[:, :-lag]).mean() / (green * green).mean())


@pytest.mark.parametrize(("size", "tolerance"), [(0, 0.06), (0.6, 0.1), (1.0, 0.16)])
def test_made_grain_is_as_strong_as_coarse_and_as_colored_as_the_plates(size, tolerance):
    clean, natural = ramp(), noise(size)
    model = GrainModel.measure(blocks_of(clean + strength(clean) * natural))
    assert model is not None
    made = (model.add(clean, np.ones(SHAPE, np.float32), (7,)) - clean) / strength(clean)
    for third in range(3):  # shadows, middle, lights
        part = made[:, third * 213 : third * 213 + 213]
        np.testing.assert_allclose(part.std(axis=(0, 1)), 1, atol=tolerance + 0.04)
    assert abs(along(made, 1) - along(natural, 1)) < 0.07
    assert abs(along(made, 2) - along(natural, 2)) < 0.13
    np.testing.assert_allclose(np.corrcoef(made.reshape(-1, 3).T)[0, 1:], 0.5, atol=0.08)
    assert np.abs(made.mean(axis=(0, 1))).max() < 0.02


def test_the_same_seed_gives_the_same_grain_and_another_another():
    clean = ramp()
    model = GrainModel.measure(blocks_of(clean + strength(clean) * noise(0.6)))
    assert model is not None
    gain = np.ones(SHAPE, np.float32)
    one, again, other = (model.add(clean, gain, seed) for seed in ((1,), (1,), (2,)))
    np.testing.assert_array_equal(one, again)
    both = np.corrcoef((one - clean).ravel(), (other - clean).ravel())
    assert abs(both[0, 1]) < 0.02


def test_no_grain_where_the_gain_is_0_and_none_from_a_clean_plate():
    clean = ramp()
    model = GrainModel.measure(blocks_of(clean + strength(clean) * noise(0)))
    assert model is not None
    gain = np.zeros(SHAPE, np.float32)
    gain[100:200, 100:300] = 1
    made = model.add(clean, gain, (1,))
    np.testing.assert_array_equal(made[gain == 0], clean[gain == 0])
    assert (made[gain == 1] != clean[gain == 1]).mean() > 0.99
    assert GrainModel.measure(np.zeros((300, BLOCK, BLOCK, 3), np.float32)) is None
    assert GrainModel.measure(blocks_of(clean)[:5]) is None
    smooth = GrainModel.measure(blocks_of(clean))
    assert smooth is None or smooth.strength.max() < 1e-3


def test_texture_in_some_of_the_plate_does_not_become_grain():
    """Three quarters of it are rocks."""
    clean = ramp()
    rocks = cv2.GaussianBlur(np.random.default_rng(5).standard_normal(SHAPE), (0, 0), 1.5) * 1.5
    textured = clean.copy()
    textured[120:] += rocks[120:, :, None].astype(np.float32)
    model = GrainModel.measure(blocks_of(textured + strength(clean) * noise(0)))
    assert model is not None
    true = 0.01 * (1.5 + model.luminance)[:, None] * PER_CHANNEL
    assert (model.strength < 1.35 * true).all()


def test_grain_is_made_up_for_inside_a_feather_and_only_where_it_lacks():
    alpha = np.array([[1, 0.5, 0.5, 1, 1]], np.float32)
    own = np.array([[0, 0, 1, 1, 0.5]], np.float32)
    gain = grain_gain(own, alpha)
    np.testing.assert_allclose(gain, [[1, np.sqrt(3), 0, 0, np.sqrt(0.75)]], rtol=1e-6)
    random = np.random.default_rng(0)
    plate, fill = random.standard_normal((2, 200_000))
    mixed = 0.5 * plate + 0.5 * gain[0, 1] * fill
    assert abs(mixed.std() - 1) < 0.01
    assert grain_gain(np.zeros((1, 1), np.float32), np.full((1, 1), 1e-6, np.float32)).max() <= 3
