"""The Fuse: what it shows for every frame, in any order."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.review.sources import COLORS

from .host import Host
from .pictures import sequence

FRAMES = range(5)
RENDERED = (1, 2, 4)
HEIGHT, WIDTH = 60, 320


@pytest.fixture
def clean(folder: Path) -> Path:
    return sequence(folder / "clean", "clean", RENDERED, lambda frame: picture(10 + frame))


@pytest.fixture
def host(folder: Path, new_host) -> Host:
    """A comp of five small frames with a matte in a corner, and nothing rendered yet."""
    plate = sequence(folder / "p", "plate", FRAMES, picture)
    matte = sequence(folder / "m", "matte", FRAMES, lambda frame: corner(frame / 4))
    return new_host(0, 4, plate=str(plate), matte=str(matte))


def picture(frame: int) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return np.stack([rows / HEIGHT, columns / WIDTH, np.full_like(rows, frame / 8), np.ones_like(rows)], 2)


def corner(value: float) -> np.ndarray:
    matte = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    matte[:20, :30] = value
    return matte


def show(host: Host, clean: Path, mode: str) -> None:
    """Set the macro as a render would, and choose what to show."""
    host.call("set", host.macro, b"Mode", ("Result", "Plate", "Matte", "Difference").index(mode))
    point_loader(host, clean)


def point_loader(host: Host, clean: Path) -> None:
    code = f"""
local loader, fuse = comp:FindTool("CleanplateLoader"), comp:FindTool("CleanplateResult")
loader:SetInput("Clip", "{clean.parent}/clean.0001.exr")
loader:SetInput("GlobalOut", 4)
loader:SetInput("GlobalIn", 1)
loader:SetInput("ClipTimeStart", 0)
loader:SetInput("ClipTimeEnd", 3)
loader:SetInput("HoldFirstFrame", 0)
loader:SetInput("Loop", 0)
fuse:SetInput("ResultPath", "{clean}")
"""
    host.call("run_text", code.encode(), None)


def has_message(seen: np.ndarray, below: np.ndarray) -> bool:
    """Whether text is drawn at the bottom left, and nothing else was touched."""
    changed = np.argwhere((seen != below).any(2))
    if not len(changed):
        return False
    assert changed[:, 0].min() >= HEIGHT // 2, "the message is in the lower half"
    assert len(np.unique(seen[changed[:, 0], changed[:, 1]], axis=0)) == 2, "two colors: band and letters"
    return True


def test_nothing_rendered_yet_passes_the_plate_through_and_says_so(host):
    for frame in random.sample(FRAMES, 5):
        assert has_message(host.look(frame), picture(frame))


def test_result_in_random_order_with_missing_frames(host, clean):
    show(host, clean, "Result")
    order = [frame for frame in FRAMES for _ in range(3)]
    random.Random(7).shuffle(order)
    for frame in order:
        seen = host.look(frame)
        if frame in RENDERED:
            np.testing.assert_array_equal(seen, picture(10 + frame))
        else:
            assert has_message(seen, picture(frame)), frame
    loaded = {line for line in host.said() if line.startswith("loaded")}
    assert loaded == {f"loaded clean.{frame:04d}.exr at {frame}" for frame in RENDERED}


def test_plate_is_the_plate_to_the_bit_and_renders_nothing_else(host, clean):
    show(host, clean, "Plate")
    for frame in FRAMES:
        np.testing.assert_array_equal(host.look(frame), picture(frame))
    assert not [line for line in host.said() if line.startswith("loaded")]


def test_difference(host, clean):
    show(host, clean, "Difference")
    for frame in RENDERED:
        expected = np.abs(picture(10 + frame) - picture(frame))
        expected[:, :, 3] = 1
        np.testing.assert_allclose(host.look(frame), expected, atol=1e-6)
    assert has_message(host.look(3), picture(3))


@pytest.mark.parametrize("channel", range(6))
def test_matte_over_result(host, clean, channel):
    show(host, clean, "Matte")
    host.set("MatteChannel", channel)
    seen = host.look(2)
    expected = picture(12)
    expected[:20, :30, 0] += 0.25  # half of a matte of 0.5
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_a_matte_in_the_colors_of_an_opaque_picture(folder, new_host, clean):
    def opaque(frame: int) -> np.ndarray:
        matte = corner(0)
        matte[:20, :30, 1] = 1
        matte[:, :, 3] = 1
        return matte

    plate = sequence(folder / "p", "plate", FRAMES, picture)
    matte = sequence(folder / "m", "matte", FRAMES, opaque)
    host = new_host(0, 4, plate=str(plate), matte=str(matte))
    show(host, clean, "Matte")
    expected = picture(11)
    expected[:20, :30, 0] += 0.5
    np.testing.assert_allclose(host.look(1), expected, atol=1e-5)


def test_a_matte_of_another_size_is_said(folder, new_host, clean):
    plate = sequence(folder / "p", "plate", FRAMES, picture)
    matte = sequence(folder / "m", "matte", FRAMES, lambda frame: corner(1)[:30])
    host = new_host(0, 4, plate=str(plate), matte=str(matte))
    show(host, clean, "Matte")
    assert has_message(host.look(1), picture(11))


def layers(folder: Path, frame: int) -> Path:
    """A patch as the core writes it: its data window is the hole's box, half real, half the network's."""
    path = folder / f"patch.{frame:04d}.exr"
    spec = oiio.ImageSpec(20, 10, 8, "float")
    spec.channelnames = ("R", "G", "B", "A", "source.class", "source.share", "source.alone", "source.frame")
    spec.x, spec.y, spec.full_width, spec.full_height = 30, 5, WIDTH, HEIGHT
    planes = np.full((10, 20, 8), 0.3, np.float32)
    planes[:, :10, 4], planes[:, 10:, 4], planes[:, :, 5] = 1, 4, 0.5
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec) and file.write_image(planes) and file.close()
    return path


def test_source_and_confidence_are_read_from_the_patch(host, clean):
    show(host, clean, "Result")
    host.set("Mode", 4)
    assert has_message(host.look(1), picture(1)), "no patch yet"
    for frame in (1, 2):
        path = layers(clean.parent, frame)
    code = f"""
local place = comp:MapPathSegments("Scripts:")[2] .. "Cleanplate/"
local _, use = assert(loadfile(place .. "cleanplate.lua"))(place)
local parts = use("nodes").of(comp, comp:FindTool("CleanplateResult"))
local places = {{ clean = "{clean}", patch = "{path.parent}/patch.####.exr" }}
use("result").show({{ comp = comp, bmd = bmd }}, parts, places, 0, 4, true)
"""
    host.call("run_text", code.encode(), None)
    seen, below = host.look(1), picture(1)
    np.testing.assert_array_equal(seen[:5], below[:5], "the plate around the hole")
    np.testing.assert_array_equal(seen[:, 50:], below[:, 50:])
    for column, name in ((32, "found"), (48, "guessed")):
        code = COLORS[name].lstrip("#")
        light = [((int(code[at : at + 2], 16) / 255 + 0.055) / 1.055) ** 2.4 for at in (0, 2, 4)]
        cover = 0.43 + 0.57 * 0.5
        expected = np.multiply(light, cover) + below[8, column, :3] * (1 - cover)
        np.testing.assert_allclose(seen[8, column, :3], expected, atol=1e-3)
    host.set("Mode", 5)
    seen = host.look(1)
    np.testing.assert_allclose((seen[8, 32, :3], seen[8, 48, :3]), ((0.5,) * 3, (0,) * 3))
    assert has_message(host.look(4), picture(4)), "a frame without a patch"
    host.fault("no_layers", True)
    assert has_message(host.look(1), picture(1)), "colors in place of classes are no classes"


def test_a_file_that_can_not_be_read_shows_the_plate(host, clean):
    show(host, clean, "Result")
    Path(str(clean).replace("####", "0002")).write_bytes(b"no picture")
    assert has_message(host.look(2), picture(2))
