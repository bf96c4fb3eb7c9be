"""A shadow matte: the plate's own texture, lit as the fill is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.color.color_map import ColorMap
from plugin_core.compose.relight import relit
from plugin_core.images import read_plate
from plugin_core.regions.hole import Hole

from ..shots import write_plate

LINEAR = ColorMap("linear")
BOX = Box(16, 16, 112, 80)


@pytest.fixture
def wall() -> np.ndarray:
    """Linear light of a textured wall, brighter to the right."""
    noise = np.random.default_rng(2).random((96, 128, 3), np.float32)
    return (0.2 + 0.4 * noise) * np.linspace(0.7, 1.3, 128, dtype=np.float32)[None, :, None]


def lit(
    tmp_path: Path, wall: np.ndarray, light: np.ndarray, fill: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The wall in a light (96, 128), with the shadow taken off by a fill; and how much of it is its own."""
    path = tmp_path / "plate.exr"
    write_plate(path, np.dstack([wall * light[..., None], light]))
    shape = BOX.height, BOX.width
    hole = Hole(BOX, np.ones(shape, np.float32), np.ones(shape, np.float32))
    picture, kept = relit(LINEAR.to_network(fill[BOX.slices]), read_plate(path), hole, LINEAR)
    return LINEAR.from_network(picture), kept


@pytest.mark.parametrize("soft", [0.0, 6.0])
def test_a_shadow_goes_and_the_texture_stays(tmp_path, wall, soft):
    light = np.ones((96, 128), np.float32)
    cv2.ellipse(light, (64, 48), (30, 18), 0, 0, 360, 0.4, -1)
    light = cv2.GaussianBlur(light, (0, 0), soft) if soft else light
    other = np.random.default_rng(3).random((96, 128, 3), np.float32)
    guess = (0.2 + 0.4 * other) * np.linspace(0.7, 1.3, 128, dtype=np.float32)[None, :, None]
    clean, kept = lit(tmp_path, wall, light, guess)
    inner = np.s_[12:-12, 12:-12]
    assert kept[inner].mean() > 0.9
    truth = wall[BOX.slices][inner]
    wrong, guessed = (np.abs(each - truth).mean() for each in (clean[inner], guess[BOX.slices][inner]))
    assert wrong < 0.3 * guessed
    high = [each - cv2.GaussianBlur(each, (0, 0), 2) for each in (clean[inner], truth)]
    assert np.corrcoef(high[0].ravel(), high[1].ravel())[0, 1] > 0.9


def test_what_is_not_merely_darker_is_the_fill(tmp_path, wall):
    """A reflection is brighter, a thing has another color, and black holds nothing."""
    for plate in (wall * 1.6, wall * (1, 0.2, 0.2), wall * 0.01):
        clean, kept = lit(tmp_path, plate.astype(np.float32), np.ones((96, 128), np.float32), wall)
        inner = np.s_[12:-12, 12:-12]
        assert kept[inner].max() < 0.05
        np.testing.assert_allclose(clean[inner], wall[BOX.slices][inner], rtol=0.05, atol=0.01)
