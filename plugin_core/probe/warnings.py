"""What an artist would want to know of a shot before rendering it, judged from the facts alone."""

from __future__ import annotations

from collections.abc import Iterator

from ..clips.sequence import compact
from ..render.coverage import Coverage
from ..render.doubts import Warned, matte_doubts
from .report import Report

_MEMORY_SHARE = 0.8
_SOFT = 1.5


def warnings_of(report: Report) -> tuple[Warned, ...]:
    """Return what the facts warn of, the worst first."""
    judges = (_sizes, _seen, _mattes, _tight, _edges, _cuts, _handles, _output, _crops, _memory)
    return tuple(warning for judge in judges for warning in judge(report))


def _sizes(report: Report) -> Iterator[Warned]:
    sizes = {} if report.picture is None else report.picture.sizes
    if sizes:
        told = ", ".join(f"{window} on frames {frames}" for window, frames in sizes.items())
        yield Warned("plate_size_changes", f"The plate's data window changes: {_short(told)}.")


def _short(told: str) -> str:
    return told if len(told) < 200 else told[:200].rsplit(",", 1)[0] + ", ..."


def _seen(report: Report) -> Iterator[Warned]:
    yield from report.doubts


def _mattes(report: Report) -> Iterator[Warned]:
    yield from matte_doubts(report.rendered, report.cuts)
    empty = [one.frame for one in report.rendered if one.share == 0]
    if 0 < len(empty) < len(report.rendered):
        yield Warned("matte_empty", f"The matte is empty on frames {compact(empty)}: they stay as they are.")


def _tight(report: Report) -> Iterator[Warned]:
    """A matte that leaves an outline: on most of its border, on half of the frames looked at."""
    needed = sorted(edge.usual for edge in report.edges)[len(report.edges) // 2] if report.edges else 0
    if needed > report.grow:
        most = max(report.edges, key=lambda edge: edge.most)
        yield Warned(
            "matte_tight",
            f"What is matted reaches {needed} pixels beyond the matte (soft edges or motion blur; "
            f"{most.most} in places on frame {most.frame}), and grow is {report.grow}: "
            f"give --grow {needed}, or an outline stays.",
        )


def _edges(report: Report) -> Iterator[Warned]:
    touching = [one for one in report.rendered if one.edges]
    if touching and len(touching) <= len(report.rendered):
        edges = [e for e in ("left", "top", "right", "bottom") if any(e in one.edges for one in touching)]
        yield Warned(
            "matte_at_edge",
            f"The matte touches the {_listed(edges)} edge of the picture on frames "
            f"{_frames(iter(touching))}: there the fill has the plate on one side only.",
        )


def _cuts(report: Report) -> Iterator[Warned]:
    if report.suspected_cuts:
        told = ",".join(map(str, report.suspected_cuts))
        yield Warned(
            "cut_suspected",
            f"The picture changes all at once at {told}: if these are cuts, give --cuts {_joined(report)}.",
        )


def _joined(report: Report) -> str:
    return ",".join(map(str, sorted({*report.cuts, *(report.suspected_cuts or ())})))


def _handles(report: Report) -> Iterator[Warned]:
    if report.frames is None or not any(one.share for one in report.rendered):
        return
    short = [
        f"{had} {where}"
        for had, where in ((report.frames.before, "before"), (report.frames.after, "after"))
        if had < report.reach
    ]
    if short:
        yield Warned(
            "handles_missing",
            f"There are few frames beside the range ({_listed(short)}): {report.reach} on each side, with "
            "their mattes, would help the first and last frames.",
        )


def _output(report: Report) -> Iterator[Warned]:
    output = report.output
    if output is None:
        return
    if output.lossy:
        yield Warned("output_lossy", f"{output.path} is of a lossy format: untouched pixels change slightly.")
    if output.there:
        yield Warned(
            "output_there",
            f"Frames {output.there} of the output are there already: a render needs --resume or --overwrite.",
        )
    if output.bytes_needed > output.bytes_free:
        yield Warned(
            "disk_full",
            f"The output needs about {gigabytes(output.bytes_needed)}, its disk has "
            f"{gigabytes(output.bytes_free)} left.",
        )


def _crops(report: Report) -> Iterator[Warned]:
    most = max((crop.reduced for crop in report.crops), default=1.0)
    if most > _SOFT:
        yield Warned(
            "crop_reduced",
            f"The network sees the crop {most:.1f} times reduced: what it paints itself will be softer than "
            "the plate (--working-size, --context).",
        )


def _memory(report: Report) -> Iterator[Warned]:
    cost = report.cost
    if cost is not None and cost.memory_bytes > _MEMORY_SHARE * cost.machine_bytes:
        yield Warned(
            "memory_short",
            f"The render takes about {gigabytes(cost.memory_bytes)} of memory, the machine has "
            f"{gigabytes(cost.machine_bytes)}: give a smaller --working-size.",
        )


def gigabytes(count: int) -> str:
    """Return bytes for people."""
    return f"{count / (1 << 30):.1f} GiB"


def _frames(some: Iterator[Coverage]) -> str:
    frames = [one.frame for one in some]
    return compact(frames) if frames else ""


def _listed(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else ", ".join(words[:-1]) + " and " + words[-1]
