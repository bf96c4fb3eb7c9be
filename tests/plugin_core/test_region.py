"""The crop the network works on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.region import Box, choose_region

SIZES = st.tuples(st.integers(20, 900), st.integers(20, 900))


def boxes_in(size: tuple[int, int]) -> st.SearchStrategy[Box]:
    width, height = size

    def box(corner: tuple[int, int]) -> st.SearchStrategy[Box]:
        x0, y0 = corner
        ends = st.tuples(st.integers(x0 + 1, width), st.integers(y0 + 1, height))
        return ends.map(lambda end: Box(x0, y0, *end))

    return st.tuples(st.integers(0, width - 1), st.integers(0, height - 1)).flatmap(box)


PLACES = SIZES.flatmap(lambda size: st.tuples(st.just(size), boxes_in(size)))


@given(PLACES, st.sampled_from([8, 16]), st.one_of(st.none(), st.integers(0, 200)), st.integers(64, 700))
def test_the_crop_holds_the_hole_lies_on_the_plate_and_obeys_the_working_size(place, multiple, context, size):
    (width, height), hole = place
    region = choose_region(
        hole, width=width, height=height, multiple=multiple, context=context, working_size=size
    )
    assert region.crop.contains(hole)
    assert Box(0, 0, width, height).contains(region.crop)
    rows, columns = region.network_size
    assert rows % multiple == 0
    assert columns % multiple == 0
    if region.is_reduced:
        # Rounding both sides to whole pixels may exceed the area by half a pixel a side.
        assert (region.width - 0.5) * (region.height - 0.5) <= size * size


@given(PLACES)
def test_at_full_size_pixels_come_back_exactly(place):
    (width, height), hole = place
    region = choose_region(hole, width=width, height=height, multiple=16, context=None, working_size=4096)
    pixels = np.random.default_rng(1).random((height, width, 3), np.float32)
    cut = pixels[region.crop.slices]
    np.testing.assert_array_equal(region.restore(region.picture(cut)), cut)


@given(PLACES)
def test_a_reduced_mask_still_covers_the_hole(place):
    (width, height), hole = place
    region = choose_region(hole, width=width, height=height, multiple=16, context=50, working_size=64)
    whole = np.zeros((height, width), np.bool_)
    whole[hole.slices] = True
    mask = region.mask(whole[region.crop.slices])
    assert set(np.unique(mask)) <= {0.0, 1.0}
    covered = region.restore(np.repeat(mask, 3, axis=0))
    inside = hole.moved(-region.crop.x0, -region.crop.y0)
    assert (covered[inside.slices] > 0).all()


def test_a_small_change_of_the_matte_leaves_the_crop_alone():
    holes = [Box(500, 300, 700, 420), Box(498, 303, 700, 425)]
    crops = {
        choose_region(h, width=1920, height=1080, multiple=16, context=100, working_size=512).crop
        for h in holes
    }
    assert len(crops) == 1


def test_box_union_and_within():
    assert Box(0, 0, 2, 2).union(Box(5, 1, 6, 9)) == Box(0, 0, 6, 9)
    assert Box(0, 0, 2, 2).union(None) == Box(0, 0, 2, 2)
    assert Box(-4, -4, 20, 20).within(10, 12) == Box(0, 0, 10, 12)
