"""Where a hole's pixels came from: counted in pixels, told in a clause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.patch import Patch, laid_over
from plugin_core.regions.hole import Hole
from plugin_core.state.origins import counted, in_words, shares, total

FOUND, GUESSED = {"found": 90, "guessed": 10}, {"guessed": 100}


def test_pixels_of_the_hole_are_counted_and_no_others():
    alpha = np.ones((4, 5), np.float32)
    alpha[0] = 0
    alpha[1] = 0.5  # feathered: changed all the same
    hole, one = Hole(Box(2, 2, 7, 6), alpha), np.ones((4, 5), np.float32)
    assert counted(hole, None) == {"guessed": 15}
    patch = Patch(
        hole.box, np.zeros((4, 5, 3), np.float32), one, one, origins={"found": one * 0.6, "painted": one * 0}
    )
    assert counted(hole, patch) == {"found": 9, "guessed": 6}
    entered = replace(patch, entered=one * 0.2)
    assert counted(hole, entered) == {"found": 9, "entered": 3, "guessed": 3}
    assert counted(hole, entered, "left") == {"found": 9, "left": 6}
    assert counted(hole, replace(patch, entered=one * 0.01)) == {"found": 9, "guessed": 6}
    real = replace(patch, confidence=one * 0.6)
    behind = laid_over(real, replace(patch, confidence=one * 0, entered=one))
    assert behind.entered == pytest.approx(0.4 * one), "real pixels stand before what enters"


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({}, ""),
        ({1: {}}, ""),
        ({1: FOUND, 2: FOUND}, "90 % found in other frames, 10 % guessed by the network"),
        ({1: GUESSED, 2: GUESSED}, "100 % guessed by the network"),
        (
            {1: FOUND, 2: GUESSED, 3: {}},
            "45 % found in other frames, 55 % guessed by the network (more than half on frame 2)",
        ),
        (
            {1: FOUND, 2: {"found": 40, "guessed": 20, "entered": 40}, 3: {"entered": 60, "guessed": 40}},
            "43 % found in other frames, 33 % left to the network where something enters the hole "
            "(frames 2-3), 23 % guessed by the network (more than half on frames 2-3)",
        ),
        ({1: {"sung": 50, "guessed": 50}}, "50 % sung, 50 % guessed by the network"),
    ],
)
def test_in_words(frames, words):
    assert in_words(frames) == words


def test_a_shot_is_the_sum_of_its_frames():
    assert shares(total([FOUND, GUESSED, {}])) == {"found": 0.45, "guessed": 0.55}
    assert shares(total([{}])) == {}
