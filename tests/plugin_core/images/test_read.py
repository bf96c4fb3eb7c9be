"""Promise 1: what is not filled is written back bit for bit, with everything that came with it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

import plugin_core.images.read
from plugin_core.errors import ImageError
from plugin_core.images import Plate, formats_lossy, output_notes, read_header, read_plate, write_plate
from plugin_core.images.png_chunks import chunks_before_pixels, is_untagged

from ..pictures_on_disk import (
    color_profile,
    described,
    exr_attributes,
    native_channels,
    random_fill,
    save,
    save_exr_by_hand,
    save_png_by_hand,
    spec_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

W, H = 70, 50
HDR = (np.random.default_rng(1).normal(size=(H, W, 8)) * 30).astype(np.float32)
U8 = np.random.default_rng(2).integers(0, 256, (H, W, 4)).astype(np.uint8)
U16 = np.random.default_rng(3).integers(0, 65536, (H, W, 4)).astype(np.uint16)
LOSSLESS_EXR = ("none", "rle", "zip", "zips", "piz", "pxr24")


def fill_and_write(path: Path, tmp_path: Path) -> tuple[Plate, NDArray[np.float32], NDArray[np.bool_], Path]:
    plate = read_plate(path)
    rgb, where = random_fill(plate)
    out = tmp_path / f"out{path.suffix}"
    write_plate(plate.with_rgb(rgb, where), out)
    return plate, rgb, where, out


def assert_untouched_is_untouched(
    path: Path, tmp_path: Path, *, exact_fill: float = 0.0, without: tuple[str, ...] = ()
) -> None:
    """Fill a part of the picture, write it, and compare the files: pixels, channels, windows, attributes."""
    plate, rgb, where, out = fill_and_write(path, tmp_path)
    before, after = native_channels(path), native_channels(out)
    assert len(before) == len(after)
    first = sum(part.spec.nchannels for part in plate.parts[: plate.header.part])
    filled = {first + c for c in plate.header.fill_channels}
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        assert one.dtype == other.dtype
        keep = ~where if index in filled else np.ones(one.shape, np.bool_)
        assert one[keep].tobytes() == other[keep].tobytes(), f"channel {index} changed outside the hole"
    wanted = rgb.mean(axis=2, keepdims=True) if plate.header.is_gray else rgb
    assert np.abs(read_plate(out).rgb - wanted)[where].max() <= exact_fill
    assert described(path, without) == described(out, without)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("compression", LOSSLESS_EXR)
@pytest.mark.parametrize(
    ("names", "types", "error"),
    [
        (("R", "G", "B", "A"), "half", 2.5e-4),
        (("R", "G", "B"), "float", 1e-4),
        (("R", "G", "B", "A", "Z", "id"), ("half", "half", "half", "half", "float", "uint"), 2.5e-4),
        (("R", "G", "B", "Z"), ("half", "half", "half", "float"), 2.5e-4),
    ],
)
def test_exr_of_any_lossless_compression(
    tmp_path: Path, compression: str, names: tuple[str, ...], types: Any, error: float
) -> None:
    spec = spec_of(W, H, names, types, compression=compression)
    pixels = np.abs(HDR) % 1 if "uint" in types else HDR
    path = save(tmp_path / "plate.exr", (spec, pixels[..., : len(names)]))
    assert_untouched_is_untouched(path, tmp_path, exact_fill=error)


@pytest.mark.parametrize("compression", ["b44", "b44a", "dwaa", "dwab"])
def test_lossy_exr_is_written_lossless_and_said(tmp_path: Path, compression: str) -> None:
    path = save(tmp_path / "p.exr", (spec_of(W, H, "RGBA", "half", compression=compression), HDR[..., :4]))
    plate = read_plate(path)
    notes = write_plate(plate, tmp_path / "out.exr")
    assert any(compression in note and "zip" in note for note in notes)
    assert output_notes(plate.header, ".exr") == notes
    stored = ("compression", "oiio:RowsPerChunk", "openexr:dwaCompressionLevel")
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4, without=stored)


def test_every_bit_pattern_survives_in_mixed_types(tmp_path: Path) -> None:
    """Every half there is, NaN with payload and signal included, beside all kinds of 32-bit values."""
    rng = np.random.default_rng(4)
    halves = np.arange(65536, dtype="<u2").reshape(256, 256)
    words = rng.integers(0, 2**32, (2, 256, 256)).astype("<u4")
    words[:, 0, :4] = 0, 2**32 - 1, 0x7F800001, 0xFF800000
    channels = {
        "R": halves.view("<f2"),
        "G": halves[::-1].copy().view("<f2"),
        "B": halves.T.copy().view("<f2"),
        "Z": words[0].view("<f4"),
        "id": words[1],
    }
    path = save_exr_by_hand(tmp_path / "p.exr", channels)
    plate = read_plate(path)
    rgb, where = random_fill(plate)
    write_plate(plate.with_rgb(rgb, where), tmp_path / "out.exr")
    found = native_channels(tmp_path / "out.exr")
    for name, pixels in zip(("R", "G", "B"), found, strict=False):
        assert pixels[~where].tobytes() == channels[name][~where].tobytes()
    assert found[3].tobytes() == channels["Z"].tobytes()
    assert found[4].tobytes() == channels["id"].tobytes()


def test_nan_and_infinity_stay_outside_the_hole(tmp_path: Path) -> None:
    pixels = HDR[..., :3].astype(np.float16)
    pixels[:5] = [np.nan, np.inf, -np.inf]
    path = save(tmp_path / "p.exr", (spec_of(W, H, "RGB", "half"), pixels))
    plate = read_plate(path)
    assert np.isnan(plate.rgb[0, 0, 0]) and plate.rgb[0, 0, 1] == np.inf
    where = np.zeros((H, W), np.bool_)
    where[3:10] = True
    write_plate(plate.with_rgb(np.full((H, W, 3), 0.5, np.float32), where), tmp_path / "out.exr")
    written = native_channels(tmp_path / "out.exr")
    assert np.isnan(written[0][:3]).all() and np.isinf(written[1][:3]).all()
    assert (np.stack(written)[:, 3:10] == 0.5).all()


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("window", [{}, {"x": -13, "y": -7, "full_width": 40, "full_height": 30}])
def test_tiled_exr(tmp_path: Path, mixed: bool, window: dict[str, int]) -> None:
    types = ("half", "half", "half", "uint") if mixed else ("half",) * 4
    spec = spec_of(W, H, ("R", "G", "B", "id"), types, tile_width=32, tile_height=16, **window)
    path = save(tmp_path / "p.exr", (spec, np.abs(HDR[..., :4]) % 1))
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4)


@pytest.mark.parametrize(
    "window",
    [
        {"x": 5, "y": 9, "full_width": 100, "full_height": 90},
        {"x": -20, "y": -10, "full_width": 30, "full_height": 30},
        {"x": -7, "y": 4, "full_x": 10, "full_y": 20, "full_width": 30, "full_height": 200},
        {"x": 1000, "y": 1000, "full_width": 100, "full_height": 100},
    ],
)
def test_windows_and_pixel_aspect_are_kept(tmp_path: Path, window: dict[str, int]) -> None:
    spec = spec_of(W, H, "RGBA", "half", PixelAspectRatio=2.0, **window)
    path = save(tmp_path / "p.exr", (spec, HDR[..., :4]))
    header = read_header(path)
    assert header.data_window == (window["x"], window["y"], W, H)
    assert header.display_window[2:] == (window["full_width"], window["full_height"])
    assert header.pixel_aspect == 2.0
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4)


def test_multi_part_exr_passes_other_parts_through(tmp_path: Path) -> None:
    depth = spec_of(W, H, ["depth.Z"], "float", compression="zips", oiio__subimagename="depth")
    rgba = spec_of(W, H, "RGBA", "half", compression="piz", oiio__subimagename="rgba")
    ids = spec_of(
        30, 20, ["m.R", "m.id"], ("float", "uint"), oiio__subimagename="m", x=3, full_width=W, full_height=H
    )
    path = save(
        tmp_path / "p.exr",
        (depth, HDR[..., :1]),
        (rgba, HDR[..., 1:5]),
        (ids, np.abs(HDR[:20, :30, 5:7]) % 1),
    )
    header = read_header(path)
    assert (header.part, header.parts, header.channels) == (1, 3, ("R", "G", "B", "A"))
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4)


@pytest.mark.parametrize("order", ["increasingY", "decreasingY"])
def test_line_order_is_kept(tmp_path: Path, order: str) -> None:
    path = save(tmp_path / "p.exr", (spec_of(W, H, "RGB", "half", openexr__lineOrder=order), HDR[..., :3]))
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4)
    assert exr_attributes(tmp_path / "out.exr")["lineOrder"] == exr_attributes(path)["lineOrder"]


def test_exr_attributes_of_every_kind_are_kept(tmp_path: Path) -> None:
    kinds = {
        "timeCode": ("timecode", struct.pack("<2I", 0x12345678, 7)),
        "keyCode": ("keycode", struct.pack("<7i", 1, 2, 3, 4, 5, 6, 64)),
        "chromaticities": ("chromaticities", struct.pack("<8f", 0.7, 0.3, 0, 1, 1e-4, -0.08, 0.32, 0.33)),
        "framesPerSecond": ("rational", struct.pack("<iI", 24000, 1001)),
        "capDate": ("string", b"2020:01:02 03:04:05"),
        "owner": ("string", "Jörg".encode()),
        "comments": ("string", b"shot 10"),
        "nuke/version": ("string", b"15.0v1"),
        "whiteLuminance": ("float", struct.pack("<f", 100)),
        "worldToCamera": ("m44f", struct.pack("<16f", *range(16))),
        "m33": ("m33f", struct.pack("<9f", *range(9))),
        "m44d": ("m44d", struct.pack("<16d", *range(16))),
        "sensor": ("box2i", struct.pack("<4i", 1, 2, 3, 4)),
        "crop": ("box2f", struct.pack("<4f", 1, 2, 3, 4)),
        "double": ("double", struct.pack("<d", 1 / 3)),
        "v2i": ("v2i", struct.pack("<2i", 1, -2)),
        "v3f": ("v3f", struct.pack("<3f", 1, 2, 3)),
        "views": ("stringvector", struct.pack("<i", 2) + b"hi" + struct.pack("<i", 3) + b"you"),
        "int": ("int", struct.pack("<i", -5)),
    }
    half = HDR[..., 0].astype("<f2")
    path = save_exr_by_hand(tmp_path / "p.exr", dict.fromkeys("RGB", half), kinds)
    write_plate(read_plate(path), tmp_path / "out.exr")
    assert exr_attributes(tmp_path / "out.exr") == exr_attributes(path)


def test_attribute_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    half = HDR[..., 0].astype("<f2")
    odd = {"arri/lens": ("vendorBlob", b"12345")}
    path = save_exr_by_hand(tmp_path / "p.exr", dict.fromkeys("RGB", half), odd)
    notes = write_plate(read_plate(path), tmp_path / "out.exr")
    assert any("arri/lens" in note for note in notes)


def test_no_date_is_invented(tmp_path: Path) -> None:
    path = save_exr_by_hand(tmp_path / "p.exr", dict.fromkeys("RGB", HDR[..., 0].astype("<f2")))
    write_plate(read_plate(path), tmp_path / "out.exr")
    assert "capDate" not in exr_attributes(tmp_path / "out.exr")


@pytest.mark.parametrize(
    ("bits", "channels", "packing"),
    [(bits, channels, "Filled, method A") for bits in (8, 10, 12, 16) for channels in (1, 3, 4)]
    + [(10, 3, "Filled, method B"), (10, 3, "Packed")],
)
def test_dpx(tmp_path: Path, bits: int, channels: int, packing: str) -> None:
    pixels = U8 if bits == 8 else U16
    spec = spec_of(
        W, H, ("Y", "RGB", "RGB", "RGBA")[channels - 1][:channels], str(pixels.dtype),
        oiio__BitsPerSample=bits, dpx__Packing=packing, dpx__Transfer="Logarithmic", PixelAspectRatio=2.0,
        dpx__FramePosition=42, dpx__FrameRate=24.0, dpx__InputDevice="scanner", Software="S",
        DateTime="2020:01:02 03:04:05",
    )  # fmt: skip
    spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (0x01020304, 5))
    path = save(tmp_path / "p.dpx", (spec, pixels[..., :channels]))
    assert read_header(path).bits == bits
    assert_untouched_is_untouched(path, tmp_path, exact_fill=0.5 / (2**bits - 1) + 1 / 65535)


@pytest.mark.parametrize(
    ("pixels", "kind", "details", "error"),
    [
        (U8, "uint8", {"compression": "zip"}, 0.51 / 255),
        (U8, "uint8", {"compression": "packbits", "planarconfig": "separate"}, 0.51 / 255),
        (U8, "uint8", {"oiio__UnassociatedAlpha": 1, "tile_width": 32, "tile_height": 32}, 0.51 / 255),
        (U16, "uint16", {"compression": "lzw", "oiio__UnassociatedAlpha": 1}, 0.51 / 65535),
        (U16[..., :3], "uint16", {"compression": "none", "Artist": "Jörg", "Orientation": 3}, 0.51 / 65535),
        (HDR[..., :3], "half", {"compression": "zip"}, 5e-4),
        (HDR[..., :4], "float", {"compression": "lzw"}, 0.0),
        (U16[..., :1], "uint16", {}, 0.51 / 65535),
    ],
)
def test_tiff(tmp_path: Path, pixels: NDArray[Any], kind: str, details: dict[str, Any], error: float) -> None:
    names = {1: "Y", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    spec = spec_of(W, H, names, kind, ImageDescription="d", XResolution=72.0, **details)
    path = save(tmp_path / "p.tif", (spec, pixels))
    without = ("Exif:ColorSpace",)
    assert_untouched_is_untouched(path, tmp_path, exact_fill=error + 1e-7, without=without)


def test_tiff_with_several_pages(tmp_path: Path) -> None:
    path = save(
        tmp_path / "p.tif", (spec_of(W, H, "RGBA", "uint8"), U8), (spec_of(W, H, "RGBA", "uint16"), U16)
    )
    assert_untouched_is_untouched(path, tmp_path, exact_fill=0.51 / 255)


@pytest.mark.parametrize(("pixels", "bits"), [(U8, 8), (U16, 16)])
@pytest.mark.parametrize("names", ["Y", "YA", "RGB", "RGBA"])
@pytest.mark.parametrize("color", [{}, {"oiio__ColorSpace": "sRGB"}, {"oiio__Gamma": 2.2}])
def test_png(tmp_path: Path, pixels: NDArray[Any], bits: int, names: str, color: dict[str, Any]) -> None:
    """Alpha is random: were color multiplied by it anywhere, bits would be lost."""
    kind = str(pixels.dtype)
    spec = spec_of(W, H, names, kind, oiio__UnassociatedAlpha=1, Comment="hello", **color)
    path = save(tmp_path / "p.png", (spec, pixels[..., : len(names)]))
    assert_untouched_is_untouched(path, tmp_path, exact_fill=0.51 / (2**bits - 1))


def test_color_profile_is_kept(tmp_path: Path) -> None:
    profile = np.frombuffer(color_profile(), np.uint8)
    for name in ("p.png", "p.tif"):
        spec = spec_of(W, H, "RGB", "uint8")
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{profile.size}]"), profile)
        path = save(tmp_path / name, (spec, U8[..., :3]))
        write_plate(read_plate(path), tmp_path / f"out_{name}")
        kept = [
            oiio.ImageInput.open(str(p)).spec().getattribute("ICCProfile")
            for p in (path, tmp_path / f"out_{name}")
        ]
        assert bytes(kept[0]) == bytes(kept[1]) == profile.tobytes()


@pytest.mark.parametrize(
    ("chunks", "tags", "dropped"),
    [
        ({}, set(), ""),
        ({"sRGB": b"\0"}, {"sRGB"}, ""),
        ({"gAMA": struct.pack(">I", 45455)}, {"gAMA"}, ""),
        ({"cICP": bytes((9, 16, 0, 1))}, {"cICP"}, ""),
        ({"gAMA": struct.pack(">I", 45455), "cHRM": bytes(32), "vpAg": b"x"}, {"gAMA"}, "cHRM, vpAg"),
    ],
)
def test_png_color_tags_are_kept_and_none_invented(
    tmp_path: Path, chunks: dict[str, bytes], tags: set[str], dropped: str
) -> None:
    path = save_png_by_hand(tmp_path / "p.png", U8[..., :3], chunks)
    plate = read_plate(path)
    assert (plate.header.colorspace is None) == (not tags)
    notes = write_plate(plate, tmp_path / "out.png")
    assert tags <= set(chunks_before_pixels(tmp_path / "out.png"))
    assert bool(tags) or is_untagged(chunks_before_pixels(tmp_path / "out.png"))
    assert (dropped in " ".join(notes)) if dropped else not notes
    assert native_channels(tmp_path / "out.png")[1].tobytes() == U8[..., 1].tobytes()


def test_openimageio_finds_no_difference(tmp_path: Path) -> None:
    """The judgement of OpenImageIO's own comparison, with no tolerance."""
    spec = spec_of(W, H, ("R", "G", "B", "A", "Z"), ("half",) * 4 + ("float",), compression="piz")
    path = save(tmp_path / "p.exr", (spec, HDR[..., :5]))
    write_plate(read_plate(path), tmp_path / "out.exr")
    result = oiio.ImageBufAlgo.compare(
        oiio.ImageBuf(str(path)), oiio.ImageBuf(str(tmp_path / "out.exr")), 0.0, 0.0
    )
    assert (result.nfail, result.maxerror, result.error) == (0, 0.0, False)


def test_gray_picture_is_filled_in_its_channel(tmp_path: Path) -> None:
    path = save(tmp_path / "p.exr", (spec_of(W, H, "Y", "half"), HDR[..., :1]))
    plate = read_plate(path)
    assert plate.header.is_gray
    assert plate.rgb.shape == (H, W, 3)
    assert (plate.rgb[..., 0] == plate.rgb[..., 2]).all()
    assert_untouched_is_untouched(path, tmp_path, exact_fill=2.5e-4)


@pytest.mark.parametrize(
    ("names", "filled"),
    [
        (("R", "G", "B", "A"), "R G B"),
        (("diffuse.R", "diffuse.G", "diffuse.B", "R", "G", "B"), "R G B"),
        (
            ("albedo.R", "albedo.G", "albedo.B", "beauty.R", "beauty.G", "beauty.B"),
            "beauty.R beauty.G beauty.B",
        ),
        (
            ("V.Combined.R", "V.Combined.G", "V.Combined.B", "V.Albedo.R", "V.Albedo.G", "V.Albedo.B"),
            "V.Combined.R V.Combined.G V.Combined.B",
        ),
        (("N.X", "N.Y", "N.Z", "main.r", "main.g", "main.b"), "main.r main.g main.b"),
        (("Z", "red", "green", "blue"), "red green blue"),
        (("Z", "Y"), "Y"),
        (("depth",), "depth"),
    ],
)
def test_picture_is_found_among_layers(tmp_path: Path, names: tuple[str, ...], filled: str) -> None:
    path = save(tmp_path / "p.exr", (spec_of(W, H, names, "half"), HDR[..., : len(names)]))
    header = read_header(path)
    assert " ".join(header.channels[c] for c in header.fill_channels) == filled


def test_plate_without_color_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "p.exr", (spec_of(W, H, ("N.X", "N.Y"), "half"), HDR[..., :2]))
    with pytest.raises(ImageError, match=r"neither R, G, B nor a gray .*N\.X, N\.Y"):
        read_header(path)


def test_fill_is_rounded_and_limited_to_the_native_type(tmp_path: Path) -> None:
    half = read_plate(save(tmp_path / "h.exr", (spec_of(W, H, "RGB", "half"), HDR[..., :3])))
    byte = read_plate(save(tmp_path / "b.png", (spec_of(W, H, "RGB", "uint8"), U8[..., :3])))
    rgb = np.zeros((H, W, 3), np.float32)
    rgb[0, :6, 0] = [1e9, -1e9, np.inf, np.nan, 0.3, 1.7]
    where = np.zeros((H, W), np.bool_)
    where[0, :6] = True
    halves = half.with_rgb(rgb, where).rgb[0, :6, 0]
    assert halves[:3].tolist() == [65504, -65504, 65504]
    assert np.isnan(halves[3]) and halves[4] == np.float16(0.3)
    np.testing.assert_array_equal(byte.with_rgb(rgb, where).rgb[0, :6, 0] * 255, [255, 0, 255, 0, 77, 255])


def test_with_rgb_leaves_the_plate_alone(tmp_path: Path) -> None:
    plate = read_plate(save(tmp_path / "p.exr", (spec_of(W, H, "RGBA", "half"), HDR[..., :4])))
    before = plate.rgb
    rgb, where = random_fill(plate)
    filled = plate.with_rgb(rgb, where)
    np.testing.assert_array_equal(plate.rgb, before)
    assert (filled.rgb != before).any()
    assert plate.with_rgb(rgb, np.zeros((H, W), np.bool_)) is plate


def test_patch_equals_the_whole_and_crop_the_part(tmp_path: Path) -> None:
    plate = read_plate(save(tmp_path / "p.exr", (spec_of(W, H, "RGBA", "half"), HDR[..., :4])))
    rgb, where = random_fill(plate)
    where[:10] = where[:, :20] = False
    patched = plate.with_patch(rgb[10:, 20:], where[10:, 20:], 20, 10)
    np.testing.assert_array_equal(patched.rgb, plate.with_rgb(rgb, where).rgb)
    np.testing.assert_array_equal(plate.crop(20, 10, 45, 50), plate.rgb[10:50, 20:45])


@pytest.mark.parametrize("shape", [(H, W, 4), (H + 1, W, 3), (H, W)])
def test_fill_of_another_size_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    plate = read_plate(save(tmp_path / "p.exr", (spec_of(W, H, "RGB", "half"), HDR[..., :3])))
    with pytest.raises(ImageError, match="does not fit"):
        plate.with_rgb(np.zeros(shape, np.float32), np.ones(shape[:2], np.bool_))
    with pytest.raises(ImageError, match="does not fit"):
        plate.with_patch(np.zeros((5, 5, 3), np.float32), np.ones((5, 5), np.bool_), W - 4, 0)


@pytest.mark.parametrize("tile", [{}, {"tile_width": 64, "tile_height": 48}])
def test_large_picture_is_read_in_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tile: dict[str, int]
) -> None:
    tall = np.random.default_rng(0).normal(size=(777, 65, 4)).astype(np.float32)
    spec = spec_of(65, 777, ("R", "G", "B", "Z"), ("half",) * 3 + ("float",), x=-5, y=-300, **tile)
    path = save(tmp_path / "p.exr", (spec, tall))
    monkeypatch.setattr(plugin_core.images.read, "_STRIP_BYTES", 1)
    plate = read_plate(path)
    for channel, expected in enumerate(native_channels(path)):
        assert plate.parts[0].channel(channel).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("source", "kind", "target", "error"),
    [
        ("p.png", "uint8", "out.tif", 0.0),
        ("p.png", "uint16", "out.dpx", 0.0),
        ("p.tif", "uint16", "out.jpg", 0.51 / 255),
        ("p.png", "uint8", "out.tga", 0.0),
        ("p.exr", "half", "out.tif", 0.0),
        ("p.tif", "float", "out.exr", 0.0),
    ],
)
def test_other_format_takes_color_and_alpha(
    tmp_path: Path, source: str, kind: str, target: str, error: float
) -> None:
    smooth = np.linspace(0, 1, H * W * 4, dtype=np.float32).reshape(H, W, 4)
    smooth = smooth if kind in ("half", "float") else (smooth * np.iinfo(kind).max).astype(kind)
    details = {"oiio__UnassociatedAlpha": 1} if source.endswith("png") else {}
    plate = read_plate(save(tmp_path / source, (spec_of(W, H, "RGBA", kind, **details), smooth)))
    write_plate(plate, tmp_path / target)
    written = read_plate(tmp_path / target)
    assert "A" in written.header.channels or target.endswith("jpg")
    allowed = error + (0.02 if formats_lossy(Path(target).suffix) else 1e-7)
    assert np.abs(written.rgb - plate.rgb).max() <= allowed


@pytest.mark.parametrize(
    ("source", "kind", "target"), [("p.exr", "half", ".png"), ("p.png", "uint8", ".exr")]
)
def test_integer_and_float_are_not_mixed_up(tmp_path: Path, source: str, kind: str, target: str) -> None:
    pixels = HDR[..., :3] if kind == "half" else U8[..., :3]
    plate = read_plate(save(tmp_path / source, (spec_of(W, H, "RGB", kind), pixels)))
    with pytest.raises(ImageError, match=f"{kind} pixels can't be written as {target}"):
        output_notes(plate.header, target)
    with pytest.raises(ImageError, match=f"{kind} pixels can't be written as {target}"):
        write_plate(plate, tmp_path / f"out{target}")


def test_unknown_extension_is_refused(tmp_path: Path) -> None:
    plate = read_plate(save(tmp_path / "p.png", (spec_of(W, H, "RGB", "uint8"), U8[..., :3])))
    with pytest.raises(ImageError, match=r"'.xyz'; use one of .exr"):
        write_plate(plate, tmp_path / "out.xyz")


def test_jpeg_stays_close_and_is_called_lossy(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:H, 0:W]
    smooth = np.stack([rows * 4, columns * 3, rows + columns], axis=2).astype(np.uint8)
    path = save(tmp_path / "p.jpg", (spec_of(W, H, "RGB", "uint8", compression="jpeg:90"), smooth))
    plate = read_plate(path)
    assert any("lossy" in note for note in write_plate(plate, tmp_path / "out.jpg"))
    assert np.abs(read_plate(tmp_path / "out.jpg").rgb - plate.rgb).max() * 255 <= 3.01
    assert formats_lossy(".JPG") and formats_lossy(".mov")
    assert not formats_lossy(".exr") and not formats_lossy(".png")


def test_stereo_and_preview_are_told(tmp_path: Path) -> None:
    half = HDR[..., 0].astype("<f2")
    views = ("stringvector", b"".join(struct.pack("<i", len(v)) + v for v in (b"right", b"left")))
    preview = ("preview", struct.pack("<2I", 1, 1) + b"abcd")
    channels = dict.fromkeys(("R", "G", "B", "left.R", "left.G", "left.B"), half)
    path = save_exr_by_hand(tmp_path / "p.exr", channels, {"multiView": views, "preview": preview})
    notes = write_plate(read_plate(path), tmp_path / "out.exr")
    assert any("stereo: only R, G, B" in note for note in notes)
    assert any("preview" in note for note in notes)
    assert "preview" not in exr_attributes(tmp_path / "out.exr")
    assert exr_attributes(tmp_path / "out.exr")["multiView"] == views


@pytest.mark.skipif("CLEANPLATE_SHARED" not in os.environ, reason="needs CLEANPLATE_SHARED: real pictures")
def test_real_plates_come_back(tmp_path: Path) -> None:
    """The smallest of each kind of file: compression, tiles and channels."""
    shared = Path(os.environ["CLEANPLATE_SHARED"])
    paths = sorted(shared.glob("clips/exr_beachball/plate/*.exr")) + sorted(
        shared.glob("training/stills_linear_exr/[MST]*.exr")
    )
    kinds = {}
    for path in sorted(paths, key=lambda path: path.stat().st_size, reverse=True):
        header = exr_attributes(path)
        kinds[header["compression"], header["channels"], "tiles" in header] = path
    assert len(kinds) >= 6
    for path in kinds.values():
        plate, _, where, out = fill_and_write(path, tmp_path)
        for index, (one, other) in enumerate(zip(native_channels(path), native_channels(out), strict=True)):
            keep = ~where if index in plate.header.fill_channels else np.ones_like(where)
            assert one[keep].tobytes() == other[keep].tobytes(), f"{path} channel {index}"


def test_a_picture_that_is_given_up_is_patched_in_place(tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).random((H, W, 3)).astype(np.float32)
    where = np.zeros((H, W), np.bool_)
    where[3:9, 4:11] = True
    path = save(tmp_path / "p.exr", (spec_of(W, H, ("R", "G", "B", "A"), "half"), np.ones((H, W, 4))))
    plate, given_up = read_plate(path), read_plate(path)
    patched = plate.with_patch(rgb, where, 0, 0)
    assert (plate.rgb == 1).all()
    again = given_up.with_patch(rgb, where, 0, 0, in_place=True)
    np.testing.assert_array_equal(again.rgb, patched.rgb)
    assert np.shares_memory(again.parts[0].groups[0].pixels, given_up.parts[0].groups[0].pixels)
