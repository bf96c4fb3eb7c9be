"""The mapping between plate values and the network's range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.color import ColorMap, choose_color
from plugin_core.errors import SettingsError

VALUES = st.floats(-65504, 65504, width=32)


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_linear_round_trip_keeps_hdr_and_negative_values(values):
    plate = np.array(values, np.float32)
    back = ColorMap("linear").from_network(ColorMap("linear").to_network(plate))
    np.testing.assert_allclose(back, plate, rtol=2e-4, atol=2e-7)


def test_display_values_are_only_scaled():
    plate = np.array([0, 0.25, 1], np.float32)
    np.testing.assert_array_equal(ColorMap("display").to_network(plate), [-1, -0.5, 1])


@pytest.mark.parametrize(("linear", "srgb"), [(0.0, 0.0), (0.18, 0.46136), (0.5, 0.73536), (1.0, 1.0)])
def test_linear_follows_the_srgb_curve_up_to_one(linear, srgb):
    network = ColorMap("linear").to_network(np.array([linear], np.float32))
    assert (network[0] + 1) / 2 == pytest.approx(srgb, abs=1e-5)


def test_the_curve_rises_everywhere_and_has_no_step_at_one():
    plate = np.concatenate([np.linspace(-2, 2, 4001), np.geomspace(2.001, 65504, 500)]).astype(np.float32)
    network = ColorMap("linear").to_network(plate)
    assert (np.diff(network) > 0).all()
    near = ColorMap("linear").to_network(np.array([0.999, 1.0, 1.001], np.float32))
    assert near[2] - near[1] == pytest.approx(near[1] - near[0], rel=0.01)


@pytest.mark.parametrize(
    ("asked", "is_float", "encoding"),
    [
        ("auto", True, "linear"),
        ("auto", False, "display"),
        ("linear", False, "linear"),
        ("display", True, "display"),
    ],
)
def test_auto_takes_float_plates_for_linear(asked, is_float, encoding):
    assert choose_color(asked, is_float) == ColorMap(encoding)


def test_acescg_is_brought_to_rec709_before_the_curve():
    # White is white in both; ACEScg's pure green lies outside Rec.709: red and blue are negative there.
    aces = np.array([[[1, 1, 1], [0, 1, 0]]], np.float32)
    network = choose_color("ACEScg", True).to_network(aces)
    np.testing.assert_allclose(network[0, 0], [1, 1, 1], atol=1e-3)
    green = ColorMap("linear").from_network(network)[0, 1]
    np.testing.assert_allclose(green, [-0.62179, 1.14080, -0.12897], atol=2e-3)


@pytest.mark.parametrize("space", ["ACEScg", "ACES2065-1", "acescct", "scene_linear", "lin_rec709"])
def test_named_spaces_round_trip_with_a_sun_and_negative_values(space):
    plate = np.random.default_rng(3).uniform(-0.2, 1.5, (16, 16, 3)).astype(np.float32)
    if space == "acescct":
        # A log encoding holds 40.0 as 0.85; beside such a pixel float32 is coarse for dark ones.
        plate = np.clip(plate, 0.1, 0.85)
    else:
        plate[3, 4] = 40.0
    color = choose_color(space, True)
    back = color.from_network(color.to_network(plate))
    np.testing.assert_allclose(back, plate, rtol=2e-4, atol=5e-4 if space == "acescct" else 2e-5)


def test_a_display_space_arrives_as_it_is():
    plate = np.random.default_rng(3).random((8, 8, 3), np.float32)
    network = choose_color("sRGB Encoded Rec.709 (sRGB)", False).to_network(plate)
    np.testing.assert_allclose(network, 2 * plate - 1, atol=1e-3)


def test_an_unknown_space_names_its_neighbors():
    with pytest.raises(SettingsError, match=r"'ACESgc' is not in .*did you mean.*ACEScg"):
        choose_color("ACESgc", True)
