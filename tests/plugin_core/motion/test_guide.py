"""Flows and weights for a network's sources: what they are made of."""

from __future__ import annotations

import cv2
import numpy as np

from plugin_core.motion.guide import Beside, Cells, cell_centers, guide_of
from plugin_core.motion.ways import Ways, legs

from .test_flow import disc, texture

SCALES = (4, 8, 16)
HEIGHT, WIDTH = 64, 96


def seen(at: int, hole: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    world = cv2.GaussianBlur(texture(HEIGHT, WIDTH + 80), (0, 0), 2.0)[:HEIGHT, 40 + at : 40 + at + WIDTH]
    mask = np.zeros((HEIGHT, WIDTH), bool) if hole is None else disc(HEIGHT, WIDTH, *hole, 10)
    picture = np.where(mask[..., None], 1, 2 * world - 1)
    return picture.astype(np.float32).transpose(2, 0, 1).copy(), mask[None].astype(np.float32)


def beside(
    at: int, hole: tuple[int, int] | None = None, *, off: float = 0, apart: float = 0, share: float = 1
):
    x, y = cell_centers(HEIGHT, WIDTH, SCALES[0])
    there = x - at + off
    lost = (there < 0) | (there > WIDTH - 1)
    cells = Cells.of(*seen(at, hole), SCALES)
    return Beside(cells, Ways(there, y, np.full_like(x, apart), lost), share)


TARGET = Cells.of(*seen(0, (32, 48)), SCALES)
HOLE = TARGET.known[0] == 0
"""Cells of four pixels that are nothing but hole."""


def weights(*sources: Beside) -> np.ndarray:
    return guide_of(TARGET, sources, SCALES)[0][:, 2][:, HOLE].mean(axis=1)


def test_flows_are_in_cells_of_every_level():
    for given, scale in zip(guide_of(TARGET, [beside(8)], SCALES), SCALES, strict=True):
        assert given.shape == (1, 3, HEIGHT // scale, WIDTH // scale)
        np.testing.assert_allclose(given[0, 0], -8 / scale, atol=1e-4)
        np.testing.assert_allclose(given[0, 1], 0, atol=1e-4)


def test_weights_are_shared_among_those_that_show_a_cell():
    np.testing.assert_allclose(weights(beside(8), beside(-8, share=3)), [0.25, 0.75], atol=0.03)
    hidden = beside(-8, (32, 56))
    assert weights(hidden, beside(8))[1] > 0.95


def test_who_does_not_fit_or_whose_leads_part_is_not_trusted():
    fits, off = weights(beside(-8), beside(8, off=9))
    assert off < 0.15 < 0.85 < fits
    fits, parted = weights(beside(-8), beside(8, apart=12))
    assert parted < 0.01 < 0.9 < fits
    assert weights(beside(8, apart=12))[0] < 0.01, "nor is one that stands alone"


def test_what_has_left_the_picture_has_no_weight_in_the_hole():
    gone = guide_of(TARGET, [beside(60)], SCALES)[0][0, 2]
    assert not gone[HOLE].any()
    assert guide_of(TARGET, [beside(40)], SCALES)[0][0, 2, 2, 20] > 0.8


def test_a_source_stands_in_where_none_shows_the_plate():
    for source in (beside(40), beside(8, off=9), Beside(TARGET, None, 1.0)):
        weight = guide_of(TARGET, [beside(40, share=0.5), source], SCALES)[0][:, 2].sum(axis=0)
        np.testing.assert_allclose(weight[TARGET.known[0] == 1], 1, atol=0.06)
    flows = guide_of(TARGET, [Beside(TARGET, None, 1.0)] * 4, SCALES)[0]
    assert not flows[:, :2].any()
    np.testing.assert_allclose(flows[:, 2, 0], 0.25)
    assert not flows[:, 2, HOLE].any(), "it shows nothing of its own hole"


def test_strides_over_four_are_taken_where_they_were_measured():
    assert list(legs(6, 12)) == [(6, 7), (7, 8), (8, 12)]
    assert list(legs(9, 3)) == [(9, 8), (8, 4), (4, 3)]
    assert list(legs(5, 5)) == []
