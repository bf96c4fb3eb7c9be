"""A probe's report for people: one fact a line, the matte over time as a small plot, warnings last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..render.coverage import Coverage
from .report import Crop, Frames, Picture, Reach, Report
from .warnings import gigabytes

_WIDTH = 60
_BARS = " ▁▂▃▄▅▆▇█"
_PLAIN_BARS = " .:-=+*%#"


def lines_of(report: Report, *, plain: bool = False) -> Iterator[str]:
    """Yield the report line by line.

    Args:
        report: what was found.
        plain: draw with ASCII alone.
    """
    yield from _fact("plate", report.plate)
    if report.frames is not None:
        yield from _fact("frames", _frames(report.frames))
    if report.picture is not None:
        yield from _fact("picture", _picture(report.picture))
        for window, frames in report.picture.sizes.items():
            yield from _fact("", f"{window} on frames {frames}")
    if report.color:
        yield from _fact("color", report.color)
    yield from _fact("matte", _matte(report))
    if report.mattes and any(one.share for one in report.mattes):
        yield from plot(report.mattes, _PLAIN_BARS if plain else _BARS)
    if report.edges:
        yield from _fact("edge", _edge(report))
    yield from _fact("cuts", _cuts(report))
    for crop in report.crops:
        yield from _fact("crop", _crop(crop))
    if report.output is not None:
        layers = f" with layers {', '.join(report.output.layers)}" if report.output.layers else ""
        patch = report.output.patch
        yield from _fact("output", f"{report.output.path}{layers if patch is None else ''}")
        if patch is not None:
            yield from _fact("patch", f"{patch}{layers}")
    if report.cost is not None:
        cost = report.cost
        yield from _fact(
            "cost",
            f"{duration(cost.seconds)} on {cost.device}, {cost.seconds_per_frame:.2f} s a frame at most; "
            f"{gigabytes(cost.memory_bytes)} of memory",
        )
    if report.tried is not None:
        yield from _fact("holes", f"{report.tried.message}; tried on frames {report.tried.frames}")
    for reach in report.references:
        yield from _fact("ref", _reach(reach))
    for note in report.notes:
        yield from _fact("note", note)
    for warning in report.warnings:
        yield from _fact("warning", warning.message)
    if report.problem is not None:
        yield from _fact("stops", report.problem.message)


def _reach(reach: Reach) -> str:
    if not reach.frames:
        return f"{reach.path} reaches no frame"
    least, mean, most = (f"{share * 100:.0f} %" for share in (reach.least, reach.share, reach.most))
    return f"{reach.path} reaches frames {reach.frames}: {mean} of the hole in the mean ({least} to {most})"


def _edge(report: Report) -> str:
    usual = [edge.usual for edge in report.edges]
    span = f"{min(usual)} to {max(usual)}" if min(usual) < max(usual) else str(usual[0])
    most = max(edge.most for edge in report.edges)
    return f"the object reaches {span} pixels beyond its matte, {most} in places; grow is {report.grow}"


def plot(mattes: tuple[Coverage, ...], bars: str) -> Iterator[str]:
    """Draw how much of the picture is filled over time; a column shows the most of its frames."""
    width = min(_WIDTH, len(mattes))
    cuts = [round(at * len(mattes) / width) for at in range(width + 1)]
    most = [max(one.share for one in mattes[a:b]) for a, b in pairwise(cuts)]
    top = max(most)
    steps = len(bars) - 1
    drawn = "".join(bars[0 if not share else max(1, round(share / top * steps))] for share in most)
    yield f"{top * 100:8.1f} % |{drawn}|"
    first, last = str(mattes[0].frame), str(mattes[-1].frame)
    gap = max(1, width - len(first) - len(last))
    yield f"{'':12}{first}{'':{gap}}{last}" if width > 1 else f"{'':12}{first}"


def duration(seconds: float) -> str:
    """Return a time for people: ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _fact(name: str, text: str) -> Iterator[str]:
    yield f"{name + ':' if name else '':<9}{text}"


def _frames(frames: Frames) -> str:
    told = f"{frames.first}-{frames.last} ({frames.count})"
    told += f"; beside the range: {frames.before} before, {frames.after} after"
    if frames.plate not in ("", f"{frames.first}-{frames.last}"):
        told += f"; on disk: {frames.plate}"
    if frames.plate_missing:
        told += f"; the plate lacks {frames.plate_missing}"
    if frames.matte_missing:
        told += f"; the matte lacks {frames.matte_missing}"
    return told


def _picture(picture: Picture) -> str:
    x, y, width, height = picture.data_window
    full = picture.display_window
    told = f"{full[2]}x{full[3]}"
    if picture.data_window != full:
        told += f", pixels {width}x{height} at {x - full[0]},{y - full[1]}"
    if picture.pixel_aspect != 1:
        told += f", pixel aspect {picture.pixel_aspect:g}"
    kinds = ", ".join(dict.fromkeys(picture.types))
    others = [name for name in picture.channels if name not in picture.filled]
    told += f", {picture.format} {kinds}; fills {', '.join(picture.filled)}"
    if others:
        told += f", keeps {', '.join(others)}"
    if picture.parts > 1:
        told += f"; {picture.parts} parts"
    return told + (f"; {picture.compression}" if picture.compression else "")


def _matte(report: Report) -> str:
    told = report.matte
    if report.frames is not None and report.frames.matte is None:
        told += " (one still)"
    shares = [one.share * 100 for one in report.rendered]
    if shares:
        told += f"; fills {min(shares):.1f} % to {max(shares):.1f} % of the picture"
    return told


def _cuts(report: Report) -> str:
    given = ",".join(map(str, report.cuts)) or "none given"
    if report.suspected_cuts is None:
        return f"{given}; not looked for"
    return f"{given}; suspected: {','.join(map(str, report.suspected_cuts)) or 'none'}"


def _crop(crop: Crop) -> str:
    x, y, width, height = crop.box
    told = f"{width}x{height} at {x},{y} on frames {crop.first}-{crop.last}"
    told += ", follows the matte" if crop.moves else ""
    return f"{told}; the network sees {crop.network[0]}x{crop.network[1]}"
