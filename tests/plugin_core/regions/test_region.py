"""A crop and what the network sees of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.box import Box
from plugin_core.regions.region import Region

PLATE = Box(0, 0, 300, 200)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """A crop that meets the plate and may reach beyond it."""
    multiple, step = draw(st.sampled_from([(8, 8), (16, 16), (16, 17), (16, 23), (16, 46), (8, 13)]))
    columns, rows = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    x0, y0 = draw(st.integers(-step + 1, 250)), draw(st.integers(-step + 1, 150))
    return Region(Box(x0, y0, x0 + columns * step, y0 + rows * step), PLATE, step, multiple)


def pixels() -> np.ndarray:
    return np.random.default_rng(1).random((PLATE.height, PLATE.width, 3), np.float32)


@given(regions())
def test_a_picture_has_the_networks_size_whatever_the_plate_does_not_have(region):
    picture = region.picture(pixels()[region.visible.slices])
    assert picture.shape == (3, *region.network_size)
    assert region.network_size[0] % region.multiple == region.network_size[1] % region.multiple == 0
    assert region.restore(picture).shape == (region.crop.height, region.crop.width, 3)


@given(regions())
def test_at_full_size_pixels_come_back_exactly(region):
    region = Region(region.crop, PLATE, region.step, region.step)
    seen = region.visible
    cut = pixels()[seen.slices]
    back = region.restore(region.picture(cut))
    np.testing.assert_array_equal(back[seen.moved(-region.crop.x0, -region.crop.y0).slices], cut)


@given(regions(), st.integers(0, 299), st.integers(0, 199), st.integers(1, 40))
def test_a_reduced_mask_still_covers_the_hole(region, x, y, size):
    whole = np.zeros((PLATE.height, PLATE.width), np.bool_)
    whole[y : y + size, x : x + size] = True
    mask = region.mask(whole[region.visible.slices])
    assert set(np.unique(mask)) <= {0.0, 1.0}
    rows, columns = np.nonzero(whole[region.visible.slices])
    rows = (rows + region.visible.y0 - region.crop.y0) * region.multiple // region.step
    columns = (columns + region.visible.x0 - region.crop.x0) * region.multiple // region.step
    assert (mask[0, rows, columns] == 1).all()


@given(regions(), st.data())
def test_a_part_of_a_larger_crop_is_what_the_crop_itself_gives(region, data):
    """Bit for bit: or a source's features would depend on where its crop goes later."""
    grow = [data.draw(st.integers(0, 4)) * region.step for _ in range(4)]
    crop = region.crop
    window = region.at(Box(crop.x0 - grow[0], crop.y0 - grow[1], crop.x1 + grow[2], crop.y1 + grow[3]))
    whole = pixels()
    part = window.part(window.picture(whole[window.visible.slices]), region)
    np.testing.assert_array_equal(part, region.picture(whole[region.visible.slices]))
    holes = whole[:, :, 0] > 0.7
    part = window.part(window.mask(holes[window.visible.slices]), region)
    np.testing.assert_array_equal(part, region.mask(holes[region.visible.slices]))


def test_a_shift_is_counted_in_network_pixels():
    region = Region(Box(46, 0, 46 + 92, 92), PLATE, step=46, multiple=16)
    assert region.shift_to(region.at(region.crop.moved(92, -46))) == (32, -16)


def test_crops_that_lie_no_whole_steps_apart_have_no_shift():
    region = Region(Box(0, 0, 32, 32), PLATE, step=16, multiple=16)
    with pytest.raises(ValueError, match="whole steps of 16"):
        region.shift_to(region.at(region.crop.moved(15, 0)))
    with pytest.raises(ValueError, match="whole steps"):
        region.shift_to(Region(region.crop, PLATE, 32, 16))


def test_box_union_shared_and_within():
    assert Box(0, 0, 2, 2).union(Box(5, 1, 6, 9)) == Box(0, 0, 6, 9)
    assert Box(0, 0, 2, 2).union() == Box(0, 0, 2, 2)
    assert Box(-4, -4, 20, 20).within(10, 12) == Box(0, 0, 10, 12)
    assert Box(0, 0, 4, 4).shared(Box(2, 3, 9, 9)) == Box(2, 3, 4, 4)
    assert Box(0, 0, 4, 4).shared(Box(4, 0, 9, 9)) is None
