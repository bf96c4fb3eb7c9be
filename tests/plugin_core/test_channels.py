"""Pictures and one value a pixel."""

from __future__ import annotations

import numpy as np

from plugin_core.channels import brightest, mean_size, mean_square, thrice, weighed


def test_it_is_what_numpy_gives_bit_for_bit() -> None:
    random = np.random.default_rng(5)
    picture = random.normal(0, 3, (37, 53, 3)).astype(np.float32)
    weight = random.random((37, 53)).astype(np.float32)
    assert np.array_equal(weighed(picture, weight), picture * weight[..., None])
    assert np.array_equal(brightest(picture), picture.max(axis=2))
    assert np.array_equal(mean_size(picture), np.abs(picture).mean(axis=2))
    assert np.array_equal(mean_square(picture), (picture**2).mean(axis=2))


def test_values_become_three_channels() -> None:
    some = np.arange(7) > 3
    assert thrice(some).shape == (7, 3)
    assert np.array_equal(thrice(some)[:, 1], some)
    part = np.ones((9, 8), np.float32)[2:5, 1:3]
    assert thrice(part).shape == (3, 2, 3)
