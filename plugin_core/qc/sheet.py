"""The contact sheet of `cleanplate qc`: the frames that stand out, cut to the fill and its surroundings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..images import Header
from .contact_sheet import contact_sheet, matte_overlay
from .pictures import Looked, Pictures
from .report import Report
from .surroundings import surroundings

_ROWS, _WIDTH, _MOST_HIGH = 5, 420, 640
_URGENT = ("FAULT", "look", "ok", "-")


def write_qc_sheet(shot: Pictures, report: Report, out: Path) -> Path:
    """Write the sheet: plate with matte, result, and the true clean plate where there is one; a row a frame.

    Raises:
        WriteError: the file can't be written.
    """
    frames = standing_out(report)
    # Read twice rather than hold all of them in memory.
    boxes = _alike([_box(shot.look(frame)) for frame in frames], shot.header)
    rows = [
        [_fitted(picture) for picture in _pictures(shot, shot.look(frame), box)]
        for frame, box in zip(frames, boxes, strict=True)
    ]
    labels = [_label(report, frame) for frame in frames]
    heads = ["plate and matte", "result"] + (["true clean plate"] if shot.truth is not None else [])
    return contact_sheet(rows, out, columns=heads, labels=labels, title=report.result, note=_told(report))


def _told(report: Report) -> str:
    """What the sheet says above its pictures: the headline, then a sentence for each thing that was found."""
    bad = [check for check in report.checks if check.verdict in ("FAULT", "look")]
    sentences = [f"{check.name}: {check.found}" for check in bad]
    holes = [f"holes: {report.origins}"] if report.origins else []
    return "\n".join([report.headline, *sentences, *holes])


def _label(report: Report, frame: int) -> str:
    """A frame's number and, under it, what was found on it."""
    bad = [check for check in report.checks if check.verdict in ("FAULT", "look")]
    return "\n".join([str(frame), *(check.name for check in bad if frame in check.frames)])


def standing_out(report: Report) -> list[int]:
    """Return the frames to look at: the worst of each check, faults first, then some spread over the shot."""
    usable = [found.frame for found in report.frames if found.state == "ok" and found.hole]
    if not usable:
        return [report.frames[0].frame]
    wanted: list[int] = []
    checks = sorted(report.checks, key=lambda check: _URGENT.index(check.verdict))
    for rank in range(_ROWS):
        wanted += [check.frames[rank] for check in checks if len(check.frames) > rank]
    wanted = [frame for frame in wanted if frame in usable]
    spread = [usable[round(at)] for at in np.linspace(0, len(usable) - 1, _ROWS)]
    return sorted(list(dict.fromkeys([*wanted[: _ROWS - 1], *spread]))[:_ROWS])


def _box(looked: Looked) -> Box:
    header = looked.plate.header
    found = surroundings([looked.mask], header.width, header.height)
    return found or Box(0, 0, header.width, header.height)


def _alike(boxes: list[Box], header: Header) -> list[Box]:
    """The boxes widened to one size, inside the picture."""
    width, height = max(box.width for box in boxes), max(box.height for box in boxes)
    alike = []
    for box in boxes:
        x0 = min(max(0, (box.x0 + box.x1 - width) // 2), header.width - width)
        y0 = min(max(0, (box.y0 + box.y1 - height) // 2), header.height - height)
        alike.append(Box(x0, y0, x0 + width, y0 + height))
    return alike


def _pictures(shot: Pictures, looked: Looked, box: Box) -> list[NDArray[np.float32]]:
    plate = shot.view(looked.plate, box)
    shown = [matte_overlay(plate, looked.mask[box.slices].astype(np.float32))]
    shown.append(np.zeros_like(plate) if looked.result is None else shot.view(looked.result, box))
    if shot.truth is not None:
        true = shot.true(looked.frame)
        shown.append(np.zeros_like(plate) if true is None else shot.view(true, box))
    return shown


def _fitted(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    scale = min(_WIDTH / picture.shape[1], _MOST_HIGH / picture.shape[0])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.float32)
