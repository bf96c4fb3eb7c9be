"""What a format keeps beside its pixels, and what OpenImageIO would change: alpha, types, names, dates."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
import tifffile

from plugin_core.images import Storage, output_notes, read_header, read_plate, stored, write_plate

from ..pictures_on_disk import described, native_channels, save, save_tiff_by_hand, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

W, H = 70, 50
RNG = np.random.default_rng(3)
BYTES = RNG.integers(0, 256, (H, W, 4), dtype=np.uint8)
DC, RDF = "http://purl.org/dc/elements/1.1/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
UNIT = RNG.random((H, W, 4), dtype=np.float32)


def save_tga_by_hand(path: Path, alpha_type: int | None, alpha_bits: int = 8) -> Path:
    """A 32-bit TGA, 2.0 with an extension area unless `alpha_type` is None."""
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, W, H, 32, alpha_bits | 0x20)
    data = head + BYTES.tobytes()
    if alpha_type is not None:
        extension = struct.pack("<H492xB", 495, alpha_type)
        data += extension + struct.pack("<II", len(data), 0) + b"TRUEVISION-XFILE.\0"
    path.write_bytes(data)
    return path


def shown(path: Path) -> np.ndarray:
    """What a program sees that asks OpenImageIO for color multiplied by alpha."""
    file = oiio.ImageInput.open(str(path))
    pixels = file.read_image(0, 0, 0, file.spec().nchannels, file.spec().format)
    file.close()
    return pixels


@pytest.mark.parametrize("alpha_type", [0, 1, 2, 3, 4, None])
@pytest.mark.parametrize("alpha_bits", [0, 8])
def test_tga_keeps_its_color_and_what_its_alpha_means(
    tmp_path: Path, alpha_type: int | None, alpha_bits: int
) -> None:
    path = save_tga_by_hand(tmp_path / "a.tga", alpha_type, alpha_bits)
    write_plate(read_plate(path), tmp_path / "out.tga")
    for one, other in zip(native_channels(path), native_channels(tmp_path / "out.tga"), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(shown(path), shown(tmp_path / "out.tga"))
    if alpha_type is not None:
        assert (tmp_path / "out.tga").read_bytes()[-27] == alpha_type


def test_half_tiff_stays_half(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", (spec_of(W, H, "RGBA", "half", tiff__half=1), UNIT))
    assert set(read_header(path).types) == {"half"}
    assert write_plate(read_plate(path), tmp_path / "out.tif") == ()
    assert set(read_header(tmp_path / "out.tif").types) == {"half"}
    for one, other in zip(native_channels(path), native_channels(tmp_path / "out.tif"), strict=True):
        assert one.tobytes() == other.tobytes()


def test_another_pixel_type_in_another_format_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.exr", (spec_of(W, H, "RGB", "half"), UNIT[..., :3]))
    notes = write_plate(read_plate(path), tmp_path / "out.tif")
    assert notes == ("The plate's pixels are half, .tif gets float.",)
    assert set(read_header(tmp_path / "out.tif").types) == {"float"}
    asked = Storage(bit_depth="half")
    assert output_notes(read_header(path), ".tif", asked) == ()
    write_plate(stored(read_plate(path), asked), tmp_path / "half.tif")
    assert set(read_header(tmp_path / "half.tif").types) == {"half"}


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
def test_odd_bit_depths_of_tiff_come_back_and_fills_are_the_nearest(tmp_path: Path, bits: int) -> None:
    path, out = tmp_path / "a.tif", tmp_path / "out.tif"
    levels = RNG.integers(0, 1 << bits, (H, W, 3))
    tags = {258: ("H", (bits,) * 3), 262: ("H", (2,)), 277: ("H", (3,))}
    each_bit = levels.reshape(H, -1, 1) >> np.arange(bits)[::-1] & 1
    rows = np.packbits(each_bit.reshape(H, -1), axis=1)
    save_tiff_by_hand(path, (W, H), [rows.tobytes()], tags, H)
    plate = read_plate(path)
    assert plate.header.bits == bits
    fill = RNG.random((H, W, 3), dtype=np.float32)
    where = np.zeros((H, W), np.bool_)
    where[10:30, 10:30] = True
    write_plate(plate.with_rgb(fill, where), out)
    again = read_plate(out)
    np.testing.assert_array_equal(again.rgb[~where], plate.rgb[~where])
    top = (1 << bits) - 1
    np.testing.assert_array_equal(np.rint(again.rgb * top)[where], np.rint(fill * top)[where])


def test_keywords_of_a_tiff_stay(tmp_path: Path) -> None:
    words = "<rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag>"
    about = (
        f"<rdf:Description rdf:about='' xmlns:dc='{DC}'><dc:subject>{words}</dc:subject></rdf:Description>"
    )
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>{about}</rdf:RDF></x:xmpmeta>"
    tags = [(700, 1, len(xmp), xmp.encode(), True)]
    tifffile.imwrite(tmp_path / "a.tif", BYTES[..., :3], photometric="rgb", extratags=tags, metadata=None)
    assert write_plate(read_plate(tmp_path / "a.tif"), tmp_path / "out.tif") == ()
    before, after = (described(tmp_path / name)[0] for name in ("a.tif", "out.tif"))
    assert before["Keywords"] == after["Keywords"] == ("string", "one; two")


def test_two_renders_of_a_frame_are_equal_byte_for_byte(tmp_path: Path) -> None:
    plates, written = {}, {}
    for extension in (".exr", ".dpx", ".tif", ".png", ".jxl", ".tga", ".bmp", ".jpg"):
        path = save(tmp_path / f"plate{extension}", (spec_of(W, H, "RGB", "uint8"), BYTES[..., :3]))
        plates[extension] = read_plate(path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for extension, plate in plates.items():
            path = tmp_path / folder / f"clean{extension}"
            write_plate(plate, path)
            data = path.read_bytes()
            assert b"cleanplate-" not in data and str(tmp_path).encode() not in data
            assert written.setdefault(extension, data) == data, extension
        if folder == "one":
            time.sleep(1.1)  # headers may hold seconds


def test_a_dpx_header_has_the_file_s_name(tmp_path: Path) -> None:
    path = save(tmp_path / "plate.dpx", (spec_of(W, H, "RGB", "uint16"), UNIT[..., :3]))
    for name in ("clean.0001.dpx", "x" * 180 + ".dpx"):
        write_plate(read_plate(path), tmp_path / name)
        header = (tmp_path / name).read_bytes()[36:136]
        assert header.rstrip(b"\0").decode() == name[:99]
        assert native_channels(tmp_path / name)[0].shape == (H, W)


def test_color_that_is_divided_by_alpha_for_another_format_is_told(tmp_path: Path) -> None:
    for straight in (0, 1):
        spec = spec_of(W, H, "RGBA", "uint8", oiio__UnassociatedAlpha=straight)
        path = save(tmp_path / "a.tif", (spec, BYTES))
        notes = write_plate(read_plate(path), tmp_path / "out.png")
        assert any("multiplied by its alpha" in note for note in notes) == (not straight)
