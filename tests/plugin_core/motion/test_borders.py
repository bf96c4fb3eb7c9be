"""What the borders of the frames about one tell together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.motion import borders
from plugin_core.motion.borders import Borders
from plugin_core.motion.strangers import Border

SIZE = 12, 16
BOX = Box(4, 3, 9, 8)


@pytest.fixture
def looked(monkeypatch) -> dict[int, list[range]]:
    """By frame, how often and within which frames its border was looked at; it tells its number / 10."""
    calls: dict[int, list[range]] = {}

    def told(background, frame, hole, frames, watch):
        calls.setdefault(frame, []).append(frames)
        if frame == 4:
            return None
        share = np.full((BOX.height, BOX.width), frame / 10, np.float32)
        return Border(BOX, share, np.zeros(share.shape, np.bool_))

    monkeypatch.setattr(borders, "border_of", told)
    return calls


def opened(reach: int) -> Borders:
    background = SimpleNamespace(height=SIZE[0], width=SIZE[1], hole=lambda frame: np.ones(SIZE, np.bool_))
    return Borders(background, lambda frame: range(max(0, frame - reach), min(10, frame + reach) + 1))


def test_a_border_is_the_mean_of_those_about_it_each_looked_at_once(looked):
    known = opened(6)
    shares = {frame: known.hides_background(frame, lambda: None) for frame in (8, 3, 0, 8, 9)}
    found = {frame: share[BOX.slices] for frame, share in shares.items() if share is not None}
    for frame, about in {8: (6, 7, 8, 9, 10), 3: (1, 2, 3, 5), 0: (0, 1, 2)}.items():
        np.testing.assert_allclose(found[frame], np.mean(about) / 10, atol=1e-6)
    assert all(len(calls) == 1 for calls in looked.values())
    assert known.hides_background(4, lambda: None) is None, "its own does not tell"


@pytest.mark.parametrize("reach", [1, 2, 6])
def test_nothing_is_looked_at_that_may_not_be_for_the_frame(looked, reach):
    whole, seen = opened(reach), range(3 - reach, 3 + reach + 1)
    whole.hides_background(3, lambda: None)
    assert all(set(frames) <= set(seen) for calls in looked.values() for frames in calls)
    assert looked, "its own at least"
