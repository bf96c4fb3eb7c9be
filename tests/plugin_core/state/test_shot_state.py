"""The state of a shot: order, phases, saving, going back, and what a change makes stale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin_core.box import Box
from plugin_core.errors import StateError
from plugin_core.regions.crop_path import CropPath
from plugin_core.regions.lanes import Lane
from plugin_core.regions.region import Region
from plugin_core.schedule import Schedule, Step
from plugin_core.state.checkpoints import Checkpoints
from plugin_core.state.saved_state import SavedState, read_state, write_state
from plugin_core.state.shot_state import LaneInput, Phase, ShotState

from ..toy_network import ToyNetwork

KEY = {"model": "toy", "grow": "0"}


def picture(frame: int) -> np.ndarray:
    return np.random.default_rng(frame + 1000).random((3, 16, 16), np.float32) * 2 - 1


def mask(frame: int) -> np.ndarray:
    found = np.zeros((1, 16, 16), np.float32)
    found[:, 4:9, (frame % 5) : (frame % 5) + 6] = 1
    return found


PLATE = Box(0, 0, 16, 16)


def make(schedule: Schedule, checkpoints: Checkpoints | None = None, key: dict[str, str] = KEY) -> ShotState:
    """A state of one lane that lives on every frame and stands still."""
    path = CropPath(Region(PLATE, PLATE, 8, 8))
    return ShotState(key, schedule, [Lane("1", -99, 999_999, -99, 999_999, {}, path)], checkpoints)


def advance(network: ToyNetwork, state: ShotState, step: Step) -> np.ndarray:
    sources = [network.encode(picture(frame), mask(frame)) for frame in step.sources]
    region = state.lanes[0].region_at(step.frame)
    given = {"1": LaneInput(region, picture(step.frame), mask(step.frame), sources)}
    return state.advance(network, step, given)["1"].fill


def run(
    state: ShotState, network: ToyNetwork, start: int | None = None, stop: int = 10**6
) -> dict[int, np.ndarray]:
    fills = {}
    for step in state.schedule.steps(start):
        fill = advance(network, state, step)
        if not step.warmup:
            fills[step.position] = fill
            if state.checkpoints is not None:
                state.checkpoints.add(state.snapshot(network))
        if step.position == stop:
            break
    return fills


@pytest.fixture
def network() -> ToyNetwork:
    return ToyNetwork()


def test_the_toy_network_remembers(network):
    """Guards the tests below: a network without memory would pass them all."""
    fills = run(make(Schedule(first=0, last=9)), network)
    alone = run(make(Schedule(first=5, last=9, lower=0, upper=9)), network)
    assert not np.array_equal(fills[7], alone[7])


def test_phases(network):
    state = make(Schedule(first=0, last=3, cuts=[2], warmup=1))
    seen = [state.phase]
    for step in state.schedule.steps():
        advance(network, state, step)
        seen.append(state.phase)
    empty, warming, ready, done = Phase
    assert seen == [empty, warming, ready, empty, warming, ready, done]
    assert state.frame == 3


def test_a_frame_out_of_order_is_refused_and_changes_nothing(network):
    state = make(Schedule(first=1001, last=1020))
    steps = list(state.schedule.steps())
    for step in steps[:11]:
        advance(network, state, step)
    with pytest.raises(StateError, match="expected frame 1012, got 1015"):
        advance(network, state, steps[14])
    with pytest.raises(StateError, match="expected frame 1012, got 1011"):
        advance(network, state, steps[10])
    assert state.frame == 1011
    advance(network, state, steps[11])


def test_the_first_step_must_start_a_segment(network):
    state = make(Schedule(first=0, last=9))
    with pytest.raises(StateError, match="needs the state of the frame before"):
        advance(network, state, state.schedule.step_of(4))


def test_nothing_follows_the_last_frame(network):
    state = make(Schedule(first=0, last=2))
    run(state, network)
    with pytest.raises(StateError, match="ended at frame 2"):
        advance(network, state, next(state.schedule.steps()))


@settings(max_examples=30)
@given(
    last=st.integers(2, 25),
    cuts=st.lists(st.integers(1, 25), max_size=2),
    warmup=st.integers(0, 3),
    keep=st.integers(2, 8),
    data=st.data(),
)
def test_a_seek_gives_the_pixels_of_one_go(tmp_path_factory, last, cuts, warmup, keep, data):
    network = ToyNetwork()
    schedule = Schedule(first=0, last=last, cuts=[cut for cut in cuts if cut <= last], warmup=warmup)
    checkpoints = Checkpoints(tmp_path_factory.mktemp("seek"), KEY, keep=keep)
    state = make(schedule, checkpoints)
    whole = run(state, network)
    target = data.draw(st.integers(0, last))
    start = state.restore(network, before=target)
    assert start <= target
    again = run(state, network, start, stop=target)
    for frame, fill in again.items():
        np.testing.assert_array_equal(fill, whole[frame])
    assert target in again


def test_save_and_load_hand_a_shot_on(network, tmp_path):
    whole = run(make(Schedule(first=0, last=19)), network)
    before = make(Schedule(first=0, last=9, upper=19))
    run(before, network)
    before.save(network, tmp_path / "a.state", {9: "digest"})
    after = make(Schedule(first=10, last=19, lower=0, continues=True))
    saved = after.load(network, tmp_path / "a.state")
    assert saved.inputs == {9: "digest"}
    for frame, fill in run(after, network).items():
        np.testing.assert_array_equal(fill, whole[frame])


def test_another_key_is_refused_and_says_what_differs(network, tmp_path):
    state = make(Schedule(first=0, last=3))
    run(state, network)
    state.save(network, tmp_path / "a.state")
    other = make(Schedule(first=4, last=9, continues=True), key={**KEY, "grow": "4"})
    with pytest.raises(StateError, match="grow is 0, this render has 4"):
        other.load(network, tmp_path / "a.state")


def test_an_empty_state_can_not_be_saved(network, tmp_path):
    with pytest.raises(StateError, match="no frame has been rendered"):
        make(Schedule(first=0, last=3)).save(network, tmp_path / "a.state")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"", b"not a state", None])
def test_a_damaged_state_file_is_refused(network, tmp_path, damage):
    path = tmp_path / "a.state"
    state = make(Schedule(first=0, last=3))
    run(state, network)
    state.save(network, path)
    path.write_bytes(path.read_bytes()[:-7] if damage is None else damage)
    with pytest.raises(StateError, match=r"a\.state is damaged"):
        read_state(path)


def test_a_change_drops_the_states_it_touches(network, tmp_path):
    checkpoints = Checkpoints(tmp_path, KEY, keep=40)
    state = make(Schedule(first=0, last=19), checkpoints)
    run(state, network)
    assert state.invalidate_from(12, "matte changed") == 6
    assert checkpoints.frames() == [0, 1, 2, 3, 4, 5]
    assert state.phase is Phase.EMPTY
    assert state.restore(network, before=6) == 6


def test_checkpoints_are_bounded_and_reach_back(tmp_path):
    checkpoints = Checkpoints(tmp_path, KEY, keep=8)
    for frame in range(200):
        checkpoints.add(SavedState(KEY, frame, {"hidden": np.zeros(1, np.float32)}, {}))
        assert len(checkpoints.frames()) <= 8
    frames = checkpoints.frames()
    assert frames[-4:] == [196, 197, 198, 199]
    assert frames[0] == 0
    assert max(np.diff(frames)) < 150, "older states should lie spread over the shot"


def test_a_damaged_checkpoint_is_passed_over(network, tmp_path):
    checkpoints = Checkpoints(tmp_path, KEY)
    state = make(Schedule(first=0, last=9), checkpoints)
    run(state, network)
    checkpoints.path(9).write_bytes(b"junk")
    assert state.restore(network, before=10) == 9


def test_saved_states_can_be_read_by_others(network, tmp_path):
    write_state(tmp_path / "a.state", SavedState(KEY, 0, {"x": np.zeros(3, np.float32)}, {}))
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "a.state").stat().st_mode == plain.stat().st_mode
