"""A shot's mattes: inverted, joined over time, and what a change of one of them makes necessary."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.clips import clip
from plugin_core.images import read_header
from plugin_core.job.settings import Settings
from plugin_core.regions.shot_mattes import ShotMattes

from ..batch.test_chunks import chunk
from ..render.test_resume import Killed, KilledNetwork
from ..shots import (
    HEIGHT,
    QUICK,
    WIDTH,
    ShotOnDisk,
    differing,
    hole,
    make_shot,
    read,
    run_toy,
    same_files,
    write_matte,
)
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 22
JOINED = QUICK.model_copy(update={"matte_union": 2})


def mattes(shot: ShotOnDisk, cuts: tuple[int, ...] = (), **settings: object) -> ShotMattes:
    header = read_header(shot.plate(shot.first))
    numbered = clip.open_clip(shot.matte_pattern)
    return ShotMattes(
        numbered,
        header,
        Settings(**{"grow": 0, "feather": 0, **settings}),
        lower=shot.first,
        upper=shot.last,
        cuts=cuts,
    )


def filled(of: ShotMattes, frame: int) -> np.ndarray:
    """Weights of a frame's hole over the plate."""
    weights = np.zeros((HEIGHT, WIDTH), np.float32)
    found = of.hole(frame)
    if found is not None:
        weights[found.box.slices] = found.alpha
    return weights


def largest(*frames: int) -> np.ndarray:
    return np.max([hole(frame) for frame in frames], axis=0) / np.float32(255)


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    return make_shot(tmp_path_factory.mktemp("shot"), 1, LAST)


@pytest.fixture
def own(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, LAST)


def test_a_hole_joins_the_mattes_around_it_and_stops_at_the_ends(shot):
    of = mattes(shot, matte_union=2)
    np.testing.assert_array_equal(filled(of, 10), largest(8, 9, 10, 11, 12))
    np.testing.assert_array_equal(filled(of, 1), largest(1, 2, 3))
    np.testing.assert_array_equal(filled(of, LAST), largest(LAST - 2, LAST - 1, LAST))


def test_nothing_is_joined_across_a_cut(shot):
    of = mattes(shot, cuts=(8,), matte_union=3)
    assert (list(of.joined(7)), list(of.joined(8))) == ([4, 5, 6, 7], [8, 9, 10, 11])
    np.testing.assert_array_equal(filled(of, 8), largest(8, 9, 10, 11))


def test_the_order_in_which_frames_are_asked_for_does_not_show(shot):
    of = mattes(shot, matte_union=3)
    forward = {frame: filled(of, frame) for frame in range(1, LAST + 1)}
    for frame in (9, 3, 15, 12, 6, 3):
        np.testing.assert_array_equal(filled(of, frame), forward[frame])


def test_frames_in_order_are_read_once(shot, monkeypatch):
    of = mattes(shot, matte_union=3)
    count = []
    read_one = clip.read_matte
    monkeypatch.setattr(clip, "read_matte", lambda *given: count.append(given) or read_one(*given))
    for frame in range(1, LAST + 1):
        of.hole(frame)
    assert len(count) == LAST


def test_soft_values_join_by_the_largest(tmp_path):
    shot = make_shot(tmp_path, 1, 3, empty=(1, 2, 3))
    for frame, value in ((1, 60), (2, 200), (3, 120)):
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        matte[10 * frame : 10 * frame + 15, 20:40] = value
        write_matte(shot.matte(frame), matte)
    expected = np.max([read(shot.matte(frame))[..., 0] for frame in (1, 2, 3)], axis=0) / np.float32(255)
    found = filled(mattes(shot, matte_union=1, matte_soft=True), 2)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_inverted_matte_gives_the_pixels_of_the_matte_itself(own):
    run_toy(own.shot("as_is"))
    for frame in range(1, LAST + 1):
        write_matte(own.matte(frame), 255 - hole(frame))
    run_toy(own.shot("inverted"), QUICK.model_copy(update={"matte_invert": True}))
    same_files(own, "as_is", "inverted")


def test_joined_on_disk_or_by_the_setting_is_the_same(own, tmp_path):
    run_toy(own.shot("setting"), JOINED)
    for frame in range(1, LAST + 1):
        around = range(max(1, frame - 2), min(LAST, frame + 2) + 1)
        write_matte(own.matte(frame), np.max([hole(each) for each in around], axis=0))
    run_toy(own.shot("disk"))
    same_files(own, "setting", "disk")


def test_resumed_and_in_chunks_joined_mattes_give_the_pixels_of_one_go(own):
    run_toy(own.shot("whole"), JOINED)
    with pytest.raises(Killed):
        run_toy(own.shot(), JOINED, network=KilledNetwork(9))
    run_toy(own.shot(), JOINED, resume=True)
    same_files(own, "out", "whole")
    chunk(own, 1, 9, "parts", settings=JOINED)
    chunk(own, 10, LAST, "parts", settings=JOINED)
    same_files(own, "parts", "whole")


@pytest.mark.parametrize("cuts", [(), (12,)])
def test_a_changed_matte_counts_for_its_neighbors_too(own, cuts):
    run_toy(own.shot("whole", cuts=cuts), JOINED)
    run_toy(own.shot(cuts=cuts), JOINED, checkpoint_every=1)
    network = ToyNetwork()
    assert run_toy(own.shot(cuts=cuts), JOINED, resume=True, network=network) == [] and network.steps == 0
    changed = hole(15)
    changed[22:30, 24:27] = 255  # in the hole of frame 7, and till now not in that of its source 13
    write_matte(own.matte(15), changed)
    again = [done.frame for done in run_toy(own.shot(cuts=cuts), JOINED, resume=True)]
    run_toy(own.shot("clean", cuts=cuts), JOINED)
    same_files(own, "out", "clean")
    first = differing(own, "clean", "whole")[0]
    assert first == (13 if cuts else 15 - 6 - 2)
    assert again[-1] == LAST and first - 2 <= again[0] <= first
