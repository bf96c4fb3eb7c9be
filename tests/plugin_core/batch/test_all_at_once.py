"""All that changes pixels at once: crops that follow islands, real pixels, joined soft mattes, grain.

However such a render is stopped, cut up or sought into, its pixels are those of one go.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from plugin_core.job.settings import Settings
from plugin_core.render.plan import make_plan
from plugin_core.render.sources import open_sources

from ..render.test_resume import Killed, KilledNetwork
from ..shots import ShotOnDisk, differing, picture, run_toy, same_files, write_matte, write_plate
from ..toy_network import ToyNetwork
from .test_chunks import chunk

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
SIZE = (320, 72)
LAST = 18
ALL = Settings(
    working_size=64,
    context=12,
    propagate=3,
    matte_union=1,
    feather=2,
    matte_soft=True,
    grow=1,
    grain="auto",
)


def matte(frame: int) -> np.ndarray:
    """One block runs to the right, ever faster; another comes later, far from it, and goes earlier."""
    drawn = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    blocks = [(10 + frame * frame // 3, 20)]
    if 4 <= frame <= 13:
        blocks.append((270 + 2 * frame, 44))
    for x, y in blocks:
        drawn[y : y + 18, x : x + 20] = 150 + 5 * frame  # soft
    return drawn


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    """Waves with noise on them, so that there is grain to measure."""
    made = ShotOnDisk(tmp_path_factory.mktemp("all"), 1, LAST)
    random = np.random.default_rng(1)
    for frame in range(1, LAST + 1):
        noise = random.normal(0, 0.01, (SIZE[1], SIZE[0], 4)).astype(np.float32)
        write_plate(made.plate(frame), picture(frame, SIZE) + noise)
        write_matte(made.matte(frame), matte(frame))
    run_toy(made.shot("whole"), ALL)
    return made


def test_crops_follow_two_islands(shot):
    """Guards the tests below."""
    lanes = make_plan(open_sources(shot.shot()), shot.shot(), ALL, ToyNetwork()).lanes
    assert len(lanes) == 2
    assert max(len(lane.path.moves) for lane in lanes) >= 2


def test_each_of_them_has_a_part_in_the_pixels(shot):
    """Guards the tests below."""
    for name, value in {"propagate": 0, "matte_union": 0, "matte_soft": False, "grain": "off"}.items():
        less = ALL.model_copy(update={name: value})
        run_toy(shot.shot("less", "1-5"), less, overwrite=True)
        assert differing(shot, "less", "whole", range(1, 6)), name


@pytest.mark.parametrize("after", [5, 15])
def test_killed_and_resumed(shot, after):
    shutil.rmtree(shot.folder / "out", ignore_errors=True)
    with pytest.raises(Killed):
        run_toy(shot.shot(), ALL, network=KilledNetwork(after), checkpoint_every=5)
    run_toy(shot.shot(), ALL, resume=True)
    same_files(shot, "out", "whole")


def test_in_chunks(shot):
    first = 1
    for last in (4, 5, 10, 14, LAST):
        chunk(shot, first, last, "parts", settings=ALL)
        first = last + 1
    same_files(shot, "parts", "whole")


def test_sought_into(shot):
    run_toy(shot.shot("sought"), ALL, checkpoint_every=3, overwrite=True)
    for frame in (16, 9):
        shot.written(frame, "sought").unlink()
        run_toy(shot.shot("sought"), ALL, resume=True, checkpoint_every=3)
    same_files(shot, "sought", "whole")
