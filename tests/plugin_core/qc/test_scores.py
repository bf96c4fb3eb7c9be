"""PSNR and SSIM against values worked out by hand and by the formula, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.qc.scores import (
    GAUSSIAN,
    PSNR_LIMIT_DB,
    UNIFORM_65,
    Window,
    as_floats,
    psnr_db,
    squared_error,
    ssim_map,
)


def flat(value: float, size: tuple[int, int] = (80, 90)) -> np.ndarray:
    return np.full((*size, 3), value, np.float32)


def test_psnr_of_a_known_error():
    assert squared_error(flat(0.5), flat(0.4)) == pytest.approx(np.full((80, 90), 0.01), rel=1e-5)
    assert psnr_db(0.01) == pytest.approx(20.0)
    assert psnr_db(1.0) == pytest.approx(0.0)


def test_equal_pictures_reach_the_limit_and_stay_finite():
    assert psnr_db(0.0) == PSNR_LIMIT_DB
    assert psnr_db(1e-30) == PSNR_LIMIT_DB


def test_eight_bits_count_in_units_of_the_range():
    a, b = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 51, np.uint8)  # 51 / 255 = 0.2
    assert squared_error(a, b) == pytest.approx(np.full((4, 4), 0.04), rel=1e-5)
    assert as_floats(b).max() == pytest.approx(0.2)


def test_error_is_the_mean_over_channels():
    a = flat(0.0)
    b = a.copy()
    b[..., 1] = 0.3
    assert squared_error(a, b)[0, 0] == pytest.approx(0.03, rel=1e-5)


@pytest.mark.parametrize("window", [GAUSSIAN, UNIFORM_65])
def test_ssim_of_two_flat_pictures_is_the_luminance_term(window: Window):
    # No variance: (2ab + c1) / (a^2 + b^2 + c1) with a = 0.5, b = 0.25, c1 = 1e-4.
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.25 + 0.0625 + 1e-4)
    assert ssim_map(flat(0.5), flat(0.25), window) == pytest.approx(np.full((80, 90), expected), abs=1e-4)


@pytest.mark.parametrize("window", [GAUSSIAN, Window(7), UNIFORM_65])
def test_ssim_equals_the_formula_at_a_pixel(window: Window):
    rng = np.random.default_rng(3)
    a = rng.random((80, 90, 3)).astype(np.float32)
    b = (0.7 * a + 0.3 * rng.random(a.shape)).astype(np.float32)
    row, column, reach = 40, 44, window.reach
    weights = np.ones(window.size)
    if window.sigma is not None:
        weights = np.exp(-((np.arange(window.size) - reach) ** 2) / (2 * window.sigma**2))
    kernel = np.outer(weights, weights) / weights.sum() ** 2
    patch = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
    scores = []
    for channel in range(3):
        x, y = (picture[..., channel][patch].astype(np.float64) for picture in (a, b))
        mean_x, mean_y = (kernel * x).sum(), (kernel * y).sum()
        unbiased = window.size**2 / (window.size**2 - 1) if window.sigma is None else 1.0
        var_x = unbiased * (kernel * (x - mean_x) ** 2).sum()
        var_y = unbiased * (kernel * (y - mean_y) ** 2).sum()
        both = unbiased * (kernel * (x - mean_x) * (y - mean_y)).sum()
        top = (2 * mean_x * mean_y + 1e-4) * (2 * both + 9e-4)
        scores.append(top / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4)))
    assert ssim_map(a, b, window)[row, column] == pytest.approx(np.mean(scores), abs=1e-4)


def test_ssim_of_equal_pictures_is_one_and_of_a_negative_below_zero():
    rng = np.random.default_rng(5)
    a = rng.random((40, 40, 3)).astype(np.float32)
    assert ssim_map(a, a) == pytest.approx(np.ones((40, 40)), abs=1e-5)
    assert ssim_map(a, 1 - a).mean() < 0
