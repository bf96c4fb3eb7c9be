"""Windows, mirroring and the order of steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.schedule import Schedule, mirror

RANGES = st.integers(-50, 50).flatmap(lambda a: st.tuples(st.just(a), st.integers(a, a + 40)))


def test_mirror_matches_the_published_example():
    assert mirror(-3, 0, 9) == 3
    assert mirror(12, 0, 9) == 6


@given(st.integers(-500, 500), RANGES)
def test_mirror_lands_inside_and_keeps_what_is_inside(frame, ends):
    first, last = ends
    inside = mirror(frame, first, last)
    assert first <= inside <= last
    if first <= frame <= last:
        assert inside == frame


def test_sources_are_t_minus_6_to_t_plus_6_in_stream_order():
    steps = list(Schedule(first=0, last=30).steps())
    assert steps[10].sources == (4, 7, 13, 16)
    assert steps[0].sources == (6, 3, 3, 6)
    assert steps[30].sources == (24, 27, 27, 24)


def test_handles_are_used_before_mirroring():
    schedule = Schedule(first=10, last=20, lower=5, upper=23)
    first = next(schedule.steps())
    assert first.sources == (6, 7, 13, 16)
    assert schedule.step_of(20).sources == (14, 17, 23, 20)


@given(RANGES, st.integers(0, 9), st.lists(st.integers(-60, 100), max_size=4))
def test_every_frame_is_filled_once_in_order_and_nothing_crosses_a_cut(ends, warmup, cuts):
    first, last = ends
    schedule = Schedule(first=first, last=last, lower=first - 3, upper=last + 8, cuts=cuts, warmup=warmup)
    steps = list(schedule.steps())
    assert [step.position for step in steps if not step.warmup] == list(range(first, last + 1))
    for step in steps:
        for read in (step.frame, *step.sources):
            low, high = sorted((read, min(max(step.position, step.segment.first), step.segment.last)))
            assert not any(low < cut <= high for cut in cuts)


@given(RANGES, st.integers(0, 9), st.lists(st.integers(-60, 100), max_size=4))
def test_what_is_kept_is_enough_and_bounded(ends, warmup, cuts):
    schedule = Schedule(first=ends[0], last=ends[1], cuts=cuts, warmup=warmup)
    kept: set[int] = set()
    encoded_in_segment: set[int] = set()
    for step in schedule.steps():
        if step.starts:
            kept, encoded_in_segment = set(), set()
        new = set(step.sources) - kept
        # A long warm-up passes over the same frames twice, further apart than anything may be kept.
        assert warmup or not new & encoded_in_segment, "a frame would be encoded twice as a source"
        encoded_in_segment |= new
        kept = (kept | new) & schedule.needed_after(step)
        assert len(kept) <= 13


def test_steps_from_the_middle_continue_and_from_a_cut_start_again():
    schedule = Schedule(first=0, last=30, cuts=[12], warmup=2)
    middle = next(schedule.steps(5))
    assert (middle.position, middle.starts) == (5, False)
    cut = next(schedule.steps(12))
    assert (cut.position, cut.frame, cut.starts, cut.warmup) == (10, 14, True, True)


def test_a_handed_in_state_continues_without_warmup():
    schedule = Schedule(first=51, last=60, lower=1, upper=100, continues=True, warmup=4)
    step = next(schedule.steps())
    assert (step.position, step.starts) == (51, False)
    assert schedule.following(schedule.step_of(50)) == step


def test_cuts_outside_the_range_bound_the_handles():
    schedule = Schedule(first=20, last=30, lower=0, upper=50, cuts=[18, 33])
    assert (schedule.segments[0].lower, schedule.segments[0].upper) == (18, 32)


@pytest.mark.parametrize(("warmup", "changed", "touched"), [(0, 20, 14), (0, 3, 0), (4, 9, 0), (4, 11, 5)])
def test_a_change_touches_frames_from_six_before(warmup, changed, touched):
    assert Schedule(first=0, last=40, warmup=warmup).first_touched(changed) == touched


def test_a_matte_joined_with_its_neighbors_touches_as_many_frames_more():
    assert Schedule(first=0, last=40, matte_union=3).first_touched(20) == 11
    assert Schedule(first=0, last=40, matte_union=3, warmup=4).first_touched(13) == 0
    assert Schedule(first=0, last=40, matte_union=3, cuts=(15,)).first_touched(16) == 15


@given(RANGES, st.integers(0, 5), st.lists(st.integers(-60, 100), max_size=3), st.data())
def test_no_step_before_the_first_touched_reads_the_changed_frame(ends, warmup, cuts, data):
    first, last = ends
    schedule = Schedule(first=first, last=last, lower=first - 4, upper=last + 4, cuts=cuts, warmup=warmup)
    changed = data.draw(st.integers(first - 4, last + 4))
    touched = schedule.first_touched(changed)
    for step in schedule.steps():
        # A warm-up belongs to the frame it leads to.
        if max(step.position, step.segment.first) < touched:
            assert changed not in (step.frame, *step.sources)


def test_mirror_bounces_as_often_as_it_must_and_never_takes_long():
    assert [mirror(frame, 5, 8) for frame in range(14)] == [6, 7, 8, 7, 6, 5, 6, 7, 8, 7, 6, 5, 6, 7]
    assert mirror(10**15, 5, 8) == mirror(10**15 % 6, 5, 8)
    assert 5 <= mirror(-(10**15), 5, 8) <= 8
