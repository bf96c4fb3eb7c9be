"""Contact sheets: the view transform, the overlay, the layout and the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.errors import InputError, WriteError
from plugin_core.qc import contact_sheet as sheets


def flat(value: float, height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), value, np.float32)


def read_png(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]


def test_display_is_the_srgb_curve_below_the_shoulder():
    values = np.array([0.0, 0.002, 0.18, 0.5], np.float32)
    expected = [0.0, 0.02584, 0.46136, 0.73536]
    assert sheets.display(values) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.floats(-4, 4000, width=32), min_size=2, max_size=20))
def test_display_is_monotonic_and_bounded(values):
    shown = sheets.display(np.sort(np.array(values, np.float32)))
    assert (np.diff(shown) >= -1e-6).all()
    assert shown.min() >= 0.0 and shown.max() <= 1.0


def test_display_keeps_highlights_apart_and_survives_bad_values():
    shown = sheets.display(np.array([1.0, 1.5, 2.0, np.inf, np.nan, -np.inf], np.float32))
    assert shown[0] < shown[1] < shown[2] < 1.0
    assert shown[3:].tolist() == pytest.approx([1.0, 0.0, 0.0])


def test_overlay_tints_the_hole_outlines_it_and_leaves_the_rest():
    matte = np.zeros((20, 30), np.float32)
    matte[5:15, 8:20] = 1.0
    shown = sheets.matte_overlay(flat(0.5), matte)
    assert np.array_equal(shown[0, 0], flat(0.5)[0, 0])
    assert shown[10, 14, 0] > 0.6 > 0.4 > shown[10, 14, 1]
    assert shown[4, 14, 0] == 1.0  # the outline lies just outside


def test_hole_psnr_counts_the_hole_alone():
    matte = np.zeros((20, 30), np.float32)
    matte[5:10, 5:10] = 1.0
    truth, result = flat(0.2), flat(0.2)
    result[0, 0] = 9.0
    assert sheets.hole_psnr(result, truth, matte) == float("inf")
    result[5:10, 5:10] = 0.3
    step = float(sheets.display(np.float32([0.3]))[0] - sheets.display(np.float32([0.2]))[0])
    assert sheets.hole_psnr(result, truth, matte) == pytest.approx(-20 * np.log10(step), abs=1e-3)
    assert np.isnan(sheets.hole_psnr(result, truth, np.zeros_like(matte)))


def test_a_bare_sheet_holds_every_picture_in_its_place(tmp_path):
    rows = [[flat(0.2), flat(0.4)], [flat(0.6), flat(0.8)]]
    out = sheets.contact_sheet(rows, tmp_path / "new" / "sheet.png")
    picture = read_png(out)
    seen = [tuple(np.argwhere((picture == round(255 * v)).all(-1)).min(0)) for v in (0.2, 0.4, 0.6, 0.8)]
    assert seen[0] < seen[1] < seen[2] < seen[3]
    for value in (0.2, 0.4, 0.6, 0.8):
        assert (picture == round(255 * value)).all(-1).sum() == 20 * 30
    assert [path.name for path in out.parent.iterdir()] == ["sheet.png"]


def test_title_heads_and_labels_are_drawn_and_touch_no_picture(tmp_path):
    violet = (flat(1.0, 60, 90) * np.array([0.6, 0.0, 1.0])).astype(np.float32)
    rows = [[violet, violet]]
    words = {"columns": ["plate", "result"], "labels": ["1001"], "title": "Balloon", "note": "32.1 dB"}
    picture = read_png(sheets.contact_sheet(rows, tmp_path / "sheet.png", **words))
    assert (picture == (153, 0, 255)).all(-1).sum() == 2 * 60 * 90
    assert (picture.min(-1) > 200).sum() > 100  # ink


def test_without_the_fonts_strokes_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets.oiio.ImageBufAlgo, "render_text", lambda *a, **k: False)
    picture = read_png(sheets.contact_sheet([[flat(0.1, 60, 90)]], tmp_path / "s.png", title="Plate"))
    assert (picture.min(-1) > 200).sum() > 20


def test_pictures_that_make_no_grid_are_refused(tmp_path):
    out = tmp_path / "sheet.png"
    with pytest.raises(InputError, match="at least one picture"):
        sheets.contact_sheet([], out)
    with pytest.raises(InputError, match=r"Row 1 .* has 1 pictures, expected 2"):
        sheets.contact_sheet([[flat(0), flat(0)], [flat(0)]], out)
    with pytest.raises(InputError, match=r"shape \(20, 31, 3\)"):
        sheets.contact_sheet([[flat(0), flat(0, 20, 31)]], out)
    with pytest.raises(InputError, match="3 column heads, expected 1"):
        sheets.contact_sheet([[flat(0)]], out, columns=["a", "b", "c"])
    assert not out.exists()


def test_a_sheet_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match="contact sheet"):
        sheets.contact_sheet([[flat(0)]], tmp_path / "file" / "sheet.png")
    (tmp_path / "sheet.png").mkdir()
    with pytest.raises(WriteError, match=r"sheet\.png"):
        sheets.contact_sheet([[flat(0)]], tmp_path / "sheet.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "sheet.png"]


@pytest.mark.parametrize("known", (True, False))
def test_before_after_takes_functions_or_mappings(tmp_path, known):
    plate = {1001: flat(0.2), 1002: flat(0.3)}
    matte = np.zeros((20, 30), np.float32)
    seen: list[int] = []

    def result(frame: int) -> np.ndarray:
        seen.append(frame)
        return plate[frame]

    truth = plate if known else None
    out = tmp_path / "sheet.png"
    sheets.before_after_sheet(plate, lambda frame: matte, result, truth, [1001, 1002], out, title="Sample")
    assert seen == [1001, 1002]
    picture = read_png(out)
    tone = round(255 * float(sheets.display(np.float32([0.2]))[0]))
    assert (picture == tone).all(-1).sum() == (4 if known else 3) * 480 * round(480 * 20 / 30)


def test_before_after_of_no_frames_is_refused(tmp_path):
    with pytest.raises(InputError, match="at least one frame"):
        sheets.before_after_sheet({}, {}, {}, None, [], tmp_path / "sheet.png", title="")
