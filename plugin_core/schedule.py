"""Which frames a step needs, and in which order steps run.

A shot is a line of frames, split by its cuts into segments that share nothing. Every segment is stepped in
order; its ends are mirrored (the frame three before the first is the third after it), and frames outside the
rendered range that are on disk (handles) are used as they are before any mirroring starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def mirror(frame: int, first: int, last: int) -> int:
    """Reflect a frame about the ends of `first`..`last` until it lies inside; an end is not repeated."""
    if first == last:
        return first
    around = (frame - first) % (2 * (last - first))
    return first + min(around, 2 * (last - first) - around)


@dataclass(frozen=True)
class Segment:
    """Frames between two cuts.

    Attributes:
        first, last: rendered frames.
        lower, upper: frames that may be used as sources; wider than the former where there are handles.
        begins: the first frame that a render of the whole shot fills in it; `first` unless that is a chunk's.
        continues: True where the state before `first` is handed in, so the segment does not start empty.
    """

    first: int
    last: int
    lower: int
    upper: int
    begins: int
    continues: bool = False


@dataclass(frozen=True)
class Step:
    """One run of the network.

    Attributes:
        segment: the frames it shares its state with.
        position: place on the shot's time line; below the segment's first rendered frame while warming up.
        frame: the frame on disk that is filled: `position`, mirrored where there is no such frame.
        sources: frames on disk used as sources, in the network's stream order.
        starts: True where the carry starts empty (first step of a segment).
        warmup: True where the result only warms the state and is not written.
    """

    segment: Segment
    position: int
    frame: int
    sources: tuple[int, ...]
    starts: bool
    warmup: bool


class Schedule:
    """The steps of one shot, in order.

    Args:
        first, last: the rendered frame range, both included.
        lower, upper: frames that can be read, at least `first`..`last`.
        cuts: first frames of new camera takes; state and windows never cross one. Those outside the range
            only bound its handles.
        continues: the state after frame ``first - 1`` is handed in.
        warmup: steps run before the first frame of each segment, over its handles or its mirrored start.
        offsets: sources of a frame, relative to it.
        matte_union: frames before and after whose mattes count for a frame's hole.
        search: frames before and after that are searched for pixels of a hole.
        begins: the shot's first frame, where `first` is that of a chunk inside it; None: `first`.
        pre_roll: steps run over the frames before a chunk when no state is handed in. They never reach beyond
            the start of its take; one that reaches it runs the warm-up there too, and is exact.
    """

    def __init__(
        self,
        *,
        first: int,
        last: int,
        lower: int | None = None,
        upper: int | None = None,
        cuts: Sequence[int] = (),
        continues: bool = False,
        warmup: int = 0,
        offsets: Sequence[int] = (-6, -3, 3, 6),
        matte_union: int = 0,
        search: int = 0,
        begins: int | None = None,
        pre_roll: int | None = None,
    ) -> None:
        self.first = first
        self.last = last
        self.warmup = warmup
        self.offsets = tuple(offsets)
        self.reach = max(abs(offset) for offset in offsets)
        self.search = search
        self.input_reach = self.reach + search + matte_union
        """Frames before and after a frame whose pictures, plate or matte, its pixels depend on."""
        lower = first if lower is None else lower
        upper = last if upper is None else upper
        begins = max([first if begins is None else begins, *(cut for cut in cuts if cut <= first)])
        self.segments = _split(first, last, lower, upper, begins, sorted(set(cuts)), continues)
        before = first - begins
        reaches = pre_roll is None or pre_roll >= before
        self._first_lead = before + warmup if reaches else pre_roll or 0

    @property
    def span(self) -> int:
        """How far apart two frames are, at most, that a step and the one after it look at."""
        return 2 * self.reach

    def segment_of(self, frame: int) -> Segment:
        """Return the segment that renders `frame`."""
        for segment in self.segments:
            if segment.first <= frame <= segment.last:
                return segment
        raise ValueError(f"frame {frame} is outside {self.first}-{self.last}")

    def steps(self, start: int | None = None) -> Iterator[Step]:
        """Yield the steps that fill frame `start` (default: the first) and all after it.

        Where `start` opens a segment its warm-up comes first; anywhere else the state must have been restored
        to the frame before.
        """
        step: Step | None = self._arrive(self.first if start is None else start)
        while step is not None:
            yield step
            step = self.following(step)

    def following(self, step: Step) -> Step | None:
        """Return the step after `step`; None after the last."""
        if step.position < step.segment.last:
            return self._step(step.segment, step.position + 1, starts=False)
        return None if step.segment.last == self.last else self._arrive(step.segment.last + 1)

    def step_of(self, frame: int) -> Step:
        """Return the step that fills `frame`, or, of a handed-in state, the frame before the first."""
        if frame == self.first - 1 and self.segments[0].continues:
            return self._step(self.segments[0], frame, starts=False)
        return self._step(self.segment_of(frame), frame, starts=False)

    def before(self, step: Step) -> int:
        """Return the frame on disk of the step before, which has none where it starts a segment."""
        return mirror(step.position - 1, step.segment.lower, step.segment.upper)

    def needed_after(self, step: Step) -> set[int]:
        """Source frames that later steps of the same segment still use: what is encoded must be kept."""
        ahead = range(step.position + 1, min(step.position + self.span, step.segment.last) + 1)
        return {source for later in ahead for source in self._sources(step.segment, later)}

    def first_touched(self, changed: int, reach: int | None = None) -> int:
        """First rendered frame whose pixels depend on frame `changed`, which may be a handle.

        `reach` is how far what changed is looked at; None for as far as pictures are.
        """
        reach = self.input_reach if reach is None else reach
        for segment in self.segments:
            if changed <= segment.upper:
                lead = self._lead(segment)
                warmed_by = segment.first + lead + reach if lead else segment.first
                if changed <= warmed_by:
                    return segment.first
                return min(max(segment.first, changed - reach), segment.last)
        return self.last

    def _arrive(self, frame: int) -> Step:
        """Return the first step on the way to `frame` when everything before it is known or restored."""
        segment = self.segment_of(frame)
        if frame > segment.first or segment.continues:
            return self._step(segment, frame, starts=False)
        return self._step(segment, frame - self._lead(segment), starts=True)

    def _lead(self, segment: Segment) -> int:
        """Return how many steps run before a segment's first frame and are thrown away."""
        return self._first_lead if segment.first == self.first else self.warmup

    def _sources(self, segment: Segment, position: int) -> tuple[int, ...]:
        return tuple(mirror(position + offset, segment.lower, segment.upper) for offset in self.offsets)

    def _step(self, segment: Segment, position: int, *, starts: bool) -> Step:
        return Step(
            segment=segment,
            position=position,
            frame=mirror(position, segment.lower, segment.upper),
            sources=self._sources(segment, position),
            starts=starts,
            warmup=position < segment.first,
        )


def takes(lower: int, upper: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and last frame of every camera take of `lower`..`upper`."""
    inside = sorted({cut for cut in cuts if lower < cut <= upper})
    return list(zip([lower, *inside], [*(cut - 1 for cut in inside), upper], strict=True))


def _split(
    first: int, last: int, lower: int, upper: int, begins: int, cuts: list[int], continues: bool
) -> list[Segment]:
    lower = max([lower, *(cut for cut in cuts if cut <= first)])
    upper = min([upper, *(cut - 1 for cut in cuts if cut > last)])
    inside = [cut for cut in cuts if first < cut <= last]
    starts = [first, *inside]
    ends = [*(cut - 1 for cut in inside), last]
    return [
        Segment(
            a,
            b,
            lower if a == first else a,
            upper if b == last else b,
            begins if a == first else a,
            continues and a == first and a not in cuts,
        )
        for a, b in zip(starts, ends, strict=True)
    ]
