"""When a render's state is kept."""

from __future__ import annotations

import pytest

from ..render.test_resume import STATES, Killed, KilledNetwork
from ..shots import ShotOnDisk, make_shot, run_toy
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]


def kept(shot: ShotOnDisk) -> list[int]:
    return sorted(int(path.name.split(".")[1]) for path in (shot.folder / STATES).glob("state.*"))


def test_a_state_is_kept_every_few_frames_and_after_the_last(tmp_path):
    shot = make_shot(tmp_path, 101, 111)
    run_toy(shot.shot(), checkpoint_every=4)
    assert kept(shot) == [104, 108, 111]


def test_a_state_is_counted_from_the_chunks_first_frame(tmp_path):
    shot = make_shot(tmp_path, 1, 12)
    run_toy(shot.shot(), chunk="1-5", checkpoint_every=2, state_out=str(tmp_path / "a.state"))
    folder = shot.folder / STATES / "chunk.1_5"
    assert sorted(path.name for path in folder.glob("state.*")) == [
        f"state.{frame}.safetensors" for frame in (2, 4, 5)
    ]


def test_no_state_is_kept_before_its_frame_is_on_disk(tmp_path):
    shot = make_shot(tmp_path, 1, 12)
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(7), checkpoint_every=2)
    before = kept(shot)
    assert all(shot.written(frame).exists() for frame in before)
    network = ToyNetwork()
    run_toy(shot.shot(), network=network, resume=True)
    assert network.steps == 12 - max(before, default=0)
