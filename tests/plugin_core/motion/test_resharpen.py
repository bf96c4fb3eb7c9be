"""What is lost between pixels is given back, and no more."""

from __future__ import annotations

import cv2
import numpy as np

from plugin_core.motion.resharpen import CELL_PX, FineContrast, cell_middles, resharpened


def grain(height: int = 64, width: int = 80) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, (height, width, 3)).astype(np.float32)


def detail(picture: np.ndarray) -> float:
    return float(np.abs(cv2.Laplacian(picture, cv2.CV_32F))[8:-8, 8:-8].mean())


def wanted(picture: np.ndarray) -> np.ndarray:
    return FineContrast.of(picture).at(*cell_middles(*picture.shape[1::-1]))


def test_a_picture_moved_by_half_a_pixel_is_as_sharp_as_before():
    source = cv2.GaussianBlur(grain(), (0, 0), 0.6)
    half = np.float32([[1, 0, 0.5], [0, 1, 0.5]])
    moved = cv2.warpAffine(source, half, (80, 64), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    again = resharpened(moved, np.ones((64, 80), np.bool_), wanted(source))
    own, before = (FineContrast.of(each).cells.mean() for each in (again, moved))
    assert before < 0.85 * FineContrast.of(source).cells.mean() and detail(again) > 1.15 * detail(moved)
    assert 0.9 < own / FineContrast.of(source).cells.mean() < 1.05


def test_it_never_gets_sharper_than_its_source_nor_rings_nor_spreads():
    source = grain()
    there = np.zeros((64, 80), np.bool_)
    there[8:40, 8:60] = True
    np.testing.assert_allclose(resharpened(source, there, wanted(source)), source, atol=0.02)
    lamp = np.zeros((64, 80, 3), np.float32)
    lamp[20:26, 20:26] = 40
    soft = cv2.GaussianBlur(lamp, (0, 0), 1)
    raised = resharpened(soft, there, wanted(lamp))
    assert np.abs(raised - soft).max() < 0.1001 and raised.min() > -0.1001
    np.testing.assert_array_equal(raised[~there], soft[~there])


def test_contrast_is_told_place_by_place():
    picture = grain()
    picture[:, :40] = 0
    found = FineContrast.of(picture)
    assert found.cells.shape == (64 // CELL_PX, 80 // CELL_PX)
    x, y = np.float32([[8, 70]]), np.float32([[30, 30]])
    flat, rough = found.at(x, y)[0]
    assert flat < 0.005 < 0.05 < rough
