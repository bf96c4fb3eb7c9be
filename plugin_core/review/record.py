"""All that a page is told of a shot, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..box import bounds
from ..clips.movie_write import MovieLook
from ..job.job import Job
from ..qc.pictures import Looked, Pictures
from ..qc.report import Limits, Measure, Report
from ..state.noted import noted_seconds
from ..state.origins import shares
from .faults import MEASURES, faults, limits_of
from .outline import outline
from .sources import COLORS, OTHER_COLOR

PAGE_VERSION = 1

ORIGINS = {
    "found": "real, from other frames",
    "referenced": "from a reference",
    "painted": "painted",
    "entered": "left to the network where something enters",
    "guessed": "guessed by the network",
    "left": "left as it is",
}
"""Where pixels come from, as a page calls it, the best known first; others are called by their name."""


@dataclass(frozen=True)
class FramePictures:
    """What a page shows of one frame.

    Attributes:
        frame: its number.
        layers: the boxes of its pictures, by their names: x0, y0, x1, y1.
        outline: see `outline.outline`.
        size: bytes of its pictures.
    """

    frame: int
    layers: Mapping[str, Sequence[int]]
    outline: list[list[int]]
    size: int


def outline_of(looked: Looked) -> list[list[int]]:
    """Return a frame's outline; none without a hole."""
    box = bounds(looked.mask)
    return [] if box is None else outline(looked.mask, box)


def frame_rate(looked: Looked) -> float:
    """Return the frames a second that the plate says, else 24."""
    return float(MovieLook.of(looked.plate).rate)


def shot_name(job: Job) -> str:
    """Return what a page calls a shot that nobody named: its output's folder and name."""
    path = Path(job.shot.output)
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name


def record(
    name: str,
    shot: Pictures,
    report: Report,
    limits: Limits,
    pictures: Sequence[FramePictures],
    rate: float,
) -> dict[str, Any]:
    """Return what the page is told of pictures and measures.

    Args:
        name: of the shot.
        shot, report, limits: what was looked at, found, and allowed.
        pictures: of the frames that were looked at, in order.
        rate: frames a second.
    """
    header = shot.header
    seconds = noted_seconds(shot.sources.output)
    frames = [found.frame for found in report.frames]
    return {
        "version": PAGE_VERSION,
        "shot": name,
        "result": shot.name,
        "before": shot.before,
        "size": [header.width, header.height],
        "aspect": header.pixel_aspect or 1,
        "rate": rate,
        "frames": frames,
        "states": [found.state for found in report.frames],
        "pictures": [dict(one.layers) for one in pictures],
        "outlines": [one.outline for one in pictures],
        "measures": _measures(report, limits),
        "origins": _origins(report),
        "seconds": [round(seconds[frame], 3) if frame in seconds else None for frame in frames],
        "faults": faults(report),
        "checks": [[check.name, check.verdict, check.found] for check in report.checks],
        "headline": report.headline,
        "holes": report.origins,
    }


def _measures(report: Report, limits: Limits) -> list[dict[str, Any]]:
    allowed = limits_of(limits)
    of_renders = [
        Measure(name, title, about, tuple(getattr(one, name) for one in report.frames), allowed[name], least)
        for name, (title, least, about) in MEASURES.items()
    ]
    return [
        asdict(one) | {"limit": _plain(one.limit), "values": [_plain(value) for value in one.values]}
        for one in report.measures or of_renders
    ]


def _origins(report: Report) -> list[dict[str, Any]]:
    """Shares of the hole by where its pixels came from; classes that no frame has are left out."""
    parts = [shares(found.origins) for found in report.frames]
    there = {name for one in parts for name in one}
    names = [name for name in ORIGINS if name in there] + sorted(there - ORIGINS.keys())
    return [
        {
            "name": name,
            "title": ORIGINS.get(name, name),
            "color": COLORS.get(name, OTHER_COLOR),
            "values": [round(one.get(name, 0.0), 4) if one else None for one in parts],
        }
        for name in names
    ]


def _plain(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
