"""Which crops a shot is filled through: one for each hole, or one for several where that is cheaper.

A lane is a crop that follows its islands through one take, and the carry that goes with it. It lives from a
little before its first hole to its last. Lanes are a function of the holes on disk, of the cuts and of the
settings, never of the range that is rendered: any part of a shot sees the crops of the whole.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..box import Box
from ..errors import InputError
from ..network.contract import SIZES_AT_ONCE
from ..schedule import Step
from .crop_path import Bounds, CropPath, context_of, follow, still_path
from .islands import Islands, Track, on_cells, tracks_of
from .region import Region

_GAP = 12
"""Frames for which a hole may vanish and still be the same when it comes again."""

_OVERHEAD = 128 * 128
"""Pixels of crop that cost as much as having one more crop does."""

_MOST_AT_ONCE = SIZES_AT_ONCE
"""Lanes that may live on the same frame: each has its own carry, features and graphs in memory."""

_MOST_FOLLOWED = 32
"""Of more holes than this (dust, rain) none is followed by itself: one crop holds them all."""


@dataclass(frozen=True)
class Lane:
    """A crop that follows some of a shot's holes.

    Attributes:
        name: unlike any other lane's of the shot.
        first, last: the frames it lives on.
        lower, upper: the take it belongs to.
        islands: boxes of the holes it fills, by frame.
        path: where the crop stands.
    """

    name: str
    first: int
    last: int
    lower: int
    upper: int
    islands: Mapping[int, Islands]
    path: CropPath

    def runs_in(self, step: Step) -> bool:
        """Whether the lane takes part in a step; in a warm-up, those of the take's beginning do."""
        segment = step.segment
        # Nothing warms up where a state is handed in; it stands on the frame before.
        frame = step.position if segment.continues else max(step.position, segment.begins)
        return self.first <= frame <= self.last

    def looks_at(self, frame: int, reach: int) -> bool:
        """Whether the lane's steps, which look `reach` frames around them, may need a frame."""
        return max(self.lower, self.first - reach) <= frame <= min(self.upper, self.last + reach)

    def region_at(self, frame: int) -> Region:
        """Return where the crop stands on a frame."""
        return self.path.at(frame)

    def window_at(self, frame: int, reach: int) -> Region:
        """Return the least crop that holds the lane's on every frame that uses this one as a source."""
        nearest = range(max(frame - reach, self.lower), min(frame + reach, self.upper) + 1)
        first, *others = {self.path.at(other).crop for other in nearest}
        return self.path.region.at(first.union(*others))


def choose_lanes(
    holes: Mapping[int, Islands],
    takes: Sequence[tuple[int, int]],
    bounds: Bounds,
    *,
    region: str,
    context: int | None,
    reach: int,
) -> tuple[Lane, ...]:
    """Choose the lanes of a shot.

    Args:
        holes: the islands of every frame, empty where there is none.
        takes: first and last frame of every take.
        bounds: what the crops obey.
        region: "auto" to follow the holes, "full" for the whole plate, or a fixed crop as "x,y,w,h".
        context: pixels of plate kept around a hole; None for half its longer side.
        reach: frames before and after that a step looks at.

    Raises:
        InputError: a fixed crop lies off the plate or does not hold every hole.
    """
    names = map(str, itertools.count(1))
    lanes: list[Lane] = []
    for lower, upper in takes:
        own = [(frame, holes[frame]) for frame in range(lower, upper + 1) if holes[frame]]
        if not own:
            continue
        if region == "auto":
            tracks = _cheapest(tracks_of(own, gap=_GAP), bounds.plate, context, reach)
            paths = [_path(track, bounds, context) for track in tracks]
        else:
            track = Track(dict(own))
            tracks = [track]
            paths = [still_path(_fixed(region, own, bounds.plate), _deep_enough(track, bounds))]
        for track, path in zip(tracks, paths, strict=True):
            first = max(lower, track.first - reach)
            lanes.append(Lane(next(names), first, track.last, lower, upper, track.boxes, path))
    return tuple(lanes)


def _path(track: Track, bounds: Bounds, context: int | None) -> CropPath:
    return follow(_needed(track, bounds.plate, context), _deep_enough(track, bounds))


def _deep_enough(track: Track, bounds: Bounds) -> Bounds:
    """Return bounds that know how far, at most, a pixel of a track's holes lies from the plate around."""
    depth = max(_depth(box, bounds.plate) for boxes in track.boxes.values() for box in boxes)
    return replace(bounds, depth=depth)


def _depth(box: Box, plate: Box) -> int:
    """Return the depth of a hole that fills its box: what lies beyond the plate's edge shows nothing."""
    across = _reached(box.width, box.x0 <= plate.x0, box.x1 >= plate.x1)
    down = _reached(box.height, box.y0 <= plate.y0, box.y1 >= plate.y1)
    return min(filter(None, (across, down)), default=0)


def _reached(length: int, *at_edge: bool) -> int:
    """Return how far from its shown ends a span's farthest pixel lies; 0 where neither end is shown."""
    return (0, length, (length + 1) // 2)[2 - sum(at_edge)]


def _needed(track: Track, plate: Box, context: int | None) -> dict[int, Box]:
    """Return what a crop must show of the plate on every frame of a track."""
    boxes = {frame: first.union(*others) for frame, (first, *others) in track.boxes.items()}
    margin = context_of(max(box.longer_side for box in boxes.values()), context)
    return {frame: box.grown(margin).within(plate.width, plate.height) for frame, box in boxes.items()}


def _cheapest(tracks: list[Track], plate: Box, context: int | None, reach: int) -> list[Track]:
    """Join tracks as long as one crop for two costs no more than one for each, or too many live at once."""

    @functools.cache
    def cost(track: Track) -> int:
        boxes = _needed(track, plate, context).values()
        area = max(box.width for box in boxes) * max(box.height for box in boxes)
        return (area + _OVERHEAD) * (track.last - track.first + 1 + reach)

    @functools.cache
    def saving(one: Track, other: Track) -> int:
        return cost(one) + cost(other) - cost(one.joined(other))

    if len(tracks) > _MOST_FOLLOWED:
        return [functools.reduce(Track.joined, tracks)]
    while len(tracks) > 1:
        one, other = max(itertools.combinations(tracks, 2), key=lambda pair: saving(*pair))
        if saving(one, other) < 0 and _at_once(tracks, reach) <= _MOST_AT_ONCE:
            break
        kept = [track for track in tracks if track not in (one, other)]
        tracks = [*kept, one.joined(other)]
    return sorted(tracks, key=lambda track: (track.first, track.boxes[track.first]))


def _at_once(tracks: Sequence[Track], reach: int) -> int:
    """Return how many tracks live on the frame that has most."""
    begins = [track.first - reach for track in tracks]
    return max(sum(other.first - reach <= begin <= other.last for other in tracks) for begin in begins)


def _fixed(region: str, holes: Sequence[tuple[int, Islands]], plate: Box) -> Box:
    """Return the crop that was asked for, after checking that it holds every hole."""
    if region == "full":
        return plate
    x, y, width, height = map(int, region.split(","))
    box = on_cells(Box(x, y, x + width, y + height), plate)
    if box.width <= 0 or box.height <= 0:
        raise InputError(f"Region {region} lies off the plate, which is {plate.width}x{plate.height}.")
    for frame, islands in holes:
        hole = islands[0].union(*islands)
        if not box.contains(hole):
            raise InputError(
                f"Region {region} does not hold the matte on frame {frame}, which with grow and feather lies "
                f"within {_as_region(hole)}; give a larger region, or auto."
            )
    return box


def _as_region(box: Box) -> str:
    return f"{box.x0},{box.y0},{box.width},{box.height}"


def crop_notes(lanes: Sequence[Lane]) -> tuple[str, ...]:
    """Return a sentence that says through which crops a shot is seen; none where none is."""
    if not lanes:
        return ()
    path = max((lane.path for lane in lanes), key=lambda path: path.area)
    largest = path.region
    height, width = largest.network_size
    crop = f"{largest.crop.width}x{largest.crop.height}"
    reason = "as far as the model reaches into the hole" if path.deep else "--working-size"
    scale = f", reduced to {width}x{height} ({reason})" if largest.is_reduced else ""
    moves = sum(len(lane.path.moves) for lane in lanes)
    follows = (
        f" {'It follows' if len(lanes) == 1 else 'They follow'} the matte in {moves} moves." if moves else ""
    )
    if len(lanes) == 1:
        return (f"The network sees a crop of {crop}{scale}.{follows}",)
    return (f"The network sees {len(lanes)} crops, the largest {crop}{scale}.{follows}",)


def crop_places(lanes: Iterable[Lane], frame: int) -> dict[str, str]:
    """Say, by the names of lanes that live on a frame, where their crops stand and what they fill.

    This is what the state after the frame depends on, beside what was read.
    """
    living = {lane.name: lane for lane in lanes if lane.first <= frame <= lane.last}
    return {name: f"{lane.region_at(frame)} for {_filled(lane, frame)}" for name, lane in living.items()}


def _filled(lane: Lane, frame: int) -> str:
    return " ".join(_as_region(box) for box in lane.islands.get(frame, ())) or "nothing"
