"""What an artist would want to know of a shot before rendering it, judged from the facts alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..clips.sequence import compact
from .report import Coverage, Report, Warned

_MUCH = 0.5
"""Share of the picture from which on a fill has little to go by."""

_ALL = 0.999
_FLICKER = 3
"""An object that is away for at most so many frames was probably forgotten in the roto."""

_JUMP = 3.0
_MEMORY_SHARE = 0.8
_SOFT = 1.5


def warnings_of(report: Report) -> tuple[Warned, ...]:
    """Return what the facts warn of, the worst first."""
    judges = (_sizes, _matte_size, _matte_empty, _flicker, _edges, _cuts, _handles, _output, _crops, _memory)
    return tuple(warning for judge in judges for warning in judge(report))


def _sizes(report: Report) -> Iterator[Warned]:
    sizes = {} if report.picture is None else report.picture.sizes
    if sizes:
        told = ", ".join(f"{window} on frames {frames}" for window, frames in sizes.items())
        yield Warned("plate_size_changes", f"The plate's data window changes: {_short(told)}.")


def _short(told: str) -> str:
    return told if len(told) < 200 else told[:200].rsplit(",", 1)[0] + ", ..."


def _matte_size(report: Report) -> Iterator[Warned]:
    mattes = report.rendered
    whole = _frames(one for one in mattes if one.share > _ALL)
    much = _frames(one for one in mattes if _MUCH < one.share <= _ALL)
    inverted = bool(mattes) and all(one.share > _MUCH and len(one.edges) == 4 for one in mattes)
    if inverted:
        yield Warned(
            "matte_inverted",
            "The matte covers most of the picture and all its edges on every frame: is it inverted "
            "(--matte-invert), or is it the wrong channel (--matte-channel)?",
        )
        return
    if whole:
        yield Warned(
            "matte_everything",
            f"The matte covers the whole picture on frames {whole}: nothing is left there.",
        )
    if much:
        yield Warned(
            "matte_large",
            f"The matte covers more than half of the picture on frames {much}: there is little to fill from.",
        )


def _matte_empty(report: Report) -> Iterator[Warned]:
    mattes = report.rendered
    empty = [one.frame for one in mattes if one.share == 0]
    if mattes and len(empty) == len(mattes):
        yield Warned(
            "matte_never", "The matte is empty on every frame: the plates would be copied as they are."
        )
    elif empty:
        yield Warned("matte_empty", f"The matte is empty on frames {compact(empty)}: they stay as they are.")


def _flicker(report: Report) -> Iterator[Warned]:
    """Mattes that go away for a moment, or change their size from one frame to the next."""
    filled = [one.frame for one in report.rendered if one.share > 0]
    lost = [
        frame
        for before, after in pairwise(filled)
        if 1 < after - before <= _FLICKER + 1
        for frame in range(before + 1, after)
    ]
    if lost:
        yield Warned(
            "matte_flickers",
            f"The matte goes away for a moment on frames {compact(lost)}: was it forgotten there "
            "(--matte-union joins it with its neighbors)?",
        )
    takes = set(report.cuts)
    jumps = [
        after.frame
        for before, after in pairwise(report.rendered)
        if min(before.share, after.share) > 0 and after.frame not in takes and _apart(before, after)
    ]
    if jumps:
        yield Warned(
            "matte_jumps",
            f"The matte's size changes more than {_JUMP:.0f} times from the frame before on frames "
            f"{compact(jumps)}: a cut, or a slip in the roto?",
        )


def _apart(before: Coverage, after: Coverage) -> bool:
    return max(before.share, after.share) > _JUMP * min(before.share, after.share)


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
