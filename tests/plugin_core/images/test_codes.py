"""Integer plates stored as floating point: the code values, tagged, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin_core.errors import ImageError
from plugin_core.images import Plate, Storage, output_notes, read_plate, stored, write_plate

from ..pictures_on_disk import save, spec_of

pytestmark = pytest.mark.usefixtures("no_sync")

Codes = np.ndarray[Any, np.dtype[Any]]


def every_code(top: int, kind: str) -> Codes:
    """Codes from 0 to `top`, each at least once, as R, G, B of 64 rows."""
    codes = np.resize(np.arange(top + 1), (64, max(1, -(-(top + 1) // 64)), 3) if top > 255 else (64, 8, 3))
    return codes.astype(kind)


def png8(folder: Path) -> tuple[Path, Codes, int]:
    codes = every_code(255, "uint8")
    return save(folder / "p.png", (spec_of(codes.shape[1], 64, "RGB", "uint8"), codes)), codes, 255


def dpx10(folder: Path) -> tuple[Path, Codes, int]:
    codes = every_code(1023, "uint16")
    spec = spec_of(codes.shape[1], 64, "RGB", "uint16", oiio__BitsPerSample=10)
    return save(folder / "p.dpx", (spec, (codes << 6) | (codes >> 4))), codes, 1023


def tiff16(folder: Path) -> tuple[Path, Codes, int]:
    codes = every_code(65535, "uint16")
    return save(folder / "p.tif", (spec_of(codes.shape[1], 64, "RGB", "uint16"), codes)), codes, 65535


def written(path: Path, depth: str, encoding: str = "srgb_rec709_display") -> Plate:
    plate = stored(read_plate(path), Storage(bit_depth=depth, encoding=encoding))
    write_plate(plate, path.parent / "out.exr")
    return read_plate(path.parent / "out.exr")


def rgb_of(plate: Plate) -> Codes:
    part = plate.parts[plate.header.part]
    return np.stack([part.channel(c) for c in plate.header.fill_channels], axis=2)


@pytest.mark.parametrize(
    ("make", "depth"),
    [(png8, "half"), (png8, "float"), (dpx10, "half"), (dpx10, "float"), (tiff16, "float")],
)
def test_every_code_comes_back(
    tmp_path: Path, make: Callable[[Path], tuple[Path, Codes, int]], depth: str
) -> None:
    """The value is the nearest to code / top that the type has, and rounds back to the code."""
    path, codes, top = make(tmp_path)
    out = written(path, depth)
    values = rgb_of(out)
    kind = {"half": np.float16, "float": np.float32}[depth]
    np.testing.assert_array_equal(values, (codes.astype(np.float64) / top).astype(kind))
    np.testing.assert_array_equal(np.rint(values.astype(np.float64) * top), codes)
    told = f"{top.bit_length()}-bit code / {top}, 0 to 1"
    assert out.parts[0].spec.get_string_attribute("cleanplate:values") == told


def test_sixteen_bits_in_half_are_rounded_and_a_note_says_so(tmp_path: Path) -> None:
    path, codes, top = tiff16(tmp_path)
    notes = output_notes(read_plate(path).header, ".exr", Storage(bit_depth="half"))
    assert any("half holds 11 bits and the plate has 16" in note for note in notes)
    values = rgb_of(written(path, "half"))
    np.testing.assert_array_equal(values, (codes.astype(np.float64) / top).astype(np.float16))


def test_the_file_says_what_its_values_are_in_place_of_the_plates_own_tags(tmp_path: Path) -> None:
    spec = spec_of(8, 8, "RGB", "uint8", oiio__ColorSpace="lin_rec709_scene")
    path = save(tmp_path / "p.png", (spec, np.zeros((8, 8, 3), np.uint8)))
    out = written(path, "half", "ARRI LogC4")
    assert (out.header.color.name, out.header.color.said_by) == ("ARRI LogC4", "colorspace")
    assert out.header.color.cicp == ()


def test_a_fill_ends_where_codes_end(tmp_path: Path) -> None:
    path, _, _ = png8(tmp_path)
    plate = stored(read_plate(path), Storage(bit_depth="half"))
    fill = np.array([[[-0.5, 0.25, 1.5]], [[np.nan, 1.0, 0.0]]], np.float32)
    filled = rgb_of(plate.with_patch(fill, np.ones((2, 1), np.bool_), 3, 4))
    np.testing.assert_array_equal(filled[4:6, 3], [[0, 0.25, 1], [0, 1, 0]])


def test_straight_alpha_stays_and_a_note_says_so(tmp_path: Path) -> None:
    codes = np.random.default_rng(3).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    spec = spec_of(8, 8, "RGBA", "uint8", oiio__UnassociatedAlpha=1)
    path = save(tmp_path / "p.png", (spec, codes))
    plate = stored(read_plate(path), Storage(bit_depth="float"))
    notes = write_plate(plate, tmp_path / "out.exr")
    assert any("not multiplied by its alpha" in note for note in notes)
    out = read_plate(tmp_path / "out.exr").parts[0]
    values = np.stack([out.channel(c) for c in range(4)], axis=2)
    np.testing.assert_array_equal(np.rint(values.astype(np.float64) * 255), codes)


def test_without_a_depth_the_refusal_says_which(tmp_path: Path) -> None:
    path, _, _ = png8(tmp_path)
    with pytest.raises(ImageError, match="give --bit-depth half or float"):
        output_notes(read_plate(path).header, ".exr")
