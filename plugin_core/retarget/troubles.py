"""What will not look right, told before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from ..box import Box
from ..clips.sequence import compact
from .geometry import Geometry
from .objects import Seen, Thing
from .paths import Path

_THIN = 0.4
"""A background squeezed further than this shows it."""


@dataclass(frozen=True)
class Trouble:
    """Something that will not look right.

    Attributes:
        kind: `objects`: there are none; `inside`: one leaves the frame; `apart`: two overlap; `background`:
            it is squeezed too far.
        told: a sentence.
        frames: where; empty for everywhere.
    """

    kind: Literal["objects", "inside", "apart", "background"]
    told: str
    frames: tuple[int, ...] = ()


TWICE = Trouble(
    "background",
    "With --paint off the clean plate keeps what no other frame shows, and objects are seen twice; leave it "
    "out, or give a clean plate with --clean.",
)


def troubles_of(things: Sequence[Thing], paths: Sequence[Path], geometry: Geometry) -> Iterator[Trouble]:
    """Yield each trouble.

    Args:
        things: the objects.
        paths: the way of each; for ``crop`` that of the window, once for each.
        geometry: of the output.
    """
    side = ("wide", "high")[geometry.axis]
    if not things:
        yield Trouble("objects", "No frame's matte has an object: the background alone is retargeted.")
    for number, thing in enumerate(things, 1):
        if geometry.keep == "squeeze" and (
            large := [f for f, each in thing.seen.items() if _large(each, geometry)]
        ):
            yield Trouble(
                "inside",
                f"Object {number} is larger than the output, {geometry.size[geometry.axis]} pixels {side}, "
                f"and leaves it on frames {compact(large)}; take a target nearer to the plate's aspect.",
                tuple(large),
            )
    if geometry.keep == "crop":
        yield from _cut_off(things, paths, geometry)
        return
    for (one, first), (two, second) in combinations(enumerate(zip(things, paths, strict=True), 1), 2):
        if meeting := _meeting(first, second, geometry):
            yield Trouble(
                "apart",
                f"Objects {one} and {two} overlap on frames {compact(meeting)}: they keep their size and "
                "come closer; the one whose feet are lower is laid in front.",
                tuple(meeting),
            )
    if geometry.ratio < _THIN:
        yield Trouble(
            "background",
            f"The background is squeezed to {geometry.ratio * 100:.0f} % of its "
            f"{('width', 'height')[geometry.axis]}, which will show; --keep crop shows a part of it as it "
            "is.",
        )


def _large(seen: Seen, geometry: Geometry) -> bool:
    axis = geometry.axis
    return (seen.body[axis + 2] - seen.body[axis]) * geometry.objects[axis] > geometry.size[axis] + 0.5


def _cut_off(things: Sequence[Thing], paths: Sequence[Path], geometry: Geometry) -> Iterator[Trouble]:
    whole = Box(0, 0, *geometry.size)
    for number, (thing, path) in enumerate(zip(things, paths, strict=True), 1):
        out = [f for f, seen in thing.seen.items() if not whole.contains(_lies(seen, path, f, geometry))]
        if out:
            yield Trouble(
                "inside",
                f"Object {number} is partly outside the window on frames {compact(out)}: the objects stand "
                "farther apart than it reaches, or one is larger; --keep squeeze shows them all.",
                tuple(out),
            )


def _meeting(first: tuple[Thing, Path], second: tuple[Thing, Path], geometry: Geometry) -> list[int]:
    both = [frame for frame in first[0].seen if frame in second[0].seen]
    return [
        frame
        for frame in both
        if _lies(first[0].seen[frame], first[1], frame, geometry).meets(
            _lies(second[0].seen[frame], second[1], frame, geometry)
        )
    ]


def _lies(seen: Seen, path: Path, frame: int, geometry: Geometry) -> Box:
    (across, down), (x, y) = geometry.objects, path[frame]
    box = seen.body
    return Box(
        round(box.x0 * across) + x,
        round(box.y0 * down) + y,
        round(box.x1 * across) + x,
        round(box.y1 * down) + y,
    )


def in_order(things: Sequence[Thing]) -> list[int]:
    """Return which objects are laid first: those whose feet are highest are farthest away."""
    feet: Mapping[int, float] = {
        number: sum(seen.body.y1 for seen in thing.seen.values()) / len(thing.seen)
        for number, thing in enumerate(things)
    }
    return sorted(feet, key=lambda number: feet[number])
