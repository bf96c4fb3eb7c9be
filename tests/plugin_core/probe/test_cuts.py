"""Suspected cuts: found between unlike pictures, and not in a pan, a flash or an object that comes close."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.probe.cuts import suspected_cuts, thumbnail


def scenery(seed: int) -> np.ndarray:
    """A wide picture in the network's range to pan over."""
    random = np.random.default_rng(seed)
    small = random.uniform(-1, 1, (9, 24, 3)).astype(np.float32)
    return cv2.resize(small, (1200, 270), interpolation=cv2.INTER_CUBIC)


def pan(seed: int, frames: int, speed: int) -> list[np.ndarray]:
    wide = scenery(seed)
    return [thumbnail(wide[:, speed * at : speed * at + 480]) for at in range(frames)]


@pytest.mark.parametrize("speed", [0, 4, 20])
@pytest.mark.parametrize("at", [1, 2, 10, 18, 19])
def test_a_cut_between_two_pans_is_found_wherever_it_is(speed: int, at: int):
    shown = pan(1, at, speed) + pan(2, 20 - at, speed)
    assert suspected_cuts(1001, shown) == [1001 + at]


def test_several_cuts_in_one_shot():
    shown = pan(1, 8, 6) + pan(2, 8, 6) + pan(3, 8, 6)
    assert suspected_cuts(1, shown) == [9, 17]


@pytest.mark.parametrize("speed", [2, 20, 36])
def test_a_pan_is_no_cut(speed: int):
    assert suspected_cuts(1, pan(1, 20, speed)) == []


def test_a_flash_is_no_cut():
    shown = pan(1, 20, 4)
    shown[10] = np.minimum(shown[10] + 0.5, 1)
    assert suspected_cuts(1, shown) == []


def test_a_slow_change_of_exposure_and_noise_are_no_cut():
    random = np.random.default_rng(0)
    shown = [
        np.clip(frame * (1 - 0.02 * at) + random.normal(0, 0.01, frame.shape), 0, 1).astype(np.float32)
        for at, frame in enumerate(pan(1, 20, 4))
    ]
    assert suspected_cuts(1, shown) == []


def test_pictures_beyond_the_range_and_not_finite_are_taken():
    picture = scenery(1)[:, :480] * 40
    picture[0, 0] = np.nan
    small = thumbnail(picture)
    assert small.shape == (27, 48, 3) and small.min() >= 0 and small.max() <= 1
