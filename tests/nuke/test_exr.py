"""Comparing what Nuke has written: by pixels and windows, whatever it notes of its script."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio
import pytest


@pytest.fixture
def exr(host):
    from cleanplate_nuke import exr

    return exr


def write(path, *, value=0.25, origin=(0, 0), rows=40, **attributes):
    spec = oiio.ImageSpec(16, rows, 1, "half")
    spec.x, spec.y = origin
    spec.full_width, spec.full_height = 16, 40
    spec.channelnames = ("A",)
    for name, text in {"compression": "zips", "DateTime": "2026:01:02 03:04:05", **attributes}.items():
        spec.attribute(name, text)
    file = oiio.ImageOutput.create(str(path))
    if attributes.get("tiled"):
        spec.tile_width = spec.tile_height = 16
    assert file.open(str(path), spec)
    pixels = np.full((rows, 16, 1), value, np.float32)
    pixels[rows // 2, 3] = 0.75
    assert file.write_image(pixels)
    assert file.close()
    return path


def test_only_pixels_windows_and_metadata_count(exr, tmp_path):
    one = write(tmp_path / "one.exr", **{"nuke/node_hash": "1f", "nuke/version": "13.2v8"})
    same = write(tmp_path / "same.exr", **{"nuke/node_hash": "deadbeefdeadbeef", "nuke/version": "16.0v1"})
    assert one.read_bytes() != same.read_bytes()
    assert exr.same_picture(one, same)
    for name, other in {
        "value": write(tmp_path / "value.exr", value=0.26),
        "window": write(tmp_path / "window.exr", origin=(1, 0)),
        "rows": write(tmp_path / "rows.exr", rows=39),
        "owner": write(tmp_path / "owner.exr", owner="somebody"),
        "compression": write(tmp_path / "compression.exr", compression="none"),
    }.items():
        assert not exr.same_picture(one, other), name


def test_a_cut_or_foreign_file_is_never_the_same(exr, tmp_path):
    one = write(tmp_path / "one.exr")
    whole = one.read_bytes()
    for length in (0, 3, 8, 50, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.exr").write_bytes(whole[:length])
        assert not exr.same_picture(one, tmp_path / "cut.exr")
    (tmp_path / "text.exr").write_text("hello, this is no picture at all")
    assert not exr.same_picture(tmp_path / "text.exr", tmp_path / "text.exr")
    assert not exr.same_picture(one, tmp_path / "gone.exr")
    tiled = write(tmp_path / "tiled.exr", tiled=1)
    assert not exr.same_picture(tiled, tiled)
