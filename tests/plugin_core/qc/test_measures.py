"""What QC measures, on fills whose faults are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.qc.between import Between
from plugin_core.qc.detail import detail
from plugin_core.qc.flicker import Flicker, flicker
from plugin_core.qc.frame import Neighbors, middle_frame
from plugin_core.qc.outline import outline
from plugin_core.qc.report import change_ratio
from plugin_core.qc.seam import seam
from plugin_core.qc.sharpness import sharpness
from plugin_core.qc.surroundings import RING_PX, Places, surroundings
from plugin_core.qc.swim import swim

SIZE = 160


def wall(seed: int = 1) -> np.ndarray:
    """Smooth texture with grain, 0..1."""
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((SIZE, SIZE, 3)).astype(np.float32), (0, 0), 4.0)
    smooth = 0.3 + 0.4 * (smooth - smooth.min()) / np.ptp(smooth)
    return (smooth + rng.normal(0, 0.02, smooth.shape)).astype(np.float32)


def square() -> np.ndarray:
    hole = np.zeros((SIZE, SIZE), np.bool_)
    hole[55:105, 55:105] = True
    return hole


def places() -> Places:
    return Places(square())


def between(this: np.ndarray, following: np.ndarray) -> Between:
    return Between.of(this, following, square(), square())


def changed(this: np.ndarray, following: np.ndarray) -> Flicker:
    return flicker(between(this, following), places())


def filled(fill: np.ndarray, around: np.ndarray | None = None) -> np.ndarray:
    """The wall, its hole filled from another picture."""
    under = wall() if around is None else around
    return np.where(square()[..., None], fill, under).astype(np.float32)


def test_a_picture_held_against_itself_has_no_seam():
    assert seam(wall(), places()) == pytest.approx(1, abs=0.35)


def test_an_offset_inside_the_hole_is_a_seam_that_grows_with_it():
    hole = square()
    small, large = (seam(wall() + offset * hole[..., None], places()) for offset in (0.1, 0.3))
    assert 1.8 < small < large


def test_an_offset_of_one_code_on_a_flat_wall_passes_and_of_ten_does_not():
    flat, hole = np.full((SIZE, SIZE, 3), 0.5, np.float32), square()
    assert seam(flat + hole[..., None] / np.float32(255), places()) < 2.5
    assert seam(flat + hole[..., None] * np.float32(10 / 255), places()) > 5


def test_a_hole_that_fills_the_picture_has_no_seam_to_measure():
    assert np.isnan(seam(wall(), Places(np.ones((SIZE, SIZE), np.bool_))))


def test_a_blurred_fill_is_softer_and_a_grainless_one_smoother():
    hole = square()
    same = sharpness(wall(), places())
    assert (same.sharpness, same.noise) == (pytest.approx(1, abs=0.15), pytest.approx(1, abs=0.15))
    blurred = np.where(hole[..., None], cv2.GaussianBlur(wall(), (0, 0), 4.0), wall())
    soft = sharpness(blurred, places())
    assert soft.sharpness < 0.3 and soft.noise < 0.3
    loud = wall() + np.where(hole[..., None], wall(2) - cv2.GaussianBlur(wall(2), (0, 0), 2), 0) * 2
    assert sharpness(loud.astype(np.float32), places()).noise > 1.5


def test_a_wire_is_too_thin_for_its_detail_to_be_told():
    hole = np.zeros((SIZE, SIZE), np.bool_)
    hole[80:83] = True
    assert np.isnan(sharpness(wall(), Places(hole)).sharpness) and np.isnan(detail(wall(), Places(hole)))
    assert np.isfinite(seam(wall(), Places(hole)))


def test_a_steady_fill_changes_as_its_surroundings_and_a_flickering_one_does_not():
    hole = square()
    steady = changed(wall(), wall())
    assert change_ratio(steady.fill, steady.around) == pytest.approx(1, abs=0.05)
    brighter = np.clip(wall() + 0.08 * hole[..., None], 0, 1).astype(np.float32)
    loud = changed(wall(), brighter)
    assert np.sqrt(loud.fill) == pytest.approx(0.08, abs=0.03)
    assert change_ratio(loud.fill, loud.around) > 4


def test_surroundings_hold_every_hole_and_stay_inside_the_picture():
    hole, other = np.zeros((300, 400), np.bool_), np.zeros((300, 400), np.bool_)
    hole[100:110, 150:160] = True
    other[5, 390] = True
    assert surroundings([hole], 400, 300) == Box(150 - RING_PX, 100 - RING_PX, 160 + RING_PX, 110 + RING_PX)
    assert surroundings([hole, other], 400, 300) == Box(150 - RING_PX, 0, 400, 110 + RING_PX)
    assert surroundings([np.zeros((300, 400), np.bool_)], 400, 300) is None


def test_detail_is_held_against_the_softest_around():
    assert detail(wall(), places()) == pytest.approx(1.2, abs=0.2)
    cloud = cv2.GaussianBlur(wall(), (0, 0), 4.0)
    assert detail(filled(cloud), places()) < 0.3
    beside = wall()
    beside[:, :60] = cloud[:, :60]  # a third of what is around is as soft: the fill may be, too
    assert detail(filled(cloud, beside), places()) == pytest.approx(1, abs=0.3)


def test_a_line_around_the_hole_is_an_outline_and_one_across_it_is_none():
    assert outline(wall(), square()) < 1.5
    rim = cv2.morphologyEx(square().astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    assert outline(wall() - 0.25 * rim[..., None].astype(np.float32), square()) > 3
    crossed = wall()
    crossed[78:82] -= 0.25
    assert outline(crossed, square()) < 1.5
    # Left over a few pixels outside a matte that is too tight.
    tight = cv2.erode(square().astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert outline(wall() - 0.25 * rim[..., None].astype(np.float32), tight) > 3


def test_the_pictures_own_edge_is_no_outline():
    hole = np.zeros((SIZE, SIZE), np.bool_)
    hole[100:, 40:120] = True
    assert outline(wall(), hole) < 1.5
    assert np.isnan(outline(wall(), np.ones((SIZE, SIZE), np.bool_)))


def alone(*frames: np.ndarray) -> float:
    box = Box(0, 0, SIZE, SIZE)
    pairs = [Neighbors(box, between(*pair)) for pair in (frames[:2], frames[1:])]
    return middle_frame(*pairs)["intruder"]


def test_what_is_there_for_one_frame_is_an_intruder_and_what_comes_or_moves_is_none():
    board = wall()
    board[70:90, 60:100] = (0.9, 0.2, 0.1)
    assert alone(wall(), wall(), wall()) < 0.03
    assert alone(wall(), board, wall()) > 0.3
    assert alone(wall(), board, board) < 0.05  # it stays
    moved = [np.roll(board, 3 * t, axis=1) for t in range(3)]
    assert alone(*moved) < 0.1  # it passes


def test_texture_that_is_new_on_every_frame_swims_and_texture_that_pans_along_does_not():
    panned = np.roll(wall(), 3, axis=1)
    along = swim(between(wall(), panned), places())
    assert along.fill - along.around == pytest.approx(0, abs=0.1)
    boiling = swim(between(wall(), filled(wall(7), panned)), places())
    assert boiling.fill - boiling.around > 0.4
    flat = np.full_like(wall(), 0.5)
    assert swim(between(filled(flat), filled(flat, panned)), places()).fill < 0.1
