"""The embedded sample is what its README says, and the script that makes it makes it again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core import sample
from plugin_core.errors import WriteError
from plugin_core.sample.compose import main, render_frame

pytestmark = pytest.mark.slow

FRAMES = range(sample.FIRST, sample.LAST + 1)
MANTISSA_STEP = 256  # the coarsest rounding of the stored pixels, in half codes


def read(pattern: str, frame: int) -> np.ndarray:
    buffer = oiio.ImageBuf(str(sample.frame_path(pattern, frame)))
    assert not buffer.has_error, buffer.geterror()
    return np.asarray(buffer.get_pixels(oiio.HALF))


def header(pattern: str, frame: int) -> oiio.ImageSpec:
    source = oiio.ImageInput.open(str(sample.frame_path(pattern, frame)))
    spec = source.spec()
    source.close()
    return spec


PATTERNS = (sample.plate_pattern(), sample.matte_pattern(), sample.clean_pattern())


@pytest.mark.parametrize("frame", FRAMES)
def test_plate_equals_the_clean_plate_outside_the_matte(frame):
    plate, matte, clean = (read(pattern, frame) for pattern in PATTERNS)
    outside = matte[..., 0] == 0
    assert plate.dtype == np.float16
    assert plate.shape == clean.shape == (*matte.shape[:2], 3)
    assert np.array_equal(plate[outside].view(np.uint16), clean[outside].view(np.uint16))
    assert 0.04 < (matte > 0).mean() < 0.15
    assert np.isfinite(plate.astype(np.float32)).all()


@pytest.mark.parametrize("frame", (sample.FIRST, 1012, sample.LAST))
def test_the_matte_covers_all_that_differs_and_has_a_soft_edge(frame):
    plate, matte, clean = (read(pattern, frame).astype(np.float32) for pattern in PATTERNS)
    matte = matte[..., 0]
    differs = np.abs(plate - clean).max(-1) > 0.05 * clean.max(-1)
    assert differs.mean() > 0.03
    assert matte[differs].min() > 0.99  # a matte of 1/2 would leave half of the shadow behind
    assert matte.min() == 0.0 and matte.max() == 1.0
    assert ((matte > 0) & (matte < 1)).mean() > 0.01


def test_values_above_one_inside_and_outside_the_hole():
    plate, matte = read(PATTERNS[0], 1012), read(PATTERNS[1], 1012)[..., 0]
    assert 12 <= plate[matte == 0].max() <= 40  # the sun
    assert plate[matte == 1].max() > 2  # the burner
    assert plate.min() >= 0


def test_what_is_hidden_in_one_frame_is_seen_in_others():
    hidden = [read(PATTERNS[1], frame)[..., 0] > 0 for frame in FRAMES]
    always = np.logical_and.reduce(hidden)
    assert not always.any()
    within_six = np.logical_and.reduce(hidden[6:19])  # frame 1013 and six on each side
    assert within_six.sum() < 0.1 * hidden[12].sum()


def test_headers():
    spec = header(PATTERNS[0], 1002)
    assert spec.format == oiio.HALF
    assert spec.channelnames == ("R", "G", "B")
    assert spec["colorspace"] == sample.COLORSPACE
    assert spec["chromaticities"][:2] == pytest.approx((0.64, 0.33))
    assert spec["compression"] == "zip"
    assert spec["FramesPerSecond"] == (24, 1)
    assert spec.get_string_attribute("smpte:TimeCode") == "00:00:41:18"
    assert header(PATTERNS[1], 1002).channelnames == ("Y",)


@pytest.mark.parametrize("frame", (1003, 1019))
def test_the_script_makes_the_same_pixels(frame):
    """Equal, but for a rare pixel on a rounding edge where another machine's sine differs in its last bit."""
    made = render_frame(frame)
    for pattern, pixels in zip(PATTERNS, (made.plate, made.matte, made.clean), strict=True):
        kept = read(pattern, frame).reshape(pixels.shape)
        apart = np.abs(kept.view(np.uint16).astype(int) - pixels.view(np.uint16).astype(int))
        assert (apart > 0).mean() < 1e-3, f"{pattern}: {(apart > 0).sum()} values differ in frame {frame}"
        assert apart.max() <= MANTISSA_STEP, f"{pattern}: frame {frame} differs by up to {apart.max()} codes"


def test_the_same_frame_again_is_the_same_bytes(tmp_path: Path):
    for folder in ("a", "b"):
        assert main(["--out", str(tmp_path / folder), "--frames", "1005", "1005"]) == 0
    written = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert [str(path) for path in written] == [f"{k}/{k}.1005.exr" for k in ("clean", "matte", "plate")]
    for path in written:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_a_frame_that_cannot_be_written_leaves_nothing(tmp_path: Path):
    blocked = tmp_path / "plate"
    (blocked / "plate.1001.exr").mkdir(parents=True)
    with pytest.raises(WriteError, match=r"plate\.1001\.exr"):
        main(["--out", str(tmp_path), "--frames", "1001", "1001"])
    assert [path.name for path in blocked.iterdir()] == ["plate.1001.exr"]


def test_the_sample_is_complete_small_and_licensed():
    files = sorted(sample.sample_folder().glob("*/*.exr"))
    assert len(files) == 3 * len(FRAMES)
    assert sum(path.stat().st_size for path in files) < 4_000_000
    assert "CC0-1.0" in (sample.sample_folder() / "README.md").read_text()
    assert sample.FRAMES in sample.SAMPLE


def test_paths_need_neither_numpy_nor_images():
    code = "import sys, plugin_core.sample; sys.exit('numpy' in sys.modules or 'OpenImageIO' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
