"""What a render keeps of each frame: next to nothing, or memory would grow with the shot."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from functools import cache

import numpy as np
import psutil
import pytest

from plugin_core.job.settings import Run
from plugin_core.memory import give_back
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.render import render

from ..shots import QUICK, ShotOnDisk, make_shot
from ..toy_network import ToyNetwork

COUNTED, LAST = (20, 32, 44), 60
"""Frames after which what is held is counted: queues and caches are full, a shot's end has no part in it."""

KEPT = 3000
"""Bytes a frame in blocks of more than 512: Python's own objects are not among them. The smallest kind of
picture, a byte for each pixel of these 96x64, is twice as much."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_nothing_large_is_kept_of_a_frame(tmp_path):
    few = make_shot(tmp_path / "few", 1, 8)
    shot = ShotOnDisk(tmp_path, 1, LAST)
    for kind, file in (("plate", shot.plate), ("matte", shot.matte)):
        (tmp_path / kind).mkdir()
        for frame in range(1, LAST + 1):
            file(frame).symlink_to(getattr(few, kind)(1 + frame % 8))
    settings = QUICK.model_copy(update={"propagate": 2, "paint": "auto"})
    held = {}
    for done in render(shot.shot(), settings, Run(), ToyNetwork(), Reporters([]), Stop()):
        if done.frame in COUNTED:
            held[done.frame] = _in_use_at_rest()
    before, between, after = held.values()
    # What is kept of every frame shows in both spans; a thread's first use of a buffer in one.
    assert min(between - before, after - between) / 12 < KEPT, held


def _in_use_at_rest() -> int:
    """Return the bytes in use once whoever reads ahead has read as far as it may: no more changes."""
    gc.collect()
    counts = [_in_use()]
    while len(counts) < 10 or max(counts[-10:]) - min(counts[-10:]) > 2000:  # this list itself grows
        time.sleep(0.03)
        counts.append(_in_use())
    return counts[-1]


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
    counts = _library().mallinfo2()
    return int(counts.uordblks + counts.hblkhd)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        pytest.skip("glibc before 2.33")
    library.mallinfo2.restype = _Counts
    return library


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
