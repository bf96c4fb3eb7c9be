"""Plates whose data window changes from frame to frame, and what must not change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.clips.clip import open_clip
from plugin_core.clips.headers import check_headers
from plugin_core.errors import ImageError
from plugin_core.images import read_header
from plugin_core.job.settings import Settings

from ..motion.test_flow import disc, texture
from ..pictures_on_disk import native_channels, save, spec_of
from ..shots import QUICK, ShotOnDisk, hole, make_shot, picture, run_toy, same_files, write_matte

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

LAST = 8
FULL = {"full_width": 96, "full_height": 64}


def window(frame: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a frame's data window: it travels, and grows beyond the display window."""
    return 3 * frame - 6, 2, 60 + 5 * frame, 60 + frame


@pytest.fixture
def shot(tmp_path: Path) -> ShotOnDisk:
    """The usual moving picture, each frame cut to another window."""
    shot = ShotOnDisk(tmp_path, 1, LAST)
    (tmp_path / "plate").mkdir()
    for frame in range(1, LAST + 1):
        x0, y0, x1, y1 = window(frame)
        pixels = picture(frame, (140, 80))[y0 + 6 : y1 + 6, x0 + 6 : x1 + 6]
        spec = spec_of(x1 - x0, y1 - y0, "RGBZ", "half", x=x0, y=y0, compression="zips", **FULL)
        save(shot.plate(frame), (spec, pixels.astype(np.float16)))
        write_matte(shot.matte(frame), hole(frame))
    return shot


def hole_in(frame: int) -> np.ndarray:
    """The matte over the frame's own data window."""
    x0, y0, x1, y1 = window(frame)
    whole = np.zeros((100, 200), bool)
    whole[6:70, 6:102] = hole(frame) > 0
    return whole[y0 + 6 : y1 + 6, x0 + 6 : x1 + 6]


def test_every_frame_keeps_its_own_window_and_all_that_is_outside_the_hole(shot):
    run_toy(shot.shot(), QUICK)
    for frame in range(1, LAST + 1):
        x0, y0, x1, y1 = window(frame)
        written = read_header(shot.written(frame))
        assert written.data_window == (x0, y0, x1 - x0, y1 - y0)
        assert written.display_window == (0, 0, 96, 64)
        where = hole_in(frame)
        before, after = native_channels(shot.plate(frame)), native_channels(shot.written(frame))
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            keep = ~where if index < 3 else np.ones_like(where)
            assert one[keep].tobytes() == other[keep].tobytes()
        assert (before[0][where] != after[0][where]).mean() > 0.9


def test_chunks_are_the_whole_although_their_windows_differ(shot):
    state = str(shot.folder / "a.state")
    run_toy(shot.shot("whole"), QUICK)
    run_toy(shot.shot("parts", "1-4"), QUICK, state_out=state)
    run_toy(shot.shot("parts", f"5-{LAST}"), QUICK, state_in=state)
    same_files(shot, "whole", "parts")


def test_the_canvas_is_the_box_around_all_windows(shot):
    clip, header = check_headers(open_clip(shot.plate_pattern), range(1, LAST + 1))
    assert header.data_window == (-3, 2, 103, 66) == clip.plate(5).header.data_window
    assert clip.header(5).data_window == (9, 2, 76, 63)


def test_plates_of_one_window_are_left_as_they_are(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    clip = open_clip(shot.plate_pattern)
    assert check_headers(clip, range(1, 4))[0] is clip


def test_a_frame_of_another_size_or_kind_is_refused(shot):
    spec = spec_of(60, 60, "RGBZ", "half", full_width=100, full_height=64)
    save(shot.plate(4), (spec, np.zeros((60, 60, 4), np.float16)))
    with pytest.raises(ImageError, match=r"plate\.0004\.exr is 60x60 at 0,0 in 100x64, but .*plate\.0001"):
        run_toy(shot.shot(), QUICK)
    save(shot.plate(4), (spec_of(60, 60, "RGB", "float", **FULL), np.zeros((60, 60, 3), np.float32)))
    with pytest.raises(ImageError, match="other channels or pixel types"):
        run_toy(shot.shot(), QUICK)


def test_a_hole_beyond_a_frames_window_is_filled_only_inside(shot):
    for frame in range(1, LAST + 1):
        write_matte(shot.matte(frame), np.full((64, 96), 255 if frame == 1 else 0, np.uint8))
    run_toy(shot.shot(), Settings(working_size=64, grow=5, feather=0))
    one, other = (native_channels(path)[0] for path in (shot.plate(1), shot.written(1)))
    assert one.shape == other.shape and (one != other).mean() > 0.5


def test_the_view_asked_for_is_rendered(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    for frame in range(1, 4):
        pixels = np.ascontiguousarray(picture(frame).astype(np.float16)[:, :, [0, 1, 2, 2, 1, 0]])
        spec = spec_of(96, 64, ("R", "G", "B", "left.R", "left.G", "left.B"), "half")
        spec.attribute("multiView", oiio.TypeDesc("string[2]"), ("right", "left"))
        save(shot.plate(frame), (spec, pixels))
    run_toy(shot.shot("right"), QUICK)
    run_toy(shot.shot("left", view="left"), QUICK)
    for frame in range(1, 4):
        plate, right, left = (
            native_channels(path)
            for path in (shot.plate(frame), shot.written(frame, "right"), shot.written(frame, "left"))
        )
        assert [bool((a != b).any()) for a, b in zip(plate, right, strict=True)] == [True] * 3 + [False] * 3
        assert [bool((a != b).any()) for a, b in zip(plate, left, strict=True)] == [False] * 3 + [True] * 3
    with pytest.raises(ImageError, match=r"no view 'third'; its views are right, left"):
        run_toy(shot.shot("third", view="third"), QUICK)


def test_storage_as_told_reaches_frames_without_a_hole_too(tmp_path):
    shot = make_shot(tmp_path, 1, 3, empty=(2,))
    run_toy(shot.shot(compression="piz", bit_depth="float"), QUICK)
    for frame in range(1, 4):
        header = read_header(shot.written(frame))
        assert header.compression == "piz"
        assert header.types == ("float", "float", "float", "half")


@pytest.mark.parametrize("pan", [0, 2])
def test_real_pixels_of_frames_with_other_windows_lie_where_they_belong(tmp_path: Path, pan: int) -> None:
    wall, walls = texture(112, 220), {}
    shot = ShotOnDisk(tmp_path, 1, 13)
    shot.plate(1).parent.mkdir()
    for frame in range(1, 14):
        walls[frame] = wall[20:132, 20 + pan * frame : 180 + pan * frame]
        hole = disc(112, 160, 56, 40 + 6 * frame, 14)
        x0, y0, x1, y1 = 4 + frame % 3, 3 + frame % 2, 150 + frame % 4, 105 + frame % 5
        pixels = np.where(hole[..., None], 0.5, walls[frame])[y0:y1, x0:x1]
        spec = spec_of(x1 - x0, y1 - y0, "RGB", "half", x=x0, y=y0, full_width=160, full_height=112)
        save(shot.plate(frame), (spec, pixels.astype(np.float16)))
        write_matte(shot.matte(frame), hole.astype(np.uint8) * 255)
    run_toy(shot.shot(), QUICK.model_copy(update={"propagate": 12}))
    for frame in range(1, 14):
        written = oiio.ImageBuf(str(shot.written(frame)))
        part = np.s_[written.ybegin : written.yend, written.xbegin : written.xend]
        hole = disc(112, 160, 56, 40 + 6 * frame, 14)[part]
        error = np.abs(written.get_pixels(oiio.FLOAT) - walls[frame][part])[hole]
        assert np.median(error) < (0.02 if pan else 2e-3), frame
