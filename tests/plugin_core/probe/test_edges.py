"""How far an object reaches beyond its matte, on pictures where that is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.probe.edges import EdgeReach, edge_reach
from plugin_core.probe.report import Report
from plugin_core.probe.text import lines_of
from plugin_core.probe.warnings import warnings_of

HEIGHT, WIDTH = 200, 240
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
FROM_MIDDLE = np.hypot(X - 120, Y - 100)
DISC = (FROM_MIDDLE <= 50).astype(np.float32)


def shown(share: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """An object of some share of each pixel over a background, both plain but for noise."""
    colors = share[..., None] * [0.7, 0.3, 0.2] + (1 - share[..., None]) * [0.3, 0.4, 0.5]
    return (colors + np.random.default_rng(1).normal(0, noise, colors.shape)).astype(np.float32)


def reach(share: np.ndarray, solid: np.ndarray = DISC, noise: float = 0.01) -> EdgeReach | None:
    return edge_reach(1007, shown(share, noise), solid > 0)


def test_a_sharp_object_ends_where_its_matte_does():
    assert reach(DISC) == EdgeReach(1007, 0, 0)


@pytest.mark.parametrize(("sigma", "pixels"), [(1, 1), (2, 2), (4, 4), (6, 6)])
def test_a_soft_edge_is_measured(sigma, pixels):
    found = reach(cv2.GaussianBlur(DISC, (0, 0), sigma))
    assert found is not None and abs(found.usual - pixels) <= 1 and abs(found.most - pixels) <= 1


def test_motion_blur_reaches_far_on_two_sides_and_not_at_all_above_and_below():
    found = reach(cv2.blur(DISC, (21, 1)))
    assert found is not None and 4 <= found.usual <= 7 and found.most >= 6


def test_a_matte_that_is_a_little_tight_is_measured_and_one_that_is_wide_is_not():
    found = reach(DISC, FROM_MIDDLE <= 46)
    assert found is not None and found.usual in (4, 5)
    assert reach(DISC, FROM_MIDDLE <= 62) is None, "the object is nowhere near"


def test_what_can_not_be_told_is_not_told():
    assert edge_reach(1, shown(DISC), np.zeros((HEIGHT, WIDTH), bool)) is None
    assert edge_reach(1, shown(DISC), np.ones((HEIGHT, WIDTH), bool)) is None
    assert edge_reach(1, np.full((HEIGHT, WIDTH, 3), 0.5, np.float32), DISC > 0) is None
    assert reach(DISC, noise=0.3) is None
    assert edge_reach(1, shown(DISC)[:9, :9], DISC[96:105, 116:125] > 0) is None


def test_grow_is_advised_where_an_outline_would_stay():
    edges = tuple(EdgeReach(frame, usual, 9) for frame, usual in ((1001, 1), (1012, 5), (1030, 6)))
    report = Report(plate="p", matte="m", grow=2, edges=edges)
    (warned,) = [one for one in warnings_of(report) if one.code == "matte_tight"]
    assert "reaches 5 pixels beyond" in warned.message and "give --grow 5" in warned.message
    assert "edge:    the object reaches 1 to 6 pixels beyond its matte, 9 in places; grow is 2" in [
        *lines_of(report)
    ]
    for enough in (Report("p", "m", grow=5, edges=edges), Report("p", "m", grow=2, edges=edges[:1])):
        assert "matte_tight" not in {one.code for one in warnings_of(enough)}
