from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugin_core.errors import ImageError
from plugin_core.images import Header, Matte, matte_from, matte_on, read_header, read_matte, read_plate

from ..pictures_on_disk import save, spec_of

W, H = 40, 30
SHAPE = np.zeros((H, W), np.float32)
SHAPE[5:20, 8:30] = 1
SHAPE[20:22, 8:30] = 0.5
PICTURE = np.random.default_rng(0).random((H, W), dtype=np.float32)
ZERO, ONE = np.zeros_like(SHAPE), np.ones_like(SHAPE)


def write(path: Path, channels: dict[str, NDArray[np.float32]], kind: str = "half", **details: Any) -> Path:
    pixels = np.stack(list(channels.values()), axis=2)
    spec = spec_of(pixels.shape[1], pixels.shape[0], list(channels), kind, **details)
    return save(path, (spec, pixels))


@pytest.mark.parametrize("name", ["Y", "V", "A", "Z", "matte.mask"])
def test_only_channel_is_the_matte(tmp_path: Path, name: str) -> None:
    matte = read_matte(write(tmp_path / "m.exr", {name: SHAPE}))
    np.testing.assert_array_equal(matte.values, SHAPE)
    assert (matte.channel, matte.values.dtype, matte.unknown) == (name, np.float32, None)


@pytest.mark.parametrize(
    ("channels", "used"),
    [
        ({"R": PICTURE, "G": PICTURE, "B": PICTURE, "A": SHAPE}, "A"),
        ({"R": PICTURE, "G": PICTURE, "B": PICTURE, "A": ZERO}, "A"),
        ({"R": SHAPE, "G": SHAPE, "B": SHAPE, "A": ONE}, "largest of R, G, B"),
        ({"R": ZERO, "G": SHAPE, "B": ZERO, "A": ONE}, "largest of R, G, B"),
        ({"R": ZERO, "G": ZERO, "B": SHAPE}, "largest of R, G, B"),
        ({"Y": PICTURE, "A": SHAPE}, "A"),
        ({"depth.Z": PICTURE, "V": SHAPE}, "V"),
        ({"depth.Z": PICTURE, "mask": SHAPE}, "mask"),
    ],
)
def test_matte_is_found(tmp_path: Path, channels: dict[str, NDArray[np.float32]], used: str) -> None:
    matte = read_matte(write(tmp_path / "m.exr", channels))
    expected = ZERO if channels.get("A") is ZERO else SHAPE
    np.testing.assert_array_equal(matte.values, expected)
    assert matte.channel == used


def test_opaque_picture_without_a_shape_is_an_empty_matte(tmp_path: Path) -> None:
    """A frame from which the object has left: alpha is 1 as on the frames before it, and nothing is drawn."""
    matte = read_matte(write(tmp_path / "m.png", {"R": ZERO, "G": ZERO, "B": ZERO, "A": ONE}, "uint8"))
    assert not matte.values.any()


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_integers_are_scaled(tmp_path: Path, kind: str, extension: str) -> None:
    matte = read_matte(write(tmp_path / f"m{extension}", {"Y": SHAPE}, kind))
    np.testing.assert_array_equal(matte.values[SHAPE != 0.5], SHAPE[SHAPE != 0.5])
    np.testing.assert_allclose(matte.values, SHAPE, atol=0.51 / 255)


@pytest.mark.parametrize(
    ("channel", "value"),
    [("R", 0.25), ("g", 0.5), ("B", 1.0), ("A", 0.75), ("Id.mask", 0.125), ("luminance", 0.48295)],
)
def test_channel_by_name(tmp_path: Path, channel: str, value: float) -> None:
    levels = {"R": 0.25, "G": 0.5, "B": 1.0, "A": 0.75, "Id.mask": 0.125}
    path = write(tmp_path / "m.exr", {name: ONE * np.float32(level) for name, level in levels.items()})
    np.testing.assert_allclose(read_matte(path, channel).values, value, atol=1e-6)
    np.testing.assert_allclose(matte_from(read_plate(path), channel).values, value, atol=1e-6)


def test_channel_of_another_part(tmp_path: Path) -> None:
    rgba = spec_of(W, H, "RGBA", "half", oiio__subimagename="rgba")
    mask = spec_of(W, H, ["roto.A", "roto.V"], "float", oiio__subimagename="roto")
    path = save(tmp_path / "m.exr", (rgba, np.dstack([PICTURE] * 4)), (mask, np.dstack([ZERO, SHAPE])))
    np.testing.assert_array_equal(read_matte(path, "roto.V").values, SHAPE)


@pytest.mark.parametrize(
    ("channel", "message"),
    [("holdout", r"no channel 'holdout'; it has U, V1"), ("auto", "say which"), ("luminance", "no R, G, B")],
)
def test_matte_that_cannot_be_told_is_refused(tmp_path: Path, channel: str, message: str) -> None:
    path = write(tmp_path / "m.exr", {"U": SHAPE, "V1": SHAPE})
    with pytest.raises(ImageError, match=message):
        read_matte(path, channel)


def test_values_are_limited_and_nan_is_filled(tmp_path: Path) -> None:
    odd = SHAPE.copy()
    odd[0, :4] = [-1, 7, np.inf, np.nan]
    matte = read_matte(write(tmp_path / "m.exr", {"A": odd}))
    assert matte.values[0, :4].tolist() == [0, 1, 1, 1]
    assert matte.unknown is not None and matte.unknown.sum() == 1


def header_of(tmp_path: Path, **window: int) -> Header:
    names = dict.fromkeys("RGB", PICTURE)
    return read_header(write(tmp_path / "plate.exr", names, **window))


def test_matte_smaller_than_the_plate_is_zero_around(tmp_path: Path) -> None:
    plate = header_of(tmp_path, full_width=W, full_height=H)
    cropped = {"x": 8, "y": 5, "full_width": W, "full_height": H}
    matte = read_matte(write(tmp_path / "m.exr", {"A": SHAPE[5:25, 8:35]}, **cropped))
    np.testing.assert_array_equal(matte_on(plate, matte), SHAPE)


def test_matte_on_a_plate_with_overscan(tmp_path: Path) -> None:
    plate = header_of(tmp_path, x=-10, y=-5, full_width=W - 20, full_height=H - 10)
    inner = SHAPE[5 : H - 5, 10 : W - 10]
    matte = read_matte(write(tmp_path / "m.png", {"Y": inner}, "uint8"))
    expected = np.zeros((H, W), np.float32)
    expected[5 : H - 5, 10 : W - 10] = matte.values
    np.testing.assert_array_equal(matte_on(plate, matte), expected)


def test_matte_beside_the_plate_is_zero(tmp_path: Path) -> None:
    plate = header_of(tmp_path, full_width=500, full_height=500)
    away = {"x": 300, "y": 300, "full_width": 500, "full_height": 500}
    assert not matte_on(plate, read_matte(write(tmp_path / "m.exr", {"A": ONE}, **away))).any()


def test_display_windows_are_laid_on_each_other(tmp_path: Path) -> None:
    """One application counts from 0, the other from 1000."""
    plate = header_of(tmp_path, x=1000, y=1000, full_x=1000, full_y=1000)
    matte = read_matte(write(tmp_path / "m.png", {"Y": SHAPE}, "uint8"))
    assert matte_on(plate, matte) is matte.values


def test_other_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    plate = header_of(tmp_path)
    matte = read_matte(write(tmp_path / "m.png", {"Y": SHAPE[:20]}, "uint8"))
    with pytest.raises(ImageError, match=r"plate\.exr is 40x30 and matte .*m\.png is 40x20"):
        matte_on(plate, matte)


@given(st.integers(-60, 60), st.integers(-60, 60), st.integers(-60, 60), st.integers(-60, 60))
def test_placing_agrees_with_looking_every_pixel_up(px: int, py: int, mx: int, my: int) -> None:
    values = np.random.default_rng(0).random((17, 23), dtype=np.float32)
    display = (0, 0, 50, 40)
    path = Path("m.exr")
    matte = Matte(path, (mx, my, 23, 17), display, "A", values)
    plate = Header(
        path,
        "openexr",
        20,
        15,
        ("Y",),
        ("half",),
        (px, py, 20, 15),
        display,
        1.0,
        None,
        None,
        0,
        True,
        0,
        1,
        (0,),
    )
    placed = matte_on(plate, matte)
    for row, column in ((0, 0), (14, 19), (7, 3), (3, 16)):
        y, x = py + row - my, px + column - mx
        inside = 0 <= y < 17 and 0 <= x < 23
        assert placed[row, column] == (values[y, x] if inside else 0)


def test_inverted_what_is_unknown_is_still_filled(tmp_path: Path) -> None:
    values = SHAPE.copy()
    values[0, :3] = np.nan
    matte = read_matte(write(tmp_path / "m.exr", {"A": values}, "float")).inverted()
    expected = 1 - SHAPE
    assert expected[0, 0] == 1
    np.testing.assert_array_equal(matte.values, expected)
    np.testing.assert_array_equal(matte.inverted().values[0, :4], np.array([1, 1, 1, 0], np.float32))


def test_inverted_what_a_matte_leaves_out_of_its_display_window_is_white(tmp_path: Path) -> None:
    """The plate has overscan, for which there is no matte."""
    small = write(tmp_path / "m.exr", {"A": SHAPE[5:20, 8:30]}, x=8, y=5, full_width=W, full_height=H)
    wide = {"R": np.zeros((H + 8, W + 4), np.float32)}
    wide |= {"G": wide["R"], "B": wide["R"]}
    plate = read_header(write(tmp_path / "p.exr", wide, x=-2, y=-4, full_width=W, full_height=H))
    placed = matte_on(plate, read_matte(small).inverted())
    expected = np.zeros((H + 8, W + 4), np.float32)
    expected[4 : 4 + H, 2 : 2 + W] = SHAPE < 1
    expected[4 + 20 : 4 + 22, 2 + 8 : 2 + 30] = 1
    np.testing.assert_array_equal(placed, expected)
