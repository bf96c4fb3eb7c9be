"""Where a take ends is found out near a frame, the same from wherever one asks."""

import numpy as np

from plugin_core.damage.finder import LOOKS_AT, REACH
from plugin_core.restore.takes import Takes


def _thumbnail(frame: int) -> np.ndarray:
    random = np.random.default_rng(1 if frame < 20 else 2)
    return random.uniform(0, 1, (27, 48, 3)).astype(np.float32)


def test_a_cut_that_nobody_named_ends_a_take() -> None:
    takes = Takes(1, 40, (), _thumbnail)
    assert takes.of(19).stop == 20 and takes.of(20).start == 20
    assert 20 not in takes.of(15) and takes.of(15).start == 15 - LOOKS_AT - REACH
    assert takes.of(2).start == 1 and takes.of(39).stop == 41


def test_named_cuts_count() -> None:
    takes = Takes(1, 12, (5,), lambda frame: np.zeros((27, 48, 3), np.float32))
    assert takes.of(4) == range(1, 5) and takes.of(5).start == 5
