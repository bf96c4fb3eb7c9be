"""Files are whole, and read as what they are, or refused: pixels are never made up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from plugin_core import memory
from plugin_core.errors import ImageError, NotEnoughMemoryError
from plugin_core.images import read_header, read_matte, read_plate, write_plate

from ..pictures_on_disk import save, save_png_bomb, save_tiff_by_hand, save_ycbcr_by_hand, spec_of

W, H = 70, 50
NOISE = np.random.default_rng(1).integers(0, 256, (H, W, 3), dtype=np.uint8)
SHARES = (0.1, 0.5, 0.9, 0.99)


def refused_as_both(path: Path, message: str) -> None:
    for read in (read_plate, read_matte):
        with pytest.raises(ImageError, match=message):
            read(path)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [True, False])
def test_a_truncated_jpeg_is_refused(tmp_path: Path, mode: str, progressive: bool) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(NOISE).convert(mode).save(path, progressive=progressive)
    whole = path.read_bytes()
    read_plate(path)
    for end in (*(int(len(whole) * share) for share in SHARES), len(whole) - 1):
        path.write_bytes(whole[:end])
        refused_as_both(path, "can't be read as a picture")


def test_a_jpeg_with_a_preview_or_bytes_after_its_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9 ends nothing here"
    Image.fromarray(NOISE).save(path, progressive=True, exif=exif, comment=b"\xff\xd9")
    path.write_bytes(path.read_bytes() + b"appended by a camera")
    read_plate(path)


@pytest.mark.parametrize("subsampling", [(2, 2), (2, 1), (4, 2), (1, 1)])
@pytest.mark.parametrize(("size", "rows"), [((70, 50), 8), ((64, 48), 48), ((71, 49), 16)])
def test_ycbcr_tiff_is_read_as_rgb(
    tmp_path: Path, subsampling: tuple[int, int], size: tuple[int, int], rows: int
) -> None:
    path = tmp_path / "a.tif"
    rgb = save_ycbcr_by_hand(path, size, subsampling, rows)
    plate, again = read_plate(path), read_plate(path)
    np.testing.assert_allclose(plate.rgb * 255, rgb, atol=0.51)
    np.testing.assert_array_equal(plate.rgb, again.rgb)
    for channel, name in enumerate("RGB"):
        np.testing.assert_allclose(read_matte(path, name).values * 255, rgb[..., channel], atol=0.51)
    assert not plate.header.color.name  # the library's word for YCbCr names no color space
    notes = write_plate(plate, tmp_path / "out.tif")
    np.testing.assert_array_equal(read_plate(tmp_path / "out.tif").rgb, plate.rgb)
    assert notes == ("The plate stores YCbCr: it is read as RGB, and the output stores RGB.",)


def test_a_truncated_ycbcr_tiff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    save_ycbcr_by_hand(path, (W, H), (2, 2), H)
    whole = path.read_bytes()
    for share in SHARES:
        path.write_bytes(whole[: int(len(whole) * share)])
        refused_as_both(path, "can't be read as a picture")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_damaged_ycbcr_tiff_is_refused(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(NOISE).convert("YCbCr").save(path, compression=compression)
    read_plate(path)
    with tifffile.TiffFile(path) as file:
        begin, size = file.pages[0].dataoffsets[0], file.pages[0].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    refused_as_both(path, "can't be read as a picture")


def test_a_tiff_that_lacks_a_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pages = [Image.fromarray(np.roll(NOISE, n, 0)) for n in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert read_header(path).parts == 3
    whole = path.read_bytes()
    for share in (0.4, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        refused_as_both(path, "can't be read as a picture")


@pytest.mark.parametrize(("rows", "stored"), [(H, {"tile": (16, 16)}), (H, {"rowsperstrip": 7}), (1, {})])
def test_64_bit_float_tiff_is_refused(tmp_path: Path, rows: int, stored: dict[str, Any]) -> None:
    pixels = np.random.default_rng(0).random((rows, W, 3))
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", **stored)
    refused_as_both(tmp_path / "a.tif", "64-bit floating point.*convert it to 32 bits")


def test_white_as_0_is_read_right_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, NOISE[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(np.rint(read_plate(path).rgb[..., 0] * 255), 255 - NOISE[..., 0])
    tifffile.imwrite(path, NOISE[..., 0].astype(np.uint16), photometric="miniswhite")
    refused_as_both(path, "white as 0 in 16 bits")


def test_color_that_is_no_rgb_is_refused(tmp_path: Path) -> None:
    tags = {258: ("H", (8, 8, 8)), 262: ("H", (8,)), 277: ("H", (3,))}
    save_tiff_by_hand(tmp_path / "a.tif", (W, H), [NOISE.tobytes()], tags, H)
    refused_as_both(tmp_path / "a.tif", "stores CIELAB color")


def test_a_matte_of_another_size_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    plate = read_header(save(tmp_path / "p.png", (spec_of(64, 48, "RGB", "uint8"), np.zeros((48, 64, 3)))))
    bomb = save_png_bomb(tmp_path / "m.png", 20000)
    began = time.thread_time()
    with pytest.raises(ImageError, match=r"p\.png is 64x48 and matte .*m\.png is 20000x20000"):
        read_matte(bomb, "auto", plate)
    assert time.thread_time() - began < 1


def test_a_size_that_no_picture_has_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = save_png_bomb(tmp_path / "m.png", 30000)
    began = time.thread_time()
    refused_as_both(bomb, "claims to be 30000x30000.*at most 512 million pixels")
    assert time.thread_time() - began < 1


def test_an_animated_gif_gives_its_first_picture(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.roll(NOISE, n, 0)).convert("P") for n in range(3)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    write_plate(read_plate(tmp_path / "a.gif"), tmp_path / "out.png")
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "out.png").convert("RGB")), np.asarray(pages[0].convert("RGB"))
    )


@pytest.mark.parametrize("name", ["a.gif", "a.ico"])
def test_several_pictures_in_a_truncated_file_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    pages = [Image.fromarray(np.roll(NOISE, n, 0)) for n in range(4)]
    more = {"save_all": True, "append_images": pages[1:]} if name == "a.gif" else {}
    pages[0].save(path, **more)
    read_plate(path)
    whole = path.read_bytes()
    for share in (*SHARES, 0.35, 0.65):
        path.write_bytes(whole[: int(len(whole) * share)])
        refused_as_both(path, "can't be read as a picture")


@pytest.mark.parametrize("compression", ["packbits", "tiff_lzw"])
def test_a_tiff_whose_color_map_is_cut_off_is_refused(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(NOISE).convert("P").save(path, compression=compression)
    read_plate(path)
    whole = path.read_bytes()
    for end in (len(whole) - 20, len(whole) - 600):
        path.write_bytes(whole[:end])
        refused_as_both(path, "can't be read as a picture")


def test_webp_is_read(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(np.rint(read_plate(tmp_path / "a.webp").rgb * 255), NOISE)
    assert read_matte(tmp_path / "a.webp").values.shape == (H, W)


def test_more_than_the_memory_there_is_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("60000")
    parts = [(spec_of(64, 48, "RGB", "float", oiio__subimagename=n), np.zeros((48, 64, 3))) for n in "ab"]
    path = save(tmp_path / "a.exr", *parts)
    read_header(path)
    monkeypatch.setattr(memory, "_LIMITS", (str(limit),))
    monkeypatch.setattr("plugin_core.images.read._SURELY_THERE", 0)
    for read in (read_header, read_plate):
        with pytest.raises(NotEnoughMemoryError, match=r"a\.exr takes .* GiB unpacked, and this machine"):
            read(path)
    read_matte(path)  # of one part


def test_a_jpeg_in_a_tiff_with_straight_alpha_is_refused(tmp_path: Path) -> None:
    """The library multiplies its color by the alpha, whatever it is told."""
    path = tmp_path / "a.tif"
    rgba = np.dstack([NOISE, NOISE[..., :1]])
    Image.fromarray(rgba).save(path, compression="jpeg")
    refused_as_both(path, "straight alpha")
    Image.fromarray(rgba).save(path, compression="tiff_lzw")
    np.testing.assert_array_equal(np.rint(read_plate(path).rgb * 255), NOISE)
