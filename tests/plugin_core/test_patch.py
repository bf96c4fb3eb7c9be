"""Pixels of several origins for one hole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plugin_core.box import Box
from plugin_core.patch import Patch, laid_over

BOX = Box(3, 5, 5, 6)


def patch(value: float, confidence: tuple[float, float], grain: float = 1) -> Patch:
    shape = BOX.height, BOX.width
    picture = np.full((*shape, 3), value, np.float32)
    return Patch(BOX, picture, np.array([confidence], np.float32), np.full(shape, grain, np.float32))


def test_one_alone_is_left_as_it_is():
    one = patch(0.5, (0.2, 1))
    assert laid_over(one, None) is one and laid_over(None, one) is one and laid_over(None, None) is None


def test_what_is_sure_hides_what_lies_behind():
    both = laid_over(patch(0.5, (1, 0)), patch(-0.5, (1, 0.25)))
    assert both is not None and both.box == BOX
    np.testing.assert_array_equal(both.confidence, [[1, 0.25]])
    np.testing.assert_array_equal(both.picture[0, :, 0], [0.5, -0.5])


def test_a_mixture_over_the_network_is_each_laid_in_after_the_other():
    front, back, network = patch(0.5, (0.5, 0.75)), patch(-0.5, (0.5, 1)), 0.1
    both = laid_over(front, back)
    assert both is not None

    def over(under: np.ndarray | float, one: Patch) -> np.ndarray:
        return under + (one.picture[..., 0] - under) * one.confidence

    np.testing.assert_allclose(over(network, both), over(over(network, back), front), atol=1e-6)
    assert {each.dtype for each in (both.picture, both.confidence, both.grain)} == {np.dtype(np.float32)}


def test_two_grains_in_one_pixel_have_less_than_either():
    both = laid_over(patch(0.5, (0.5, 1), grain=1), patch(-0.5, (1, 1), grain=1))
    assert both is not None
    np.testing.assert_allclose(both.grain, [[np.sqrt(0.5), 1]], atol=1e-6)
    nothing = laid_over(patch(0, (0, 0), grain=0), patch(0, (0, 0), grain=0))
    assert nothing is not None and not nothing.grain.any() and not nothing.confidence.any()


def test_classes_of_pixels_add_up_to_the_confidence():
    front, middle, back = (
        replace(one, origins={name: one.confidence})
        for name, one in (
            ("found", patch(0.5, (0.5, 1))),
            ("painted", patch(0, (0.5, 1))),
            ("found", patch(0, (1, 1))),
        )
    )
    both = laid_over(laid_over(front, middle), back)
    assert both is not None
    np.testing.assert_allclose(both.origins["found"], [[0.75, 1]], atol=1e-6)
    np.testing.assert_allclose(both.origins["painted"], [[0.25, 0]], atol=1e-6)
    assert both.within(Box(4, 5, 5, 6)).origins["found"].shape == (1, 1)


def test_a_part_of_a_patch():
    part = patch(0.5, (0.2, 1)).within(Box(4, 5, 5, 6))
    assert part.picture.shape == (1, 1, 3) and part.confidence == 1 and part.box == Box(4, 5, 5, 6)
