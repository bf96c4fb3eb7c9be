"""Contact sheets: pictures side by side with labels, as an 8-bit PNG for people to look at.

Nothing here feeds back into a render. Pictures are float32 (H, W, 3). "Scene-linear" is what a plate holds,
"display-referred" is ready for an sRGB screen, 0..1.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.color.display import display
from plugin_core.disk.atomic import replacing
from plugin_core.disk.folders import make_folder
from plugin_core.errors import InputError, WriteError

Picture = NDArray[np.float32]
Frames = Callable[[int], NDArray[np.floating]] | Mapping[int, NDArray[np.floating]]
"""Pictures by frame number: a function or a mapping."""

_BACKGROUND, _INK, _QUIET = 0.105, (0.93, 0.93, 0.93), (0.60, 0.60, 0.62)
_MARGIN, _GAP = 28, 12
_TITLE_SIZE, _LABEL_SIZE, _NOTE_LINE = 22, 16, 24
_LETTER_WIDTH = 8.2
"""Of a label, in the mean, in pixels."""


def matte_overlay(rgb: Picture, matte: NDArray[np.floating]) -> Picture:
    """A display-referred picture with the matte (H, W), 0..1, as a red tint and its edge as a bright line."""
    cover = np.clip(np.nan_to_num(matte.astype(np.float32)), 0.0, 1.0)[..., None]
    tinted = rgb * (1.0 - 0.45 * cover) + np.array([0.95, 0.10, 0.12], np.float32) * (0.45 * cover)
    inside = (cover[..., 0] >= 0.5).astype(np.uint8)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    edge = (cv2.dilate(inside, brush) != inside)[..., None]
    return np.where(edge, np.array([1.0, 0.25, 0.22], np.float32), tinted).astype(np.float32)


def hole_psnr(
    result: NDArray[np.floating], truth: NDArray[np.floating], matte: NDArray[np.floating]
) -> float:
    """PSNR in dB between two scene-linear pictures (H, W, 3), inside the hole and as they look on a screen.

    The error is taken after `display`, with peak 1, and averaged over the pixels where the matte (H, W) is
    above zero, each weighted by its matte. Infinite when they are equal there; NaN when the hole is empty.
    """
    weight = np.clip(matte.astype(np.float64), 0.0, 1.0)
    if weight.sum() == 0.0:
        return float("nan")
    square = (display(result).astype(np.float64) - display(truth)) ** 2
    error = float((square.mean(-1) * weight).sum() / weight.sum())
    return float("inf") if error == 0.0 else float(-10.0 * np.log10(error))


def contact_sheet(
    rows: Sequence[Sequence[Picture]],
    out: Path,
    *,
    columns: Sequence[str] = (),
    labels: Sequence[str] = (),
    title: str = "",
    note: str = "",
) -> Path:
    """Lay out display-referred pictures of one size in rows, with a title, column heads and a label per row.

    The note and the labels may have several lines; the note's are broken where the sheet ends.

    The PNG appears under its name only when it is whole. Returns `out`. Raises InputError when the pictures
    do not make a grid of one size, WriteError when the file can't be written.
    """
    height, width = _check_grid(rows, columns, labels)
    gutter = _MARGIN + (84 if labels else 0)
    sheet_width = gutter + len(rows[0]) * (width + _GAP) - _GAP + _MARGIN
    notes = _broken(note, sheet_width - gutter - _MARGIN)
    head = _MARGIN + (40 if title else 0) + _NOTE_LINE * len(notes) + (30 if columns else 0)
    sheet_height = head + len(rows) * (height + _GAP) - _GAP + _MARGIN
    sheet = np.full((sheet_height, sheet_width, 3), _BACKGROUND, np.float32)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            top, left = head + r * (height + _GAP), gutter + c * (width + _GAP)
            sheet[top : top + height, left : left + width] = np.clip(np.nan_to_num(picture), 0.0, 1.0)
    texts = _texts(head, gutter, (height, width), columns, labels, title, notes)
    codes = np.round(sheet * 255.0).astype(np.uint8)
    return _write_png(_draw(codes, texts), out)


def before_after_sheet(
    plate: Frames,
    matte: Frames,
    result: Frames,
    truth: Frames | None,
    frames: Sequence[int],
    out: Path,
    *,
    title: str,
    note: str = "",
    view: Callable[[NDArray[np.floating]], Picture] = display,
) -> Path:
    """Plate, matte over plate, result and (where known) the true clean plate, a row for each frame, as a PNG.

    Pictures are scene-linear (H, W, 3), mattes (H, W); `view` brings them to the screen (pass another one for
    a plate that is not scene-linear Rec.709). Large plates are reduced to 480 pixels wide, small
    ones enlarged.
    """
    if not frames:
        raise InputError("A contact sheet needs at least one frame; none was given")
    columns = ["plate", "matte", "result"] + (["true clean plate"] if truth is not None else [])
    rows: list[list[Picture]] = []
    for frame in frames:
        shown = view(_at(plate, frame))
        row = [shown, matte_overlay(shown, _at(matte, frame)), view(_at(result, frame))]
        row += [view(_at(truth, frame))] if truth is not None else []
        rows.append([_fit(picture) for picture in row])
    labels = [str(frame) for frame in frames]
    return contact_sheet(rows, out, columns=columns, labels=labels, title=title, note=note)


def _at(pictures: Frames, frame: int) -> NDArray[np.floating]:
    return pictures(frame) if callable(pictures) else pictures[frame]


def _fit(picture: Picture, width: int = 480) -> Picture:
    """The picture at a width that is good to look at: reduced by area, enlarged by a cubic."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    method = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.float32)


def _check_grid(
    rows: Sequence[Sequence[Picture]], columns: Sequence[str], labels: Sequence[str]
) -> tuple[int, int]:
    """Height and width shared by every picture. Raises InputError."""
    if not rows or not rows[0]:
        raise InputError("A contact sheet needs at least one picture; none was given")
    shape = rows[0][0].shape
    for r, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InputError(f"Row {r} of the contact sheet has {len(row)} pictures, expected {len(rows[0])}")
        for picture in row:
            if picture.shape != shape or len(shape) != 3 or shape[2] != 3:
                raise InputError(
                    f"Row {r} of the contact sheet has a picture of shape {picture.shape}, expected {shape} "
                    "(height, width, 3) as in the first"
                )
    for what, texts, count in (("column heads", columns, len(rows[0])), ("row labels", labels, len(rows))):
        if texts and len(texts) != count:
            raise InputError(f"The contact sheet got {len(texts)} {what}, expected {count}")
    return shape[0], shape[1]


def _broken(note: str, width: int) -> list[str]:
    """A note's lines, those that are wider than the sheet broken between words."""
    letters = max(24, int(width / _LETTER_WIDTH))
    return [line for told in note.splitlines() for line in textwrap.wrap(told, letters) or [""]]


_Codes = NDArray[np.uint8]
_Text = tuple[int, int, str, int, tuple[float, float, float], str]


def _texts(
    head: int,
    gutter: int,
    size: tuple[int, int],
    columns: Sequence[str],
    labels: Sequence[str],
    title: str,
    notes: Sequence[str],
) -> list[_Text]:
    """Every text on the sheet: x, baseline, words, pixels high, color, font."""
    texts: list[_Text] = []
    line = _MARGIN + _TITLE_SIZE - 2
    if title:
        texts.append((gutter, line, title, _TITLE_SIZE, _INK, "DroidSans-Bold"))
        line += 30
    for note in notes:
        texts.append((gutter, line, note, _LABEL_SIZE, _QUIET, "DroidSans"))
        line += _NOTE_LINE
    for c, column in enumerate(columns):
        texts.append((gutter + c * (size[1] + _GAP), head - 9, column, _LABEL_SIZE, _QUIET, "DroidSans"))
    for r, label in enumerate(labels):
        baseline = head + r * (size[0] + _GAP) + _LABEL_SIZE
        for number, words in enumerate(label.split("\n")):
            ink = _QUIET if number else _INK
            texts.append((_MARGIN, baseline + number * _NOTE_LINE, words, _LABEL_SIZE, ink, "DroidSans"))
    return texts


def _draw(sheet: _Codes, texts: Sequence[_Text]) -> _Codes:
    """The sheet with its texts, in OpenImageIO's own fonts; OpenCV's strokes where those are missing."""
    buffer = oiio.ImageBuf(np.ascontiguousarray(sheet))
    for x, baseline, words, size, color, font in texts:
        if not oiio.ImageBufAlgo.render_text(buffer, x, baseline, words, size, font, color):
            return _draw_strokes(sheet, texts)
    return np.asarray(buffer.get_pixels(oiio.UINT8), np.uint8)


def _draw_strokes(sheet: _Codes, texts: Sequence[_Text]) -> _Codes:
    drawn = np.ascontiguousarray(sheet)
    for x, baseline, words, size, color, font in texts:
        weight = 2 if "Bold" in font else 1
        ink, scale = tuple(round(255 * value) for value in color), size / 30.0
        cv2.putText(drawn, words, (x, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, weight, cv2.LINE_AA)
    return drawn


def _write_png(sheet: _Codes, out: Path) -> Path:
    """Write an 8-bit PNG whole or not at all."""
    done, data = cv2.imencode(".png", sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise WriteError(f"Can't encode the contact sheet {out} as PNG")
    try:
        make_folder(out.parent)
    except OSError as error:
        raise WriteError(f"Can't make the folder of the contact sheet {out}: {error.strerror}") from error
    with replacing(out) as temporary:
        temporary.write_bytes(data.tobytes())
    return out
