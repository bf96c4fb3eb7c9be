"""Contact sheets of an evaluation: for each case, what every method made of a few frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.box import Box, bounds
from plugin_core.qc.contact_sheet import contact_sheet, matte_overlay
from plugin_core.qc.scores import as_floats

from .clips import Footage, Video
from .scores import Scores

_ROWS, _WIDTH = 4, 300


def write_sheet(
    footage: Footage, results: Mapping[str, Video], scores: Mapping[str, Scores], folder: Path
) -> Path:
    """Write a case's sheet: rows are frames, columns the plate with its hole, the truth, and every method.

    All are cut to the hole's surroundings, so that the fill can be judged.
    """
    crop = _crop(footage)
    numbers = _numbers(footage)
    rows = []
    for number in numbers:
        truth = as_floats(footage.truth[number])
        shown = [matte_overlay(truth, footage.holes[number].astype(np.float32)), truth]
        shown += [as_floats(video[number]) for video in results.values()]
        box = _follow(footage.holes[number], crop, footage.size)
        rows.append([_fitted(picture[box.slices]) for picture in shown])
    heads = [f"{name} {scores[name].hole_psnr:.1f} dB" for name in results]
    return contact_sheet(
        rows,
        folder / f"{footage.case.clip}_{footage.case.name}.png",
        columns=["hole", "truth", *heads],
        labels=[str(footage.case.first + number) for number in numbers],
        title=footage.case.key,
        note="{} frames of {}x{}; hole PSNR over all".format(len(footage.plate), *footage.size),
    )


def _numbers(footage: Footage) -> list[int]:
    """Frames with a hole, spread over the case."""
    there = [number for number, hole in enumerate(footage.holes) if hole.any()]
    picks = np.linspace(0, len(there) - 1, min(_ROWS + 2, len(there) + 2)).round().astype(int)[1:-1]
    return [there[pick] for pick in picks] or there[:1]


def _crop(footage: Footage) -> tuple[int, int]:
    """Width and height that show the largest hole and as much again around it."""
    boxes = [found for found in map(bounds, footage.holes) if found is not None]
    width, height = footage.size
    return (
        min(width, max(96, 2 * max(box.width for box in boxes))),
        min(height, max(96, 2 * max(box.height for box in boxes))),
    )


def _follow(hole: NDArray[np.bool_], crop: tuple[int, int], size: tuple[int, int]) -> Box:
    """The crop about one frame's hole, inside the picture."""
    box = bounds(hole)
    assert box is not None  # only frames with a hole are shown
    x0 = min(max(0, (box.x0 + box.x1 - crop[0]) // 2), size[0] - crop[0])
    y0 = min(max(0, (box.y0 + box.y1 - crop[1]) // 2), size[1] - crop[1])
    return Box(x0, y0, x0 + crop[0], y0 + crop[1])


def _fitted(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    height = max(1, round(picture.shape[0] * _WIDTH / picture.shape[1]))
    method = cv2.INTER_AREA if picture.shape[1] > _WIDTH else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=method), np.float32)
