"""Layers that show what the network saw and said: where they lie, and in which units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.box import Box
from plugin_core.color.color_map import ColorMap
from plugin_core.compose.debug_layers import CropView, debug_picture, says_nothing
from plugin_core.images import Plate, read_plate, write_plate
from plugin_core.job.settings import Settings
from plugin_core.network.contract import Carry, StepOutput
from plugin_core.regions.hole import hole_of
from plugin_core.regions.region import Region

from ..pictures_on_disk import save, spec_of

WIDTH, HEIGHT = 120, 80
PLATE = Box(0, 0, WIDTH, HEIGHT)
OFFSETS = (-6, -3, 3, 6)
COLOR = ColorMap("linear")


@pytest.fixture
def plate(tmp_path) -> Plate:
    """With overscan and wide pixels."""
    pixels = np.random.default_rng(0).random((HEIGHT, WIDTH, 3), np.float32)
    pixels[40, 60] = np.nan
    spec = spec_of(
        WIDTH, HEIGHT, ("R", "G", "B"), "float", x=-10, y=-4, full_x=0, full_y=0, full_width=100,
        full_height=72, PixelAspectRatio=2.0,
    )  # fmt: skip
    return read_plate(save(tmp_path / "p.exr", (spec, pixels)))


def output(height: int, width: int, *, flow: float = 0.0, flows: bool = True) -> StepOutput:
    debug = {"raw": np.full((1, 3, height, width), 0.25, np.float32)}
    if flows:
        debug["flow_s2"] = np.full((5, 2, height // 4, width // 4), flow, np.float32)
        debug["flow_output"] = np.full((1, 2, height, width), flow, np.float32)
    half = np.full((1, 1, height // 8, width // 8), 0.5, np.float32)
    debug |= {"mask_s8": half, "mask_s1": half}
    return StepOutput(np.zeros((3, height, width), np.float32), Carry({}), debug)


def written(tmp_path: Path, picture: Plate) -> tuple[oiio.ImageSpec, dict[str, np.ndarray]]:
    path = tmp_path / "debug.exr"
    write_plate(picture, path)
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    pixels = file.read_image("float")
    file.close()
    return spec, {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def test_layers_lie_over_the_crop_and_tell_the_difference(tmp_path, plate):
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[30:50, 50:70] = 1
    hole = hole_of(matte, Settings(feather=2, grow=0))
    clean = plate.with_patch(np.ones((20, 20, 3), np.float32), np.ones((20, 20), np.bool_), 50, 30)
    region = Region(Box(32, 16, 96, 80), PLATE, 64, 64)
    mask = np.zeros((1, 64, 64), np.float32)
    mask[0, 14:34, 18:38] = 1
    view = CropView(region, mask, output(64, 64, flow=1.5))
    spec, layers = written(
        tmp_path, debug_picture(tmp_path / "debug.exr", plate, clean, hole, [view], COLOR, OFFSETS)
    )
    assert (spec.x, spec.y, spec.width, spec.height) == (22, 12, 64, 64)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 100, 72)
    assert spec.get_float_attribute("PixelAspectRatio") == 2.0
    assert spec.get_string_attribute("cleanplate/crops") == "22,12,64,64 at 64x64"
    inside = np.zeros((64, 64), np.bool_)
    inside[14:34, 18:38] = True
    difference = clean.crop(*region.crop)[..., 1] - plate.crop(*region.crop)[..., 1]
    np.testing.assert_array_equal(layers["difference.G"][inside], difference[inside])
    assert not layers["difference.G"][~inside].any()
    np.testing.assert_array_equal(layers["mask.seen"] > 0, inside)
    assert (layers["mask.weight"][inside] == 1).all() and layers["mask.weight"][12, 20] > 0
    np.testing.assert_array_equal(layers["R"], clean.crop(*region.crop)[..., 0])
    raw = COLOR.from_network(np.full((1, 1, 3), 0.25, np.float32))[0, 0, 0]
    np.testing.assert_allclose(layers["raw.R"], raw, rtol=1e-5)
    np.testing.assert_allclose(layers["flow_m6.x"], 6, rtol=1e-5)
    np.testing.assert_allclose(layers["flow_previous.y"], 6, rtol=1e-5)
    np.testing.assert_allclose(layers["flow_output.x"], 1.5, rtol=1e-5)
    np.testing.assert_allclose(layers["compose.s8"], 0.5, rtol=1e-5)
    assert {"flow_m3.x", "flow_p3.x", "flow_p6.y", "compose.output", "fill.B", "crop.number"} <= set(layers)
    assert "compose.s4" not in layers


def test_flows_of_a_reduced_crop_count_plate_pixels(tmp_path, plate):
    region = Region(Box(0, 0, 96, 64), PLATE, 32, 16)
    view = CropView(region, np.zeros((1, 32, 48), np.float32), output(32, 48, flow=1.0))
    _, layers = written(
        tmp_path, debug_picture(tmp_path / "debug.exr", plate, plate, None, [view], COLOR, OFFSETS)
    )
    np.testing.assert_allclose(layers["flow_p6.x"], 8, rtol=1e-5)
    np.testing.assert_allclose(layers["flow_output.y"], 2, rtol=1e-5)
    assert not layers["difference.R"].any() and not layers["mask.weight"].any()


def test_several_crops_lie_side_by_side(tmp_path, plate):
    regions = [Region(Box(0, 0, 32, 32), PLATE, 16, 16), Region(Box(64, 32, 96, 64), PLATE, 16, 16)]
    views = [CropView(region, np.ones((1, 32, 32), np.float32), output(32, 32)) for region in regions]
    spec, layers = written(
        tmp_path, debug_picture(tmp_path / "debug.exr", plate, plate, None, views, COLOR, OFFSETS)
    )
    assert (spec.width, spec.height) == (96, 64)
    assert layers["crop.number"][0, 0] == 1 and layers["crop.number"][63, 95] == 2
    assert layers["crop.number"][0, 95] == 0 and layers["mask.seen"][0, 95] == 0


def test_what_a_model_has_not_is_left_out_and_flows_of_zero_are_known(tmp_path, plate):
    region = Region(Box(0, 0, 32, 32), PLATE, 16, 16)
    bare = output(32, 32, flows=False)
    view = CropView(region, np.ones((1, 32, 32), np.float32), bare)
    _, layers = written(
        tmp_path, debug_picture(tmp_path / "debug.exr", plate, plate, None, [view], COLOR, OFFSETS)
    )
    assert not [name for name in layers if name.startswith("flow")]
    assert says_nothing(bare) and says_nothing(output(32, 32)) and not says_nothing(output(32, 32, flow=1))
