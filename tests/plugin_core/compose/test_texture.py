"""Paint's texture over what is flat: finer than the network draws, and nothing of its colors."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.compose.texture import fine_texture, grain_of, textured
from plugin_core.patch import Patch, laid_over

ROWS = 240


def paint_of(picture: np.ndarray) -> Patch:
    ones = np.ones(picture.shape[:2], np.float32)
    return Patch(Box(0, 0, *picture.shape[1::-1]), picture.astype(np.float32), ones, ones)


def texture_of(paint: Patch) -> np.ndarray:
    texture = fine_texture(paint, None, None, paint.confidence, ROWS)
    assert texture is not None
    return texture


@pytest.fixture
def wall() -> Patch:
    """Coarse boards with a fine grain."""
    rng = np.random.default_rng(1)
    coarse = cv2.resize(rng.uniform(-0.5, 0.5, (6, 6, 3)), (60, 60), interpolation=cv2.INTER_CUBIC)
    return paint_of(coarse + rng.normal(0, 0.1, (60, 60, 3)))


def test_it_stands_where_nothing_sharp_does_and_brings_no_color_along(wall):
    texture = texture_of(wall)
    assert np.abs(cv2.blur(texture, (15, 15))).max() < 0.03 < 0.06 < texture.std()
    left = np.zeros((60, 60), np.float32)
    left[:, 30:] = 1
    given = replace(wall, confidence=left, texture=texture)
    grey = np.zeros((60, 60, 3), np.float32)
    shown = textured(grey + (wall.picture - grey) * left[..., None], given)
    np.testing.assert_array_equal(shown[:, 30:], wall.picture[:, 30:])
    np.testing.assert_array_equal(shown[:, :30], texture[:, :30])
    assert grain_of(given).min() == 1
    part = textured(grey[:20, :20], given.within(Box(5, 0, 25, 20)))
    np.testing.assert_array_equal(part, texture[:20, 5:25])


def test_what_is_softened_gets_it_too_and_a_patch_in_front_keeps_it(wall):
    texture = texture_of(wall)
    half = np.full((60, 60), 0.5, np.float32)
    flat = replace(paint_of(np.zeros((60, 60, 3))), soft=half)
    both = laid_over(flat, replace(wall, confidence=0 * half, texture=texture))
    assert both is not None
    np.testing.assert_allclose(textured(both.picture, both), texture / 2, atol=1e-6)


def test_lights_and_what_no_paint_reaches_have_none(wall):
    picture = wall.picture.copy()
    picture[20:30, 20:30] = 40
    reached = np.ones((60, 60), np.float32)
    reached[:, 50:] = 0
    texture = texture_of(replace(wall, picture=picture, confidence=reached))
    assert not texture[20:30, 20:30].any() and not texture[:, 50:].any()
    assert np.abs(texture).max() <= 1


def test_where_most_of_a_hole_is_found_only_texture_of_the_same_is_laid(wall):
    ones = wall.confidence
    share, other = np.ones((60, 60), np.float32), np.zeros((60, 60), np.float32)
    much, little = (replace(wall, confidence=part * share) for part in (np.float32(0.9), np.float32(0.3)))
    assert fine_texture(wall, much, other, ones, ROWS) is None
    for found, same in ((much, share), (little, other)):
        np.testing.assert_array_equal(fine_texture(wall, found, same, ones, ROWS), texture_of(wall))
    assert fine_texture(wall, wall, share, ones, ROWS) is None
