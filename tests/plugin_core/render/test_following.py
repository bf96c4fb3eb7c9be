"""Crops that follow the matte: the fill is that of a fixed crop, and of one go, however often they move."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.errors import InputError, StateError
from plugin_core.job.settings import Settings
from plugin_core.regions import lanes
from plugin_core.regions.crop_path import CropPath
from plugin_core.render import render as render_module
from plugin_core.render.plan import Plan
from plugin_core.state import carry_shift
from plugin_core.state.saved_state import read_state

from ..local_network import LocalNetwork
from ..shots import ShotOnDisk, differing, picture, read, run_toy, same_files, write_matte, write_plate
from ..toy_network import ToyNetwork
from .test_resume import Killed, KilledNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
SIZE = (480, 96)
LAST = 30
FOLLOW = Settings(context=16, working_size=4096, propagate=0, border_match="off", grow=0, feather=0)
"""With so little context crops see different surroundings, and would measure their exposure differently."""

FULL = FOLLOW.model_copy(update={"region": "full"})


def one(frame: int) -> list[tuple[int, int]]:
    """A block that runs to the right, faster and faster."""
    return [(20 + frame * frame // 3, 30 + frame % 5)]


def two(frame: int) -> list[tuple[int, int]]:
    """Two that run towards each other and stop before they meet; the second comes later and goes earlier."""
    second = [(440 - 5 * frame, 60)] if 8 <= frame <= 25 else []
    return [(10 + 5 * frame, 20), *second]


def meeting(frame: int) -> list[tuple[int, int]]:
    """Two that meet, and part again."""
    return [(20 + 10 * frame, 30), (370 - 10 * frame, 30)]


MATTES = {"one": one, "two": two, "meeting": meeting}
KILLED_AFTER = {"one": (0, 12, 29), "two": (7, 19), "meeting": (12, 19)}
"""Frames."""


def make(folder: Path, blocks: str = "one") -> ShotOnDisk:
    shot = ShotOnDisk(folder, 1, LAST)
    for frame in range(1, LAST + 1):
        write_plate(shot.plate(frame), picture(frame, SIZE))
        write_matte(shot.matte(frame), matte(blocks, frame))
    return shot


def matte(blocks: str, frame: int) -> np.ndarray:
    drawn = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for x, y in MATTES[blocks](frame):
        drawn[y : y + 22, x : x + 26] = 255
    return drawn


@pytest.fixture(scope="module", params=["one", "two", "meeting"])
def shot(request, tmp_path_factory) -> ShotOnDisk:
    made = make(tmp_path_factory.mktemp(request.param), request.param)
    run_toy(made.shot("whole"), FOLLOW)
    return made


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> ShotOnDisk:
    """The first of them, and in "fixed" what the local network makes of it in a crop that stays."""
    made = make(tmp_path_factory.mktemp("drawn"))
    run_toy(made.shot("fixed"), FULL, network=LocalNetwork())
    return made


@pytest.fixture
def own(drawn, tmp_path) -> ShotOnDisk:
    """A shot that a test may change."""
    for name in ("plate", "matte"):
        shutil.copytree(drawn.folder / name, tmp_path / name)
    return ShotOnDisk(tmp_path, 1, LAST)


@dataclass
class Seen:
    """The plan of the render that ran last."""

    plan: Plan | None = None

    def moves(self) -> list[int]:
        assert self.plan is not None
        return [len(lane.path.moves) for lane in self.plan.lanes]


@pytest.fixture
def seen(monkeypatch) -> Seen:
    found, make_plan = Seen(), render_module.make_plan

    def remember(*given, **named):
        found.plan = make_plan(*given, **named)
        return found.plan

    monkeypatch.setattr(render_module, "make_plan", remember)
    return found


def largest_difference(shot: ShotOnDisk, one: str, other: str) -> float:
    return max(
        float(np.abs(read(shot.written(frame, one)).astype(float) - read(shot.written(frame, other))).max())
        for frame in range(1, LAST + 1)
    )


ROUNDING = 2e-3
"""Of a half-float near 1, twice."""


def test_a_following_crop_fills_as_a_fixed_one(shot, seen):
    run_toy(shot.shot("fixed"), FULL, network=LocalNetwork(), overwrite=True)
    assert seen.moves() == [0]
    run_toy(shot.shot("follows"), FOLLOW, network=LocalNetwork(), overwrite=True)
    # Holes that meet are one from the beginning, and this one then spans the plate.
    assert (seen.moves() == [0]) == ("meeting" in shot.folder.name)
    assert largest_difference(shot, "fixed", "follows") < ROUNDING


@pytest.mark.parametrize("working_size", [48, 60])
def test_a_reduced_crop_that_follows_fills_as_a_fixed_one(own, seen, monkeypatch, working_size):
    """The fixed one holds the whole plate at the same scale, through the same network pixels."""
    small = FOLLOW.model_copy(update={"working_size": working_size})
    run_toy(own.shot("follows"), small, network=LocalNetwork())
    assert seen.moves()[0] > 3
    follow = lanes.follow

    def stays(needed, bounds):
        region = follow(needed, bounds).region
        assert region.is_reduced
        left, top = region.crop.x0 % region.step - region.step, region.crop.y0 % region.step - region.step
        width, height = (-(-side // region.step) + 2 for side in SIZE)
        whole = Box(left, top, left + width * region.step, top + height * region.step)
        return CropPath(region.at(whole))

    monkeypatch.setattr(lanes, "follow", stays)
    run_toy(own.shot("fixed"), small, network=LocalNetwork())
    assert largest_difference(own, "fixed", "follows") < ROUNDING


@pytest.mark.parametrize("wrong", ["a block too far", "dropped", "the other way", "memory only"])
def test_a_wrong_shift_would_be_seen(drawn, monkeypatch, wrong):
    """Guards the test above."""
    right = carry_shift._moved

    def moved(old, fresh, width, dx, dy):
        if wrong == "dropped":
            return dict(fresh)
        if wrong == "memory only":
            return {**fresh, "blocks": right(old, fresh, width, dx, dy)["blocks"]}
        return right(old, fresh, width, *((dx + 8, dy) if wrong == "a block too far" else (-dx, -dy)))

    monkeypatch.setattr(carry_shift, "_moved", moved)
    run_toy(drawn.shot("follows"), FOLLOW, network=LocalNetwork(), overwrite=True)
    assert largest_difference(drawn, "fixed", "follows") > 10 * ROUNDING


def test_a_crop_moves_seldom(own, seen):
    network, still = ToyNetwork(), ToyNetwork()
    run_toy(own.shot("a"), FOLLOW, network=network)
    moves = seen.moves()
    assert 1 <= moves[0] <= 8
    run_toy(own.shot("b"), FULL, network=still)
    assert network.steps == still.steps
    # What moving costs: the frames around are encoded once more.
    assert network.encodes <= still.encodes + 12 * sum(moves)


def test_chunks_give_the_pixels_of_one_go(shot):
    ends = [4, 9, 13, 14, 22, LAST]
    first = 1
    for last in ends:
        states = {"state_in": None if first == 1 else str(shot.folder / f"{first - 1}.state")}
        run_toy(
            shot.shot(f"part{last}", f"{first}-{last}"),
            FOLLOW,
            state_out=str(shot.folder / f"{last}.state"),
            overwrite=True,
            **states,
        )
        same_files(shot, f"part{last}", "whole", range(first, last + 1))
        first = last + 1


def test_a_kill_anywhere_and_a_resume_give_the_pixels_of_one_go(shot):
    for after in KILLED_AFTER[shot.folder.name.rstrip("0123456789")]:
        shutil.rmtree(shot.folder / "out", ignore_errors=True)
        with pytest.raises(Killed):
            run_toy(shot.shot(), FOLLOW, network=KilledNetwork(after), checkpoint_every=5)
        run_toy(shot.shot(), FOLLOW, resume=True)
        same_files(shot, "out", "whole")


def test_a_frame_gone_missing_is_sought(shot):
    run_toy(shot.shot(), FOLLOW, checkpoint_every=3, overwrite=True)
    for frame in (26, 11, 2):
        shot.written(frame).unlink()
        run_toy(shot.shot(), FOLLOW, resume=True, checkpoint_every=3)
        same_files(shot, "out", "whole")


def test_cuts_and_warm_up(shot):
    warm = FOLLOW.model_copy(update={"warmup": 4})
    cuts = (9, 21)
    run_toy(shot.shot("cut", cuts=cuts), warm, overwrite=True)
    assert differing(shot, "cut", "whole")
    states = [str(shot.folder / f"cut{number}.state") for number in (1, 2)]
    run_toy(shot.shot(frames="1-5", cuts=cuts), warm, state_out=states[0], overwrite=True)
    run_toy(
        shot.shot(frames="6-20", cuts=cuts), warm, state_in=states[0], state_out=states[1], overwrite=True
    )
    run_toy(shot.shot(frames="21-30", cuts=cuts), warm, state_in=states[1], overwrite=True)
    same_files(shot, "out", "cut")


def test_the_crops_of_a_part_are_those_of_the_whole(own, seen):
    run_toy(own.shot(frames="12-20"), FOLLOW)
    part = seen.plan
    run_toy(own.shot("a"), FOLLOW)
    assert part is not None and seen.plan is not None
    assert part.lanes == seen.plan.lanes


def test_the_state_knows_where_its_crop_stands(own, seen):
    run_toy(own.shot("a", "1-20"), FOLLOW, state_out=str(own.folder / "a.state"))
    crops = read_state(own.folder / "a.state").crops
    assert seen.plan is not None
    assert crops.keys() == {"1"}
    assert crops["1"].startswith(str(seen.plan.lanes[0].region_at(20)))


def test_a_later_change_of_the_matte_keeps_what_comes_before(own):
    """The block jumps near the end: crops before that stay, and so do the frames."""
    run_toy(own.shot(), FOLLOW, checkpoint_every=1)
    for frame in range(27, LAST + 1):
        write_matte(own.matte(frame), np.roll(matte("one", frame), -60, axis=1))
    again = [done.frame for done in run_toy(own.shot(), FOLLOW, resume=True)]
    assert 15 < again[0] <= 21 and again[-1] == LAST
    run_toy(own.shot("clean"), FOLLOW)
    same_files(own, "out", "clean")


def test_a_state_of_other_mattes_is_refused(own):
    run_toy(own.shot("a", "1-20"), FOLLOW, state_out=str(own.folder / "a.state"))
    for frame in range(1, LAST + 1):
        write_matte(own.matte(frame), np.roll(matte("one", frame), 20, axis=0))
    with pytest.raises(StateError, match="belongs to other mattes: after frame 20 its crops are"):
        run_toy(own.shot("b", "21-30"), FOLLOW, state_in=str(own.folder / "a.state"))


@pytest.mark.parametrize("region", ["full", "0,0,480,96", "auto"])
def test_every_region_fills_every_hole(own, region):
    run_toy(own.shot(), FOLLOW.model_copy(update={"region": region}))
    for frame in (1, 15, LAST):
        before, after = read(own.plate(frame)), read(own.written(frame))
        changed = (before != after).any(axis=2)
        np.testing.assert_array_equal(changed, matte("one", frame) > 0)


def test_a_fixed_region_must_hold_the_matte(own):
    with pytest.raises(InputError, match="does not hold the matte on frame 19"):
        run_toy(own.shot(), FOLLOW.model_copy(update={"region": "0,0,150,96"}))
    with pytest.raises(InputError, match="lies off the plate, which is 480x96"):
        run_toy(own.shot(), FOLLOW.model_copy(update={"region": "500,0,150,96"}))
