"""Chunks of one output side by side, each with its lock and journal; exact by state, or with a pre-roll."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from plugin_core.errors import InputError, OutputBusyError, SettingsError, StateError
from plugin_core.job.settings import Settings

from ..shots import (
    QUICK,
    ShotOnDisk,
    differing,
    leftovers,
    make_rendered_shot,
    make_shot,
    run_toy,
    same_files,
)
from ..toy_network import ToyNetwork
from .test_resume import Killed, KilledNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 24
GRID = [(1, 6), (7, 12), (13, 18), (19, 24)]


@pytest.fixture
def own(tmp_path) -> ShotOnDisk:
    return make_rendered_shot(tmp_path, 1, LAST)


def pre_roll(frames: int) -> Settings:
    return QUICK.model_copy(update={"pre_roll": frames})


def approximate(shot: ShotOnDisk, first: int, last: int, frames: int = 2, name: str = "out", **run: object):
    done = run_toy(shot.shot(name), pre_roll(frames), chunk=f"{first}-{last}", **run)
    return [frame.frame for frame in done]


def exact(shot: ShotOnDisk, first: int, last: int, name: str = "out", **run: object) -> list[int]:
    handed_in = None if first == 1 else str(shot.folder / f"{name}.{first - 1}.state")
    state_out = str(shot.folder / f"{name}.{last}.state")
    done = run_toy(
        shot.shot(name), chunk=f"{first}-{last}", state_in=handed_in, state_out=state_out, resume=True, **run
    )
    return [frame.frame for frame in done]


def test_an_exact_chain_gives_the_pixels_of_one_go(own):
    for first, last in GRID:
        assert exact(own, first, last) == list(range(first, last + 1))
    same_files(own, "out", "whole")
    assert [exact(own, first, last) for first, last in GRID] == [[], [], [], []]
    assert leftovers(own.folder) == []


def test_approximate_chunks_side_by_side(own):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda part: approximate(own, *part), GRID))
    assert done == [list(range(first, last + 1)) for first, last in GRID]
    for first, last in reversed(GRID):
        approximate(own, first, last, name="again")
    same_files(own, "out", "again")
    different = differing(own, "out", "whole")
    assert different and min(different) == 7, "the first chunk is exact"
    assert leftovers(own.folder) == []


def test_a_pre_roll_that_reaches_the_start_is_exact(own):
    warm = QUICK.model_copy(update={"warmup": 3})
    run_toy(own.shot("warm"), warm)
    run_toy(own.shot(), warm.model_copy(update={"pre_roll": 6}), chunk="7-12")
    same_files(own, "out", "warm", range(7, 13))


def test_a_pre_roll_stops_at_a_cut(own):
    run_toy(own.shot("cut", cuts=(5,)))
    run_toy(own.shot(cuts=(5,)), pre_roll(20), chunk="7-24")
    same_files(own, "out", "cut", range(7, LAST + 1))


def test_a_chunk_that_begins_at_a_cut_needs_nothing(own):
    run_toy(own.shot("cut", cuts=(7,)))
    run_toy(own.shot(cuts=(7,)), chunk="7-24")
    same_files(own, "out", "cut", range(7, LAST + 1))


def test_a_longer_pre_roll_comes_closer(own):
    from ..shots import read

    def error(frames: int) -> float:
        approximate(own, 13, 18, frames, overwrite=True)
        ours, true = (read(own.written(13, name)).astype(float) for name in ("out", "whole"))
        return abs(ours - true).max()

    assert error(0) > error(4) > error(8) > 0
    assert error(12) == 0


def test_a_killed_chunk_goes_on_from_its_own_pre_roll(own):
    approximate(own, 7, 12, name="calm")
    for after in (0, 1, 3, 5):
        with pytest.raises(Killed):
            approximate(own, 7, 12, network=KilledNetwork(after), overwrite=True, checkpoint_every=2)
        approximate(own, 1, 6, overwrite=True)
        approximate(own, 7, 12, resume=True)
        same_files(own, "out", "calm", range(7, 13))
    network = ToyNetwork()
    assert approximate(own, 7, 12, resume=True, network=network) == [] and network.steps == 0


def test_a_chunk_without_state_or_pre_roll_is_refused(own):
    with pytest.raises(SettingsError, match="needs the state after frame 6: give it with --state-in"):
        run_toy(own.shot(), chunk="7-12")
    exact(own, 1, 6)
    with pytest.raises(SettingsError, match="give one of them"):
        run_toy(own.shot(), pre_roll(2), chunk="7-12", state_in=str(own.folder / "out.6.state"))


@pytest.mark.parametrize("chunk", ["0-4", "20-25", "30-40", "1-3,6-9"])
def test_a_chunk_outside_the_shot_is_refused(own, chunk):
    with pytest.raises(InputError, match=f"Chunk {chunk} should be one run of frames inside the shot's 1-24"):
        run_toy(own.shot(), chunk=chunk)


def test_another_grid_or_the_whole_waits_for_a_chunk_at_work(own):
    from plugin_core.job.settings import Run
    from plugin_core.progress.reporters import Reporters
    from plugin_core.progress.stop import Stop
    from plugin_core.render.render import render

    at_work = render(own.shot(), pre_roll(2), Run(chunk="7-12"), ToyNetwork(), Reporters([]), Stop())
    next(at_work)
    for run in ({"chunk": "7-12", "resume": True}, {"chunk": "12-14"}, {"overwrite": True}):
        with pytest.raises(OutputBusyError, match="frames 7-12"):
            run_toy(own.shot(), pre_roll(2), **run)
    approximate(own, 13, 18)
    assert len(list(at_work)) == 5


def test_the_whole_over_chunks_and_a_chunk_over_the_whole(own):
    for first, last in GRID:
        approximate(own, first, last)
    with pytest.raises(InputError, match="has frames 1-24 already"):
        run_toy(own.shot(), resume=True)
    run_toy(own.shot(), overwrite=True)
    same_files(own, "out", "whole")
    state = own.folder / "out" / ".cleanplate" / "clean.#.exr"
    assert sorted(path.name for path in state.glob("chunk.*")) == [], "what the whole replaced is forgotten"

    approximate(own, 7, 12, overwrite=True)
    assert run_toy(own.shot(), resume=True)[0].frame <= 7, "frames that a chunk replaced are not believed"
    same_files(own, "out", "whole")


def test_a_chunk_again_with_another_pre_roll_is_another_render(own):
    approximate(own, 7, 12, 2)
    with pytest.raises(StateError, match="pre roll is 2, this render has 3"):
        approximate(own, 7, 12, 3, resume=True)


def test_leftovers_of_a_neighbour_at_work_are_left_alone(own):
    theirs = own.folder / "out" / ".cleanplate-clean.0015.0123456789ab.tmp.exr"
    ours = own.folder / "out" / ".cleanplate-clean.0009.0123456789ab.tmp.exr"
    theirs.parent.mkdir()
    theirs.touch()
    ours.touch()
    approximate(own, 7, 12)
    assert theirs.exists() and not ours.exists()


def test_two_machines_given_the_same_chunk_do_no_harm(tmp_path, bundle_512):
    """Both are told to wait: one renders, the other finds it done."""
    from ..commands import Render, render

    shot = make_shot(tmp_path, 1, 12)
    render(shot, bundle_512, "whole")
    given = ["--chunk", "5-12", "--pre-roll", "4", "--resume", "--wait", "120"]
    both = [Render(shot, bundle_512, "out", *given) for _ in range(2)]
    ended = [running.end() for running in both]
    assert [code for code, _ in ended] == [0, 0], ended
    same_files(shot, "out", "whole", range(5, 13))
    assert leftovers(tmp_path) == [] and not list(tmp_path.rglob("lock.*"))
