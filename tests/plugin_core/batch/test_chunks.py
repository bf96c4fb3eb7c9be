"""A shot in chunks: each takes the state of the one before, and the pixels are those of one go."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin_core.errors import Interrupted, MissingFramesError, StateError
from plugin_core.job.settings import Settings
from plugin_core.state.saved_state import read_state

from ..render.test_resume import Killed, KilledNetwork, StopAfter, change_plate
from ..shots import (
    QUICK,
    ShotOnDisk,
    differing,
    make_rendered_shot,
    make_shot,
    picture,
    run_toy,
    same_files,
    write_plate,
)
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 24


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    return make_rendered_shot(tmp_path_factory.mktemp("shot"), 1, LAST)


@pytest.fixture
def own(tmp_path) -> ShotOnDisk:
    """A shot that a test may change."""
    return make_rendered_shot(tmp_path, 1, LAST)


def state(shot: ShotOnDisk, frame: int) -> str:
    return str(shot.folder / f"after.{frame}.state")


def chunk(
    shot: ShotOnDisk, first: int, last: int, name: str = "out", *, settings: Settings = QUICK, **run: object
) -> list[int]:
    handed_in = None if first == shot.first else state(shot, first - 1)
    own = shot.shot(name, f"{first}-{last}")
    done = run_toy(own, settings, state_in=handed_in, state_out=state(shot, last), **run)
    return [frame.frame for frame in done]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.sets(st.integers(1, LAST - 1), max_size=4), apart=st.booleans())
def test_any_chunks_give_the_pixels_of_one_go(shot, ends, apart):
    """Into one folder, or into one for each chunk as on several machines."""
    folders = []
    first = 1
    for last in [*sorted(ends), LAST]:
        folders.append((f"part{first}" if apart else "out", range(first, last + 1)))
        chunk(shot, first, last, folders[-1][0], overwrite=True)
        first = last + 1
    for name, frames in folders:
        same_files(shot, name, "whole", frames)
    for name, _ in folders:
        shutil.rmtree(shot.folder / name, ignore_errors=True)


def test_a_chunk_without_the_state_differs(own):
    run_toy(own.shot("alone", "10-24"))
    assert differing(own, "alone", "whole", range(10, LAST + 1))[0] == 10


def test_a_killed_chunk_goes_on(own):
    chunk(own, 1, 9)
    for after in (0, 3, 9):
        with pytest.raises(Killed):
            chunk(own, 10, LAST, network=KilledNetwork(after), overwrite=True)
        chunk(own, 10, LAST, resume=True)
        same_files(own, "out", "whole")


def test_a_stopped_chunk_goes_on(own):
    chunk(own, 1, 9)
    with pytest.raises(Interrupted):
        chunk(own, 10, LAST, stop=StopAfter(2 * LAST + 11))
    chunk(own, 10, LAST, resume=True)
    same_files(own, "out", "whole")


def test_chunks_that_are_done_are_left_alone(own):
    chunk(own, 1, 9)
    chunk(own, 10, LAST)
    network = ToyNetwork()
    assert chunk(own, 1, 9, resume=True, network=network) == []
    assert chunk(own, 10, LAST, resume=True, network=network) == []
    assert network.steps == 0


def test_many_states_do_not_push_the_handed_in_one_out(own):
    chunk(own, 1, 9, checkpoint_every=1)
    chunk(own, 10, LAST, checkpoint_every=1)
    own.written(10).unlink()
    assert chunk(own, 10, LAST, resume=True) == list(range(10, LAST + 1))
    same_files(own, "out", "whole")


def test_another_state_makes_its_chunk_new(own):
    chunk(own, 1, 9)
    chunk(own, 10, LAST)
    change_plate(own, 2)
    chunk(own, 1, 9, resume=True)
    assert chunk(own, 10, LAST, resume=True) == list(range(10, LAST + 1))
    run_toy(own.shot("clean"))
    same_files(own, "out", "clean")


def test_a_change_in_a_later_chunk_leaves_the_earlier_alone(own):
    chunk(own, 1, 9)
    chunk(own, 10, LAST)
    change_plate(own, 20)
    assert chunk(own, 1, 9, resume=True) == []
    assert chunk(own, 10, LAST, resume=True)[-1] == LAST
    run_toy(own.shot("clean"))
    same_files(own, "out", "clean")


def test_a_mended_chunk_knows_nothing_of_later_pictures(own):
    chunk(own, 1, 9)
    chunk(own, 10, LAST)
    own.written(9).unlink()
    chunk(own, 1, 9, resume=True)
    assert max(read_state(own.folder / "after.9.state").inputs) == 15
    change_plate(own, 20)
    chunk(own, 10, LAST, resume=True)
    run_toy(own.shot("clean"))
    same_files(own, "out", "clean")


def test_a_chunk_again_without_its_state_is_another_render(own):
    chunk(own, 1, 9)
    chunk(own, 10, LAST)
    with pytest.raises(StateError, match="first frame is 1, this render has 10"):
        run_toy(own.shot(frames="10-24"), resume=True)


def test_a_state_of_another_frame_is_refused(own):
    chunk(own, 1, 9)
    with pytest.raises(StateError, match="stands after frame 9, the range begins at 12"):
        run_toy(own.shot(frames="12-24"), state_in=state(own, 9))


def test_a_state_of_another_model_is_refused(own):
    chunk(own, 1, 9)
    with pytest.raises(StateError, match="model is toy, this render has other"):
        chunk(own, 10, LAST, network=ToyNetwork("other"))


def test_a_state_of_other_settings_is_refused(own):
    chunk(own, 1, 9)
    with pytest.raises(StateError, match="grow is 0, this render has 2"):
        run_toy(own.shot(frames="10-24"), QUICK.model_copy(update={"grow": 2}), state_in=state(own, 9))


def test_a_state_of_another_size_is_refused(own, tmp_path):
    chunk(own, 1, 9)
    larger = make_shot(tmp_path / "larger", 1, LAST, size=(128, 64))
    with pytest.raises(StateError, match="plate size is 96x64, this render has 128x64"):
        run_toy(larger.shot(frames="10-24"), state_in=state(own, 9))


def test_a_state_of_another_shot_is_refused(own, tmp_path):
    chunk(own, 1, 9)
    other = make_shot(tmp_path / "other", 1, LAST)
    write_plate(other.plate(8), picture(3))
    with pytest.raises(StateError, match="another plate or matte: frame 8 differs"):
        run_toy(other.shot(frames="10-24"), state_in=state(own, 9))
    assert not list((other.folder / "out").glob("*.exr"))


def test_a_state_of_the_same_pictures_elsewhere_is_taken(own, tmp_path):
    chunk(own, 1, 9)
    copy = make_shot(tmp_path / "elsewhere", 1, LAST)
    run_toy(copy.shot(frames="10-24"), state_in=state(own, 9))
    for frame in range(10, LAST + 1):
        assert copy.written(frame).read_bytes() == own.written(frame, "whole").read_bytes()


def test_a_state_needs_the_frames_it_was_made_with(own):
    chunk(own, 1, 9)
    own.plate(8).unlink()
    # Fewer handles are on disk now: that alone makes it another render.
    with pytest.raises((StateError, MissingFramesError), match=r"frames on disk|missing"):
        run_toy(own.shot(frames="10-24"), state_in=state(own, 9))


@pytest.mark.parametrize("damage", ["empty", "rubbish", "short", "one bit"])
def test_a_damaged_state_is_refused(own, damage):
    chunk(own, 1, 9)
    path = own.folder / "after.9.state"
    good = path.read_bytes()
    flipped = good[:-300] + bytes([good[-300] ^ 1]) + good[-299:]
    path.write_bytes({"empty": b"", "rubbish": b"rubbish", "short": good[:-40], "one bit": flipped}[damage])
    with pytest.raises(StateError, match="damaged"):
        chunk(own, 10, LAST)


def test_a_state_that_is_not_there_is_refused(own):
    with pytest.raises(StateError, match="is not there"):
        chunk(own, 10, LAST)


def test_chunks_without_a_hole_hand_on_too(tmp_path):
    shot = make_shot(tmp_path, 1, 6, empty=(1, 2, 3, 4, 5, 6))
    chunk(shot, 1, 3)
    assert read_state(tmp_path / "after.3.state").arrays == {}
    chunk(shot, 4, 6)
    chunk(shot, 4, 6, resume=True)
    for frame in range(1, 7):
        assert shot.written(frame).read_bytes() == shot.plate(frame).read_bytes()


def test_a_chunk_that_begins_with_empty_mattes(tmp_path):
    shot = make_shot(tmp_path, 1, LAST, empty=tuple(range(1, 11)))
    run_toy(shot.shot("whole"))
    chunk(shot, 1, 9)
    chunk(shot, 10, LAST)
    same_files(shot, "out", "whole")


def test_chunks_with_cuts_and_warm_up(tmp_path):
    shot = make_shot(tmp_path, 1, LAST)
    warm = QUICK.model_copy(update={"warmup": 3})
    run_toy(shot.shot("whole", cuts=(8, 17)), warm)
    states = [str(tmp_path / f"{number}.state") for number in (1, 2)]
    run_toy(shot.shot(frames="1-5", cuts=(8, 17)), warm, state_out=states[0])
    run_toy(shot.shot(frames="6-16", cuts=(8, 17)), warm, state_in=states[0], state_out=states[1])
    run_toy(shot.shot(frames="17-24", cuts=(8, 17)), warm, state_in=states[1])
    same_files(shot, "out", "whole")
