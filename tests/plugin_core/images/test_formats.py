"""Every format, type and window: outside the hole nothing differs, by OpenImageIO's own comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.errors import ImageError, SettingsError
from plugin_core.images import Storage, output_notes, read_header, read_plate, stored, write_plate

from ..pictures_on_disk import (
    described,
    exr_attributes,
    native_channels,
    random_fill,
    save,
    save_exr_by_hand,
    spec_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

W, H = 70, 50
RNG = np.random.default_rng(11)
HDR = (RNG.normal(size=(H, W, 8)) * 30).astype(np.float32)
HDR[3, 4, :3], HDR[5, 6, :3] = 40.0, (-0.5, 2.0, -0.01)
UNIT = RNG.random((H, W, 8)).astype(np.float32)
LOSSLESS = ("none", "rle", "zip", "zips", "piz", "pxr24", "htj2k256", "htj2k32", "zstd")
LOSSY = ("b44", "b44a", "dwaa", "dwab")
Case = Callable[[Path], Path]


def exr(names: Any, types: Any, pixels: np.ndarray = HDR, **details: Any) -> Case:
    return lambda folder: save(
        folder / "p.exr", (spec_of(W, H, names, types, **details), pixels[..., : len(names)])
    )


def flat(extension: str, names: str, kind: str, **details: Any) -> Case:
    def make(folder: Path) -> Path:
        pixels = UNIT[..., : len(names)]
        if kind.startswith("uint"):
            pixels = np.rint(pixels * (255 if kind == "uint8" else 65535)).astype(kind)
        # Alpha as it is: were color multiplied by it anywhere, bits would be lost.
        spec = spec_of(W, H, names, kind, oiio__UnassociatedAlpha=1, **details)
        return save(folder / f"p{extension}", (spec, pixels))

    return make


def cryptomatte(folder: Path) -> Path:
    """Color, and the ids and coverage of an object layer: floats that are bit patterns, and true integers."""
    layers = ["crypto00.red", "crypto00.green", "crypto00.blue", "crypto00.alpha"]
    ids = RNG.integers(0, 2**32, (H, W, 5), dtype=np.uint64).astype("<u4")
    channels: dict[str, Any] = {name: HDR[..., i].astype("<f2") for i, name in enumerate("RGB")}
    channels |= {name: ids[..., i].view("<f4") for i, name in enumerate(layers)}
    channels["id"] = ids[..., 4]
    said = {
        "cryptomatte/1234567/name": ("string", b"crypto"),
        "cryptomatte/1234567/hash": ("string", b"MurmurHash3_32"),
        "cryptomatte/1234567/manifest": ("string", b'{"ball":"13851a76"}'),
    }
    return save_exr_by_hand(folder / "p.exr", channels, said)


def parts(folder: Path) -> Path:
    """A beauty that is not the first part, other compressions and windows beside it."""
    return save(
        folder / "p.exr",
        (spec_of(W, H, ["Z"], "float", compression="zips", oiio__subimagename="depth"), HDR[..., :1]),
        (
            spec_of(W, H, "RGBA", "half", compression="piz", oiio__subimagename="rgba", x=3, y=-2),
            HDR[..., :4],
        ),
        (
            spec_of(30, 20, ["m.id"], "uint", oiio__subimagename="m", full_width=W, full_height=H),
            np.arange(600, dtype=np.uint32).reshape(20, 30, 1),
        ),
    )


def stereo_layers(folder: Path) -> Path:
    """Two views in one part, as renderers write them: the second one is named."""
    names = ("R", "G", "B", "A", "left.R", "left.G", "left.B", "left.Z")
    spec = spec_of(W, H, names, "half", compression="zips")
    spec.attribute("multiView", oiio.TypeDesc("string[2]"), ("right", "left"))
    return save(folder / "p.exr", (spec, HDR))


def stereo_parts(folder: Path) -> Path:
    """Two views in parts of their own."""
    specs = [
        spec_of(W, H, "RGBA", "half", oiio__subimagename=f"rgba.{view}", view=view)
        for view in ("left", "right")
    ]
    return save(folder / "p.exr", (specs[0], HDR[..., :4]), (specs[1], HDR[..., 4:]))


def aces(folder: Path) -> Path:
    """An ACES container (SMPTE ST 2065-4), which may not be compressed."""
    halves = {name: HDR[..., i].astype("<f2") for i, name in enumerate("RGB")}
    return save_exr_by_hand(folder / "p.exr", halves, {"acesImageContainerFlag": ("int", b"\1\0\0\0")})


WINDOWS: dict[str, dict[str, int]] = {
    "smaller": {"x": 5, "y": 9, "full_width": 100, "full_height": 90},
    "larger": {"x": -20, "y": -10, "full_width": 30, "full_height": 30},
    "offset": {"x": -7, "y": 4, "full_x": 10, "full_y": 20, "full_width": 30, "full_height": 200},
    "outside": {"x": 1000, "y": 1000, "full_width": 100, "full_height": 100},
}
CASES: dict[str, Case] = {
    **{f"exr half {c}": exr("RGBA", "half", compression=c) for c in LOSSLESS + LOSSY},
    **{f"exr float {c}": exr("RGBA", "float", compression=c) for c in LOSSLESS + LOSSY},
    **{f"exr window {name}": exr("RGBA", "half", **window) for name, window in WINDOWS.items()},
    **{
        f"exr tiled window {name}": exr("RGBA", "half", tile_width=16, tile_height=16, **window)
        for name, window in WINDOWS.items()
    },
    "exr tiled dwaa": exr("RGB", "half", tile_width=32, tile_height=32, compression="dwaa"),
    "exr anamorphic": exr("RGB", "half", PixelAspectRatio=2.0),
    "exr gray": exr("Y", "half"),
    "exr layers": exr(("Z", "beauty.R", "beauty.G", "beauty.B", "N.X", "N.Y", "N.Z"), "half"),
    "exr mixed": exr(("R", "G", "B", "A", "Z"), ("half",) * 4 + ("float",), compression="piz"),
    "exr ids": exr(("R", "G", "B", "id"), ("half",) * 3 + ("uint",), UNIT),
    "exr cryptomatte": cryptomatte,
    "exr parts": parts,
    "exr stereo layers": stereo_layers,
    "exr stereo parts": stereo_parts,
    "exr aces": aces,
    **{f"dpx {bits}": flat(".dpx", "RGB", "uint16", oiio__BitsPerSample=bits) for bits in (10, 12, 16)},
    "dpx 8": flat(".dpx", "RGB", "uint8"),
    "dpx 10 method B": flat(".dpx", "RGB", "uint16", oiio__BitsPerSample=10, dpx__Packing="Filled, method B"),
    "dpx 10 packed": flat(".dpx", "RGB", "uint16", oiio__BitsPerSample=10, dpx__Packing="Packed"),
    "dpx 12 alpha": flat(".dpx", "RGBA", "uint16", oiio__BitsPerSample=12),
    **{f"tiff {kind}": flat(".tif", "RGBA", kind) for kind in ("uint8", "uint16", "half", "float")},
    "tiff tiled": flat(".tif", "RGB", "uint16", tile_width=32, tile_height=32, compression="lzw"),
    "tiff planes": flat(".tif", "RGB", "uint16", planarconfig="separate"),
    **{f"png {k} {n}": flat(".png", n, k) for k in ("uint8", "uint16") for n in ("RGB", "RGBA", "Y")},
    **{f"jxl {kind}": flat(".jxl", "RGBA", kind) for kind in ("uint8", "uint16", "half", "float")},
    "jxl gray": flat(".jxl", "Y", "uint16"),
    "tga": flat(".tga", "RGBA", "uint8"),
    "bmp": flat(".bmp", "RGB", "uint8"),
}  # fmt: skip
STORED_ANEW = ("compression", "oiio:RowsPerChunk", "openexr:dwaCompressionLevel", "Exif:ColorSpace")

JXL_PROFILE = ("", ":rendering_intent", ":profile_description", ":creator_signature")
MADE_ANEW = {
    "exr aces": ("chromaticities", "colorInteropID", "oiio:ColorSpace"),
    "jxl": tuple(f"ICCProfile{field}" for field in JXL_PROFILE),
}
"""OpenImageIO adds what an ACES flag stands for; JPEG XL's reader makes a profile out of the stored codes."""


def comparable(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Attributes as text: those whose values are arrays (color profiles) do not compare."""
    with np.printoptions(threshold=100_000):
        return [{key: repr(value) for key, value in part.items()} for part in parts]


def compare_outside(path: Path, out: Path, part: int, where: np.ndarray) -> oiio.CompareResults:
    """OpenImageIO's comparison of a part, after the plate's own pixels were put back into the hole."""
    one, other = (oiio.ImageBuf(str(file), part, 0) for file in (path, out))
    for picture in (one, other):
        assert picture.read(part, 0, True, oiio.FLOAT), picture.geterror()
    before, after = (np.asarray(picture.get_pixels(oiio.FLOAT)) for picture in (one, other))
    if where.size:
        after = np.where(where[..., None], before, after)
    assert other.set_pixels(other.roi, np.ascontiguousarray(np.nan_to_num(after, nan=7e7)))
    assert one.set_pixels(one.roi, np.ascontiguousarray(np.nan_to_num(before, nan=7e7)))
    result = oiio.CompareResults()
    oiio.ImageBufAlgo.compare(one, other, 0.0, 0.0, result)
    return result


@pytest.mark.parametrize("name", CASES)
def test_nothing_differs_outside_the_hole(tmp_path: Path, name: str) -> None:
    path = CASES[name](tmp_path)
    plate = read_plate(path)
    rgb, where = random_fill(plate)
    out = tmp_path / f"out{path.suffix}"
    write_plate(plate.with_rgb(rgb, where), out)
    for part in range(plate.header.parts):
        hole = where if part == plate.header.part else np.zeros(0)
        result = compare_outside(path, out, part, hole)
        assert (result.nfail, result.maxerror) == (0, 0.0), f"part {part}"
    assert np.abs(read_plate(out).rgb - (plate.rgb))[where].max() > 0.05  # the fill is there
    without = (*STORED_ANEW, *MADE_ANEW.get(name.split()[0] if "jxl" in name else name, ()))
    before, after = (comparable(described(file, without)) for file in (path, out))
    assert before == after


@pytest.mark.parametrize("name", ["exr cryptomatte", "exr parts", "exr ids", "exr stereo layers"])
def test_what_is_not_filled_keeps_every_bit(tmp_path: Path, name: str) -> None:
    path = CASES[name](tmp_path)
    plate = read_plate(path)
    rgb, where = random_fill(plate)
    write_plate(plate.with_rgb(rgb, where), tmp_path / "out.exr")
    first = sum(part.spec.nchannels for part in plate.parts[: plate.header.part])
    filled = {first + c for c in plate.header.fill_channels}
    pairs = zip(native_channels(path), native_channels(tmp_path / "out.exr"), strict=True)
    for index, (one, other) in enumerate(pairs):
        assert one.dtype == other.dtype
        assert index in filled or one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("make", "view", "filled"),
    [
        (stereo_layers, "", "0: R G B"),
        (stereo_layers, "right", "0: R G B"),
        (stereo_layers, "left", "0: left.R left.G left.B"),
        (stereo_parts, "", "0: R G B"),
        (stereo_parts, "right", "1: R G B"),
    ],
)
def test_the_view_asked_for_is_filled_and_the_others_pass_through(
    tmp_path: Path, make: Case, view: str, filled: str
) -> None:
    path = make(tmp_path)
    plate = read_plate(path, view)
    header = plate.header
    assert f"{header.part}: {' '.join(header.channels[c] for c in header.fill_channels)}" == filled
    rgb, where = random_fill(plate)
    notes = write_plate(plate.with_rgb(rgb, where), tmp_path / "out.exr")
    assert any("stereo" in note and "--view" in note for note in notes)
    first = sum(part.spec.nchannels for part in plate.parts[: header.part])
    for index, (one, other) in enumerate(
        zip(native_channels(path), native_channels(tmp_path / "out.exr"), strict=True)
    ):
        changed = one.tobytes() != other.tobytes()
        assert changed == (index - first in header.fill_channels)


def test_a_view_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no view 'middle'; its views are right, left \(--view\)"):
        read_plate(stereo_layers(tmp_path), "middle")
    with pytest.raises(ImageError, match="no view 'left'; it is not stereo"):
        read_header(CASES["exr gray"](tmp_path), "left")


def test_an_aces_container_that_is_none_loses_its_flag_and_says_so(tmp_path: Path) -> None:
    path = aces(tmp_path)
    notes = write_plate(stored(read_plate(path), Storage(compression="zip")), tmp_path / "out.exr")
    assert any("acesImageContainerFlag" in note for note in notes)
    assert "acesImageContainerFlag" not in exr_attributes(tmp_path / "out.exr")


@pytest.mark.parametrize("compression", [*LOSSLESS, *LOSSY, "zip:9", "dwaa:100"])
def test_compression_as_told(tmp_path: Path, compression: str) -> None:
    plate = stored(read_plate(CASES["exr half piz"](tmp_path)), Storage(compression=compression))
    notes = write_plate(plate, tmp_path / "out.exr")
    name = compression.split(":")[0]
    assert read_header(tmp_path / "out.exr").compression == name
    assert any("lossy, as asked" in note for note in notes) == (name in LOSSY)


@pytest.mark.parametrize(
    ("case", "depth", "extension", "kind", "error"),
    [
        ("exr float zip", "half", ".exr", "half", 0.04),
        ("exr half zip", "float", ".exr", "float", 0.0),
        ("exr half zip", "float", ".tif", "float", 0.0),
        ("tiff uint16", "8", ".png", "uint8", 0.51 / 255),
        ("tiff uint16", "10", ".dpx", "uint16", 0.51 / 1023),
        ("dpx 10", "16", ".tif", "uint16", 1 / 65535),
        ("dpx 10", "12", ".dpx", "uint16", 0.51 / 4095),
        ("png uint8 RGB", "16", ".png", "uint16", 0.0),
        ("jxl float", "half", ".jxl", "half", 5e-4),
    ],
)
def test_bit_depth_as_told(
    tmp_path: Path, case: str, depth: str, extension: str, kind: str, error: float
) -> None:
    plate = read_plate(CASES[case](tmp_path))
    storage = Storage(bit_depth=depth)
    output_notes(plate.header, extension, storage)
    write_plate(stored(plate, storage), tmp_path / f"out{extension}")
    out = read_plate(tmp_path / f"out{extension}")
    assert out.header.types[out.header.fill_channels[0]] == kind
    if depth.isdigit():
        assert out.header.bits == int(depth)
    np.testing.assert_allclose(out.rgb, plate.rgb, atol=error + 1e-7, rtol=0)


def test_depth_and_ids_keep_their_type_beside_a_color_of_another(tmp_path: Path) -> None:
    names, types = ("R", "G", "B", "A", "Z"), "float"
    path = exr(names, types)(tmp_path)
    write_plate(stored(read_plate(path), Storage(bit_depth="half")), tmp_path / "out.exr")
    out = read_header(tmp_path / "out.exr")
    assert out.types == ("half",) * 4 + ("float",)
    assert native_channels(tmp_path / "out.exr")[4].tobytes() == native_channels(path)[4].tobytes()


@pytest.mark.parametrize(
    ("case", "storage", "extension", "message"),
    [
        ("exr half zip", Storage(compression="lzw"), ".exr", "has no compression 'lzw'; it has none, rle"),
        ("exr half zip", Storage(compression="zip:fast"), ".exr", "has no compression"),
        ("dpx 10", Storage(compression="zip"), ".dpx", "one of its own"),
        ("exr half zip", Storage(bit_depth="16"), ".exr", "does not store 16 bits"),
        ("png uint8 RGB", Storage(bit_depth="10"), ".png", "does not store 10 bits"),
        ("exr half zip", Storage(bit_depth="16"), ".tif", "floating point and --bit-depth asks for 16 bits"),
    ],
)
def test_storage_that_a_format_has_not_is_refused(
    tmp_path: Path, case: str, storage: Storage, extension: str, message: str
) -> None:
    header = read_header(CASES[case](tmp_path))
    with pytest.raises(SettingsError, match=message):
        output_notes(header, extension, storage)


def test_a_picture_on_a_canvas_counts_from_the_canvas(tmp_path: Path) -> None:
    plate = read_plate(exr("RGB", "half", **WINDOWS["smaller"])(tmp_path))
    wide = plate.on((0, 0, 100, 90))
    assert (wide.header.width, wide.header.height) == (100, 90)
    np.testing.assert_array_equal(wide.rgb[9 : 9 + H, 5 : 5 + W], plate.rgb)
    assert wide.rgb.sum() == pytest.approx(plate.rgb.sum(), rel=1e-3)
    cut = wide.native_crop(0, 0, 20, 20)
    assert cut is not None and cut.dtype == np.float16 and not cut[:9].any() and not cut[:, :5].any()
    np.testing.assert_array_equal(cut[9:, 5:].astype(np.float32), plate.rgb[:11, :15])
    assert not wide.crop(80, 70, 100, 90).any()
    where = np.ones((20, 20), np.bool_)
    patched = wide.with_patch(np.full((20, 20, 3), 0.5, np.float32), where, 0, 0)
    assert (patched.on(plate.header.data_window).rgb[:11, :15] == 0.5).all()
    write_plate(patched, tmp_path / "out.exr")
    written = read_header(tmp_path / "out.exr")
    assert (written.data_window, written.display_window) == ((5, 9, W, H), (0, 0, 100, 90))
    assert (
        wide.with_patch(np.ones((5, 5, 3), np.float32), np.ones((5, 5), np.bool_), 90, 80).rgb.sum()
        == wide.rgb.sum()
    )
