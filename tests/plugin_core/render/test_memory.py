"""What a render keeps of each frame: next to nothing, or memory would grow with the shot."""

from __future__ import annotations

import ctypes
import gc
import sys

import numpy as np
import psutil
import pytest

from plugin_core.job.settings import Run
from plugin_core.memory import give_back
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.render import render

from ..shots import QUICK, make_shot
from ..toy_network import ToyNetwork

SETTLED, LATER, LAST = range(25, 33), range(49, 57), 62
"""Frames at which what is held is counted: queues and caches are full, and a shot's end has no part in it.
Of each eight the least counts, since the one that reads may be ahead by a frame more or less."""

KEPT = 3000
"""Bytes a frame in blocks of more than 512: Python's own objects are not among them. The smallest kind of
picture, a byte for each pixel of these 96x64, is twice as much."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_nothing_large_is_kept_of_a_frame(tmp_path):
    few = make_shot(tmp_path / "few", 1, 8)
    shot = make_shot(tmp_path, 1, 0)
    for kind, file in (("plate", shot.plate), ("matte", shot.matte)):
        (tmp_path / kind).mkdir()
        for frame in range(1, LAST + 1):
            file(frame).symlink_to(getattr(few, kind)(1 + frame % 8))
    settings = QUICK.model_copy(update={"propagate": 2, "paint": "auto"})
    held = {}
    for done in render(shot.shot(), settings, Run(), ToyNetwork(), Reporters([]), Stop()):
        if done.frame in (SETTLED[0], LATER[0]):
            gc.collect()
        held[done.frame] = _in_use()
    before, after = (min(held[frame] for frame in frames) for frames in (SETTLED, LATER))
    assert (after - before) / (LATER[0] - SETTLED[0]) < KEPT


class _Counts(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _in_use() -> int:
    """Return the bytes of all blocks that are in use."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        pytest.skip("glibc before 2.33")
    library.mallinfo2.restype = _Counts
    counts = library.mallinfo2()
    return int(counts.uordblks + counts.hblkhd)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_what_lies_freed_between_what_is_kept_is_given_back():
    # Small enough to come from the heap; every other one stays, so that the heap can't shrink.
    blocks = [np.ones(100_000, np.uint8) for _ in range(600)]
    kept = blocks[::2]
    del blocks
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > 20e6
    assert all(block[0] == 1 for block in kept)
