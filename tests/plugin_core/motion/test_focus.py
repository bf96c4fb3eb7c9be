"""How much softer one frame is than another, and that what is carried becomes as soft."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.motion.background import Background, Look
from plugin_core.motion.carry import carried
from plugin_core.motion.focus import UNCHANGED, Blur, Shown, softened, softer_by
from plugin_core.motion.trace import follow
from plugin_core.motion.view import MotionView
from plugin_core.regions.hole import Hole

from .test_flow import disc, texture

HEIGHT, WIDTH = 160, 200
HOLE = disc(HEIGHT, WIDTH, 80, 100, 30)


def pattern() -> np.ndarray:
    return np.ascontiguousarray(texture(HEIGHT, WIDTH)[:HEIGHT, :WIDTH])


def soft(picture: np.ndarray, across: float, down: float) -> np.ndarray:
    sizes = {"sigmaX": across or 1e-3, "sigmaY": down or 1e-3}
    return cv2.GaussianBlur(picture, (0, 0), **sizes) if across or down else picture


def told(here: np.ndarray, there: np.ndarray, off: float = 0.0) -> Blur:
    y, x = np.mgrid[:HEIGHT:4, :WIDTH:4].astype(np.float32)
    shown = [
        Shown.of(picture.mean(axis=2, dtype=np.float32), np.uint8(255) * HOLE) for picture in (here, there)
    ]
    return softer_by(*shown, (x, y), (x + np.float32(off), y), np.ones(x.shape, np.bool_))


@pytest.mark.parametrize("blur", [(1.0, 1.0), (2.5, 2.5), (2.0, 0.0), (0.0, 3.0)])
def test_it_is_told_how_much_softer_and_which_way(blur):
    wall = pattern()
    rng = np.random.default_rng(0)
    sharp, blurred = (
        each + rng.normal(0, 0.008, each.shape).astype(np.float32) for each in (wall, soft(wall, *blur))
    )
    found = told(blurred, sharp)
    assert found.across == pytest.approx(blur[0], rel=0.35, abs=0.2)
    assert found.down == pytest.approx(blur[1], rel=0.35, abs=0.2)
    assert told(sharp, blurred) == UNCHANGED, "sharper than its source nothing is made"


def test_noise_small_errors_of_motion_and_who_walks_past_tell_nothing():
    wall, rng = pattern(), np.random.default_rng(1)
    noisy = [(wall + rng.normal(0, 0.03, wall.shape)).astype(np.float32) for _ in range(2)]
    assert told(*noisy) == UNCHANGED
    assert told(wall, wall, off=2.0) == UNCHANGED
    passed = wall.copy()
    passed[:, 140:190] = 0.4
    assert told(passed, wall) == UNCHANGED
    assert told(soft(wall, 0.3, 0.3), wall) == UNCHANGED
    plain = np.full_like(wall, 0.5)
    assert told(plain, plain) == UNCHANGED


def test_a_picture_is_blurred_by_its_own_pixels_alone():
    picture = np.random.default_rng(2).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    counts = np.zeros_like(picture)
    counts[:, :100] = 1
    picture[:, 100:] = 40
    crop, blur = Box(0, 0, WIDTH, HEIGHT), Blur(2.0, 1.0)
    read, where = (lambda _, box, of=of: of[box.slices] for of in (picture, counts))
    box = Box(60, 40, 100, 90)
    part = softened(read, blur, crop, where)(0, box)
    assert part.shape == (50, 40, 3) and part.max() < 1.01
    whole = softened(read, blur, crop)(0, crop)
    np.testing.assert_allclose(part[:, :30], whole[box.slices][:, :30], atol=1e-5)


def test_what_is_carried_to_a_frame_out_of_focus_is_as_soft_and_no_other():
    wall = pattern()
    blurs = {0: (0.0, 0.0), 1: (0.0, 0.0), 2: (1.0, 1.0), 3: (2.0, 2.0), 4: (3.0, 3.0)}
    walls = {frame: soft(wall, *blur) for frame, blur in blurs.items()}
    looks = {
        frame: Look(np.where(HOLE[..., None], np.float32(0.2), seen), HOLE) for frame, seen in walls.items()
    }
    background = Background(looks.__getitem__, HEIGHT, WIDTH, threads=1)
    view = MotionView(Box(0, 0, WIDTH, HEIGHT), WIDTH, HEIGHT)
    hole = Hole(Box(70, 50, 131, 111), HOLE[50:111, 70:131].astype(np.float32))
    key = 2 * wall - 1
    errors, grain = [], []
    for frame in range(5):
        found = follow(background, frame, HOLE, 0)
        assert found is not None
        shown = carried(*found, hole, view, lambda _, box: np.ascontiguousarray(key[box.slices]))
        assert shown is not None
        inside = hole.alpha > 0
        errors.append(np.abs((shown.patch.picture + 1) / 2 - walls[frame][hole.box.slices])[inside].mean())
        grain.append(shown.patch.grain[inside].mean())
    background.close()
    lost = [np.abs(wall - walls[frame])[HOLE].mean() for frame in range(5)]
    assert max(errors[:2]) < 1e-3
    assert all(error < 0.35 * of for error, of in zip(errors[2:], lost[2:], strict=True))
    assert grain[0] == grain[1] == 1 and grain[2] > grain[3] > grain[4] > 0, (
        "what it lost is given back as grain"
    )
