import pytest

from plugin_core.motion.itinerary import last_stop, stopped_at, stops


@pytest.mark.parametrize(
    ("frame", "last"), [(0, 48), (1001, 1049), (1049, 1001), (7, 6), (3, 3), (5, -40), (10, 106)]
)
def test_it_arrives_in_strides_that_are_there(frame, last):
    here = frame
    for stop, _ in stops(frame, last):
        stride = abs(stop - here)
        assert stride in (1, 4, 8) and here % stride == stop % stride == 0
        here = stop
    assert here == last


def test_every_frame_near_by_is_looked_at_and_the_last():
    seen = [stop for stop, looked_at in stops(1001, 1046) if looked_at]
    assert seen[:8] == list(range(1002, 1010)) and seen[-1] == 1046
    assert all(stop % 4 == 0 for stop in seen[8:-1])


def test_looking_twice_as_far_adds_few_frames():
    count = {reach: sum(looked_at for _, looked_at in stops(0, reach)) for reach in (24, 48, 96)}
    assert count[24] == 12 and count[48] == 15 and count[96] == 21


@pytest.mark.parametrize(
    ("frame", "last", "end"), [(0, 48, 48), (1001, 1049, 1048), (1049, 1001, 1004), (6, 10, 10), (3, 3, 3)]
)
def test_a_way_ends_where_others_do(frame, last, end):
    assert last_stop(frame, last) == end


def test_what_is_kept_is_where_the_ways_of_all_frames_near_by_stop():
    take, span = range(953, 1051), 6
    kept = stopped_at(1000, range(1000 - 47, 1000 + 49), span)
    for frame in range(1000 - span, 1000 + span + 1):
        for end in (take[0], last_stop(frame, frame + 48)):
            assert {stop for stop, _ in stops(frame, end)} <= kept
    assert len(kept) < 64
