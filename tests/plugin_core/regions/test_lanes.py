"""Islands, the tracks they make, the crops that follow them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.box import Box
from plugin_core.regions.crop_path import Bounds, follow, still_path
from plugin_core.regions.islands import CELL, islands_of, tracks_of
from plugin_core.regions.lanes import Lane, choose_lanes, crop_notes
from plugin_core.schedule import Schedule

PLATE = Box(0, 0, 1000, 600)
BOUNDS = Bounds(PLATE, multiple=16, working_size=4096)
SHORT = Bounds(PLATE, multiple=16, working_size=4096, hole_reach=100)
SMALL = Bounds(PLATE, multiple=16, working_size=256)


def at(x: int, y: int, size: int = 60) -> Box:
    return Box(x, y, x + size, y + size)


def lanes_for(*frames: tuple[Box, ...], bounds: Bounds = BOUNDS, region: str = "auto") -> tuple[Lane, ...]:
    holes = dict(enumerate(frames))
    return choose_lanes(holes, [(0, len(frames) - 1)], bounds, region=region, context=64, reach=6)


@given(st.integers(0, 2**32), st.floats(0.0005, 0.05))
def test_islands_hold_every_pixel_and_do_not_meet(seed, share):
    mask = np.random.default_rng(seed).random((150, 210)) < share
    mask[3, 5] = True
    box = Box(35, 21, 245, 171)
    found = islands_of(mask, box, Box(0, 0, 240, 165))
    inside = np.zeros((600, 600), int)
    for island in found:
        inside[island.slices] += 1
    assert inside.max() == 1
    ys, xs = np.nonzero(mask)
    on_plate = (ys + box.y0 < 165) & (xs + box.x0 < 240)
    assert inside[ys[on_plate] + box.y0, xs[on_plate] + box.x0].all()


def test_a_small_change_of_the_matte_leaves_the_islands_alone():
    mask = np.ones((40, 40), np.bool_)
    one = islands_of(mask, Box(100, 100, 140, 140), PLATE)
    mask[0] = mask[:, 39] = False
    assert islands_of(mask, Box(100, 100, 140, 140), PLATE) == one
    assert all(side % CELL == 0 for side in one[0])


def test_an_island_is_found_again_after_a_gap_but_not_after_a_long_one():
    frames = [(0, (at(0, 0),)), (10, (at(30, 0),)), (40, (at(30, 0),))]
    assert [list(track.boxes) for track in tracks_of(frames, gap=12)] == [[0, 10], [40]]


def test_islands_that_meet_and_part_are_one_track():
    frames = [
        (0, (at(0, 0), at(480, 0))),
        (1, (at(60, 0), at(380, 0))),
        (2, (at(120, 0), at(260, 0))),
        (3, (at(180, 0),)),
        (4, (at(120, 0), at(240, 0))),
        (5, (at(60, 0), at(300, 0))),
    ]
    (track,) = tracks_of(frames, gap=12)
    assert track.boxes == dict(frames)


@st.composite
def walks(draw: st.DrawFn) -> dict[int, Box]:
    """A box of varying size that wanders over the plate."""
    x, y = draw(st.integers(0, 900)), draw(st.integers(0, 500))
    found = {}
    for frame in range(draw(st.integers(1, 60))):
        if draw(st.integers(0, 9)) or not found:
            width, height = draw(st.integers(20, 120)), draw(st.integers(20, 120))
            found[frame] = Box(x, y, min(x + width, 1000), min(y + height, 600))
        x = min(max(x + draw(st.integers(-40, 60)), 0), 950)
        y = min(max(y + draw(st.integers(-20, 20)), 0), 550)
    return found


@given(walks(), st.sampled_from([8, 16]), st.sampled_from([64, 200, 4096]))
def test_a_path_holds_what_it_must_show_in_whole_steps_at_one_size(needed, multiple, working_size):
    path = follow(needed, Bounds(PLATE, multiple, working_size))
    rows, columns = path.region.network_size
    assert rows % multiple == columns % multiple == 0
    assert rows * columns <= max(working_size**2, multiple**2)
    for frame, box in needed.items():
        region = path.at(frame)
        assert region.crop.contains(box)
        assert region.network_size == (rows, columns)
        path.region.shift_to(region)  # raises unless whole steps apart
        beyond = max(-region.crop.x0, -region.crop.y0, region.crop.x1 - 1000, region.crop.y1 - 600)
        assert beyond < region.step, "no more padding than the steps make necessary"


def test_a_slow_box_moves_its_crop_seldom_and_a_still_one_never():
    slow = {frame: at(100 + 3 * frame, 200, 200) for frame in range(150)}
    path = follow(slow, BOUNDS)
    assert 1 <= len(path.moves) <= 150 // 8
    assert path.region.crop.width < 300
    assert follow({frame: at(100 + frame % 7, 200) for frame in range(50)}, BOUNDS).moves == ()


def test_a_change_of_the_walk_leaves_the_stands_before_it_alone():
    walk = {frame: at(100 + 6 * frame, 200, 100) for frame in range(100)}
    other = {**walk, 99: at(600, 200, 100), 98: at(610, 200, 100)}
    one, changed = follow(walk, BOUNDS), follow(other, BOUNDS)
    assert one.region == changed.region
    assert one.moves[:-3] == changed.moves[: len(one.moves[:-3])]


def test_a_crop_larger_than_the_working_size_is_reduced_in_whole_pixels():
    path = still_path(Box(0, 0, 1000, 600), SMALL)
    assert path.region.is_reduced
    rows, columns = path.region.network_size
    assert rows * columns <= 256 * 256
    assert path.region.crop.width == columns // 16 * path.region.step


@pytest.mark.parametrize(
    ("hole", "depth"),
    [
        (Box(300, 100, 700, 500), 200),
        (Box(300, 290, 700, 310), 10),
        (Box(0, 100, 400, 500), 200),
        (Box(0, 100, 150, 500), 150),
        (Box(0, 0, 400, 500), 400),
        (Box(0, 0, 1000, 150), 150),
        (Box(0, 100, 1000, 500), 200),
        (Box(0, 0, 1000, 600), 0),
    ],
)
@pytest.mark.parametrize("region", ["auto", "full"])
def test_a_hole_is_reduced_until_the_network_reaches_its_middle(hole, depth, region):
    (lane,) = lanes_for((hole,), bounds=SHORT, region=region)
    seen = lane.path.region
    assert seen.step == max(16, -(-depth * 16 // 100))
    assert depth * seen.multiple <= 100 * seen.step
    (unlimited,) = lanes_for((hole,), region=region)
    assert not unlimited.path.region.is_reduced


def test_a_deep_hole_that_moves_is_reduced_on_every_frame():
    (lane,) = lanes_for(*[(Box(x, 100, x + 300, 400),) for x in range(0, 600, 20)], bounds=SHORT)
    assert lane.path.moves and lane.path.deep
    assert all(lane.region_at(frame).step == 24 for frame in range(30))


def test_far_apart_two_crops_are_cheaper_and_near_each_other_one():
    far = [(at(20, 20), at(900, 500))] * 5
    near = [(at(20, 20), at(120, 20))] * 5
    assert len(lanes_for(*far)) == 2
    assert len(lanes_for(*near)) == 1


def test_a_lane_lives_from_a_window_before_its_first_hole_to_its_last():
    frames = [()] * 10 + [(at(20, 20),)] * 5 + [()] * 10
    (lane,) = lanes_for(*frames)
    assert (lane.first, lane.last) == (4, 14)
    steps = Schedule(first=0, last=24).steps()
    assert [step.position for step in steps if lane.runs_in(step)] == list(range(4, 15))


def test_what_is_told_of_the_crops():
    assert crop_notes(()) == ()
    (lane,) = lanes_for(*[(at(400, 200),)] * 3)
    assert crop_notes((lane,)) == ("The network sees a crop of 192x192.",)
    far = lanes_for(*[(at(20 + 9 * n, 20), at(900, 500)) for n in range(40)], bounds=SMALL)
    assert crop_notes(far) == (
        "The network sees 2 crops, the largest 256x144. They follow the matte in 4 moves.",
    )
    whole = lanes_for((at(400, 200),), bounds=SMALL, region="full")
    deep = lanes_for((Box(300, 100, 700, 500),), bounds=SHORT)
    assert crop_notes(deep) == (
        "The network sees a crop of 544x544, reduced to 272x272 (as far as the model reaches into the hole).",
    )
    assert crop_notes(whole) == ("The network sees a crop of 1000x600, reduced to 320x192 (--working-size).",)


def test_takes_share_no_lane():
    holes = {frame: (at(20, 20),) for frame in range(10)}
    lanes = choose_lanes(holes, [(0, 4), (5, 9)], BOUNDS, region="auto", context=64, reach=6)
    assert [(lane.first, lane.last) for lane in lanes] == [(0, 4), (5, 9)]
    assert len({lane.name for lane in lanes}) == 2


@pytest.mark.parametrize("count", [6, 40])
def test_many_islands_share_a_few_lanes(count):
    spread = tuple(Box(x, y, x + 16, y + 16) for x in range(0, 1000, 160) for y in range(0, 600, 100))
    lanes = lanes_for(*[spread[:count]] * 3)
    assert 1 <= len(lanes) <= 4
    assert sorted(box for lane in lanes for box in lane.islands[1]) == sorted(spread[:count])


def test_dust_is_planned_in_no_time():
    """A thousand frames, each with specks of its own: one crop."""
    random = np.random.default_rng(1)
    frames = [tuple({at(int(x) * 100, int(y) * 100, 16) for x, y in random.integers(0, 6, (4, 2))})] * 1000
    began = time.process_time()
    assert len(lanes_for(*frames)) <= 4
    assert time.process_time() - began < 10


@given(walks())
def test_a_window_holds_the_crop_of_every_step_that_looks_at_the_frame(needed):
    frames = [(needed[frame],) if frame in needed else () for frame in range(max(needed) + 1)]
    for lane in lanes_for(*frames):
        for frame in range(lane.first, lane.last + 1):
            window = lane.window_at(frame, 6)
            for other in range(max(0, frame - 6), min(len(frames) - 1, frame + 6) + 1):
                assert window.crop.contains(lane.region_at(other).crop)
