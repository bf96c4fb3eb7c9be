"""The mapping between plate values and the network's range."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.color.color_map import ColorMap, choose_color
from plugin_core.color.ocio import conversion_for
from plugin_core.color.primaries import NAMED, Primaries, primaries_for
from plugin_core.errors import ImageError, SettingsError
from plugin_core.images import Header
from plugin_core.images.color_tags import ColorTags

VALUES = st.floats(-65504, 65504, width=32)
CONFIG = ocio.Config.CreateFromBuiltinConfig("studio-config-latest")
NO_INVERSE = {"ACEScc", "ADX16"}
"""ACEScc has no value below 2**-16 but one, ADX16 a table that ends: their random codes do not come back."""
COLORS = sorted(
    name
    for name in CONFIG.getColorSpaceNames()
    if not CONFIG.getColorSpace(name).isData() and name not in NO_INVERSE
)
LOGS = [
    "ARRI LogC3 (EI800)",
    "ARRI LogC4",
    "S-Log3 S-Gamut3",
    "S-Log3 S-Gamut3.Cine",
    "V-Log V-Gamut",
    "Log3G10 REDWideGamutRGB",
    "acescct",
    "cineon",
]


def header(kind: str = "openexr", is_float: bool = True, **tags: object) -> Header:
    """Enough of a header to choose a color by."""
    return Header(
        path=Path("p.exr"), format=kind, width=8, height=8, channels=("R", "G", "B"), types=("half",) * 3,
        data_window=(0, 0, 8, 8), display_window=(0, 0, 8, 8), pixel_aspect=1.0, colorspace=None,
        compression=None, bits=0, is_float=is_float, part=0, parts=1, fill_channels=(0, 1, 2),
        color=ColorTags(**tags),
    )  # fmt: skip


FLOAT = header()


@given(st.lists(VALUES, min_size=1, max_size=20), st.integers(-8, 8))
def test_linear_round_trip_keeps_hdr_and_negative_values(values, stops):
    plate = np.array(values, np.float32)
    color = ColorMap("linear", stops=stops)
    back = color.from_network(color.to_network(plate))
    np.testing.assert_allclose(back, plate, rtol=2e-4, atol=2e-7 * 2.0**-stops)


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
    [("linear", False, "linear"), ("display", True, "display"), ("Linear", True, "linear")],
)
def test_named_encodings_need_no_configuration_and_no_note(asked, is_float, encoding):
    choice = choose_color(asked, header(is_float=is_float))
    assert (choice.color, choice.notes) == (ColorMap(encoding), ())


AUTO = [
    ({}, "scene-linear Rec.709", "floating point and the file says nothing"),
    ({"is_float": False}, "display-referred", "integers and the file says nothing"),
    ({"name": "ACEScg", "said_by": "colorspace"}, "ACEScg", "colorspace says 'ACEScg'"),
    ({"name": "Linear Rec.709 (sRGB)", "said_by": "colorspace"}, "scene-linear Rec.709", "colorspace says"),
    ({"name": "lin_ap1_scene", "said_by": "oiio:ColorSpace"}, "ACEScg", "lin_ap1_scene"),
    ({"name": "ARRI LogC4", "said_by": "colorspace"}, "ARRI LogC4", "ARRI LogC4"),
    ({"name": "srgb_rec709_scene", "is_float": False}, "display-referred", "srgb_rec709_scene"),
    ({"aces": True}, "ACES2065-1", "ACES container"),
    ({"chromaticities": NAMED["ACEScg"]}, "ACEScg", "those of ACEScg"),
    ({"chromaticities": NAMED["Linear Rec.709 (sRGB)"]}, "scene-linear Rec.709", "those of Linear Rec.709"),
    ({"chromaticities": (0.63, 0.341, 0.287, 0.611, 0.149, 0.0712, 0.3155, 0.3316)}, "scene-linear of its",
     "no known space"),
    ({"kind": "dpx", "is_float": False, "transfer": "Logarithmic"}, "Cineon", "says Logarithmic"),
    ({"kind": "dpx", "is_float": False, "transfer": "Linear"}, "display-referred", "integer DPX say"),
    ({"kind": "dpx", "is_float": False, "transfer": "ITU-R 709-4"}, "display-referred", "ITU-R 709-4"),
    ({"kind": "png", "is_float": False, "cicp": (9, 16, 0, 1)}, "Rec.2100-PQ - Display", "transfer 16"),
    ({"kind": "png", "is_float": False, "cicp": (9, 18, 0, 1)}, "Rec.2100-HLG - Display", "transfer 18"),
    ({"kind": "movie", "is_float": False, "cicp": (1, 1, 0, 1)}, "display-referred", "transfer 1"),
    ({"kind": "jpegxl", "cicp": (1, 8, 0, 1)}, "scene-linear Rec.709", "transfer 8"),
    ({"kind": "jpegxl", "cicp": (9, 8, 0, 1)}, "Linear Rec.2020", "transfer 8"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "taken", "why"), AUTO)
def test_auto_takes_what_the_file_says_and_says_so(tags, taken, why):
    choice = choose_color("auto", header(**tags))
    assert choice.color.name.startswith(taken)
    assert len(choice.notes) == 1 and why in choice.notes[0] and taken in choice.notes[0]


def test_auto_refuses_a_space_that_nobody_knows():
    with pytest.raises(SettingsError, match=r"colorspace says it is in 'Studio Log'.*--colorspace"):
        choose_color("auto", header(name="Studio Log", said_by="colorspace"))
    with pytest.raises(ImageError, match="span no color space"):
        choose_color("auto", header(chromaticities=(0.3,) * 8))


@pytest.mark.parametrize("name", [name for name in NAMED if name in CONFIG.getColorSpaceNames()])
def test_primaries_are_those_of_opencolorio(name):
    pixels = np.random.default_rng(5).uniform(-0.5, 4, (50, 3)).astype(np.float32)
    ours, theirs = Primaries(name, NAMED[name]), conversion_for(name)
    # OpenColorIO takes another adaptation (CAT02) for the cameras' gamuts than for the rest (Bradford).
    far = 0.04 if any(word in name for word in ("ARRI", "S-Gamut", "DaVinci")) else 3e-3
    np.testing.assert_allclose(ours.to_linear(pixels), theirs.to_linear(pixels), atol=far)
    np.testing.assert_allclose(ours.from_linear(ours.to_linear(pixels)), pixels, atol=1e-5)
    assert primaries_for(NAMED[name]).space == name


def test_acescg_is_brought_to_rec709_before_the_curve():
    # White is white in both; ACEScg's pure green lies outside Rec.709: red and blue are negative there.
    aces = np.array([[[1, 1, 1], [0, 1, 0]]], np.float32)
    network = choose_color("ACEScg", FLOAT).color.to_network(aces)
    np.testing.assert_allclose(network[0, 0], [1, 1, 1], atol=1e-3)
    green = ColorMap("linear").from_network(network)[0, 1]
    np.testing.assert_allclose(green, [-0.62179, 1.14080, -0.12897], atol=2e-3)


@pytest.mark.parametrize("stops", [0, 4, -3])
@pytest.mark.parametrize("space", ["ACEScg", "ACES2065-1", "scene_linear", "lin_rec709", "linear"])
def test_scene_linear_spaces_keep_a_sun_and_negative_values(space, stops):
    plate = np.random.default_rng(3).uniform(-0.2, 1.5, (16, 16, 3)).astype(np.float32)
    plate[3, 4] = 40.0
    color = choose_color(space, FLOAT).color.exposed(stops)
    back = color.from_network(color.to_network(plate))
    np.testing.assert_allclose(back, plate, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("space", LOGS)
def test_log_plates_come_back_from_beyond_the_curve(space):
    """Codes of a gray ramp from below black to far above the camera's own white."""
    codes = np.repeat(np.linspace(-0.02, 1.25, 500, dtype=np.float32)[:, None], 3, axis=1)[None]
    color = choose_color(space, FLOAT).color
    network = color.to_network(codes)
    assert np.isfinite(network).all() and (np.diff(network[0, :, 0]) > 0).all()
    np.testing.assert_allclose(color.from_network(network), codes, atol=2e-4)


@pytest.mark.parametrize("space", COLORS)
def test_every_space_of_the_studio_configuration_round_trips(space):
    """Soft colors over the whole range of codes: a picture's, not a laser's."""
    gray = np.random.default_rng(3).random((400, 1, 1), np.float32)
    plate = np.clip(gray + np.random.default_rng(4).normal(0, 0.02, (400, 1, 3)), 0, 1).astype(np.float32)
    color = choose_color(space, FLOAT).color
    np.testing.assert_allclose(color.from_network(color.to_network(plate)), plate, atol=1.5e-3)


def test_cineon_has_its_reference_points():
    color = choose_color("cineon", FLOAT).color
    codes = np.array([[95, 95, 95], [685, 685, 685], [470, 470, 470]], np.float32) / 1023
    np.testing.assert_allclose(color.to_linear(codes)[:, 0], [0, 1, 0.1836], atol=1e-3)


def test_a_display_space_arrives_as_it_is():
    plate = np.random.default_rng(3).random((8, 8, 3), np.float32)
    network = choose_color("sRGB Encoded Rec.709 (sRGB)", FLOAT).color.to_network(plate)
    np.testing.assert_allclose(network, 2 * plate - 1, atol=1e-3)


def test_exposure_is_a_factor_of_two_and_none_for_display():
    plate = np.random.default_rng(3).random((8, 8, 3), np.float32)
    color = ColorMap("linear")
    np.testing.assert_array_equal(color.exposed(4).to_network(plate / 16), color.to_network(plate))
    assert ColorMap("display").exposed(4) == ColorMap("display")
    assert color.exposed(4).key != color.key


def test_an_unknown_space_names_its_neighbors():
    with pytest.raises(SettingsError, match=r"'ACESgc' is not in .*did you mean.*ACEScg"):
        choose_color("ACESgc", FLOAT)
    with pytest.raises(SettingsError, match="is for data"):
        choose_color("Raw", FLOAT)


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A studio's own configuration: one space of its own, with a name that no other has."""
    config = ocio.Config.CreateFromStream(ocio.Config.CreateRaw().serialize())
    for name, factor in (("lin_srgb", None), ("Show Linear", 0.5)):
        space = ocio.ColorSpace(name=name)
        if factor is not None:
            matrix = [factor, 0, 0, 0, 0, factor, 0, 0, 0, 0, factor, 0, 0, 0, 0, 1]
            space.setTransform(ocio.MatrixTransform(matrix), ocio.COLORSPACE_DIR_TO_REFERENCE)
        config.addColorSpace(space)
    config.setRole("scene_linear", "lin_srgb")
    path = tmp_path / "config.ocio"
    path.write_text(config.serialize())
    return path


def test_names_are_those_of_the_given_configuration_or_the_environment(studio, monkeypatch):
    half = choose_color("Show Linear", FLOAT, str(studio)).color
    np.testing.assert_allclose(half.to_linear(np.ones((1, 3), np.float32)), 0.5, atol=1e-6)
    with pytest.raises(SettingsError, match="'ACEScg' is not in"):
        choose_color("ACEScg", FLOAT, str(studio))
    monkeypatch.setenv("OCIO", str(studio))
    assert choose_color("show linear", FLOAT).color == half
    # What a file says is found in the built-in configuration where the studio's has no such name.
    found = choose_color("auto", header(name="ARRI LogC4", said_by="colorspace"))
    assert found.color.name.startswith("ARRI LogC4")
    assert choose_color("auto", dataclasses.replace(FLOAT)).color == ColorMap("linear")


def test_a_configuration_that_is_not_one_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="is not there"):
        choose_color("ACEScg", FLOAT, str(tmp_path / "gone.ocio"))
    (tmp_path / "bad.ocio").write_text("this: is: not a configuration")
    with pytest.raises(SettingsError, match="can't be read"):
        choose_color("ACEScg", FLOAT, str(tmp_path / "bad.ocio"))


def test_another_table_is_another_key(studio):
    before = choose_color("Show Linear", FLOAT, str(studio)).color.key
    other = studio.with_name("other.ocio")
    other.write_text(studio.read_text().replace("0.5", "0.25"))
    assert choose_color("Show Linear", FLOAT, str(other)).color.key != before
