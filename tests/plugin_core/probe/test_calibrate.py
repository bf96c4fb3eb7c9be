"""What a few frames tell of a whole render."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin_core.probe.calibrate import Pace, measure_pace, seen_pixels
from plugin_core.probe.probe import cost_of
from plugin_core.render.plan import Plan, make_plan
from plugin_core.render.sources import open_sources

from ..shots import QUICK, ShotOnDisk, hole, make_shot, write_matte
from ..toy_network import ToyNetwork

PACE = Pace(start=3.0, read=0.2, step=1.0, write=0.4, copy=0.1, pixels=4096, memory_bytes=1 << 30)


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 30, empty=tuple(range(1, 21)))


def planned(shot: ShotOnDisk, network: ToyNetwork, **fields: object) -> Plan:
    asked = shot.shot(**fields)
    return make_plan(open_sources(asked, dry=True), asked, QUICK, network)


def test_reading_and_writing_share_a_processor_and_run_beside_a_card():
    assert PACE.per_frame(4096, cores=2) == pytest.approx(1.3)
    assert PACE.per_frame(4096, cores=0) == 1.0
    assert replace(PACE, write=2.0).per_frame(4096, cores=0) == 2.0
    assert PACE.per_frame(2048, cores=2) == pytest.approx(0.8)
    assert PACE.per_frame(0, cores=2) == 0.1


def test_frames_without_a_crop_cost_a_copy(shot):
    plan = planned(shot, ToyNetwork())
    live = [frame for frame in range(1, 31) if seen_pixels(plan, frame)]
    assert live[-1] == 30 and 10 <= len(live) < 20
    cost = cost_of(plan, replace(PACE, pixels=seen_pixels(plan, 30)), "cuda:0")
    assert cost.seconds == pytest.approx(3.0 + len(live) * 1.0 + (29 - len(live)) * 0.1)
    assert cost.seconds_per_frame == 1.0


def test_the_busiest_frames_are_run_and_no_more(shot, tmp_path):
    network = ToyNetwork()
    plan = planned(shot, network)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    pace = measure_pace(plan, network, folder)
    assert pace is not None and network.steps == 4
    assert min(pace.start, pace.read, pace.step, pace.write, pace.copy) > 0
    assert pace.pixels == seen_pixels(plan, 30)
    assert not (shot.folder / "out").exists()


def test_a_take_shorter_than_that_is_run_whole(shot, tmp_path):
    network = ToyNetwork()
    write_matte(shot.matte(2), hole(2))
    assert measure_pace(planned(shot, network, frames="29-30"), network, tmp_path) is not None
    assert network.steps == 2


def test_an_empty_shot_takes_nothing(tmp_path):
    shot = make_shot(tmp_path, 1, 4, empty=(1, 2, 3, 4))
    network = ToyNetwork()
    assert measure_pace(planned(shot, network), network, tmp_path) is None
