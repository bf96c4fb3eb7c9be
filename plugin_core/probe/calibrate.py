"""What a render takes in time and memory, found by running a few frames of it where the matte is largest."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..clips.sequence import FileSequence
from ..network.contract import Network
from ..progress.watch import Phase, Watch, unwatched
from ..render.pipeline import Pipeline
from ..render.plan import Plan
from ..render.stages import open_stages
from ..render.writer import FrameWriter
from ..schedule import Schedule
from ..state.checkpoints import Checkpoints
from ..state.folder import journal_path
from ..state.journal import Journal
from ..state.origins import Origins, counted
from ..state.shot_state import ShotState

_STEPS = 4
"""Frames that are run; the first opens graphs and reads a whole window, and is counted apart."""

_QUEUED = 4
"""Plates that a render holds beyond those of one step: prepared, or waiting to be written."""


_BESIDE = 128 << 20
"""What a render holds besides, measured: saved states on their way to disk, the readers' buffers."""


@dataclass(frozen=True)
class Pace:
    """Seconds of the parts of a render, at its busiest.

    Attributes:
        start: until the first frame is there.
        read, step, write: of a frame, once it runs; they run side by side.
        copy: of a frame that has nothing to fill.
        pixels: that the network saw on the measured frames.
        memory_bytes: that a render of any length takes.
        origins: where the pixels of the measured frames' holes came from, by frame.
    """

    start: float
    read: float
    step: float
    write: float
    copy: float
    pixels: int
    memory_bytes: int
    origins: Mapping[int, Origins] = field(default_factory=dict)

    def per_frame(self, pixels: int, cores: int) -> float:
        """Return the seconds of a frame on which the network sees so many pixels.

        Reading and writing run beside the network: on a processor they share its cores (`cores`), beside a
        card (0) they cost nothing until one of them takes longer.
        """
        if not pixels:
            return self.copy
        step = self.step * pixels / self.pixels
        beside = (self.read + self.write) / cores if cores else 0.0
        return max(step + beside, self.read, self.write)


def measure_pace(plan: Plan, network: Network, folder: Path, watch: Watch = unwatched) -> Pace | None:
    """Run a few frames of a shot into a folder, as a render does; None where there is nothing to fill.

    `watch` is told how it gets on, and may raise to stop.

    Raises:
        CleanplateError: what the render would raise there.
    """
    if not plan.lanes:
        return None
    first, last = _busiest(plan)
    part = _part(plan, first, last, network, folder)
    writer = FrameWriter(part, Journal(journal_path(folder), part.key), Checkpoints(folder, part.key))
    state = ShotState(part.key, part.schedule, part.lanes)
    stages = open_stages(part, watch)
    with closing(Pipeline(part, network, state, stages, writer)) as pipeline:
        return _run(plan, part, pipeline, writer, watch)


def _run(plan: Plan, part: Plan, pipeline: Pipeline, writer: FrameWriter, watch: Watch) -> Pace:
    clock = _Stopwatch()
    times: list[tuple[float, float, float]] = []
    origins: dict[int, Origins] = {}
    plate_bytes = 0
    for number, step in enumerate(part.schedule.steps()):
        watch(Phase.TIMING, number, _STEPS)
        given = pipeline.read(step)
        read = clock.lap()
        watch()
        outputs = pipeline.fill(given)
        ran = clock.lap()
        pipeline.write(pipeline.compose(given, outputs), given.prints, None)
        times.append((read, ran, clock.lap()))
        if given.hole is not None and not step.warmup:
            origins[step.frame] = counted(given.hole, given.patch, plan.rest)
        plate_bytes = 0 if given.plate is None else given.plate.nbytes
    part.sources.output.path(part.sources.first).unlink()  # nothing that is there is replaced
    writer.copy(part.sources.first)
    copy = clock.lap()
    read, ran, wrote = (statistics.median(column) for column in zip(*(times[1:] or times), strict=True))
    memory = peak_memory() + _QUEUED * plate_bytes + _BESIDE
    seen = seen_pixels(plan, part.sources.first)
    return Pace(sum(times[0]), read, ran, wrote, copy, seen, memory, origins)


def seen_pixels(plan: Plan, frame: int) -> int:
    """Return how many pixels the network sees on a frame, over all crops."""
    sizes = [lane.region_at(frame).network_size for lane in plan.lanes if lane.first <= frame <= lane.last]
    return sum(height * width for height, width in sizes)


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _busiest(plan: Plan) -> tuple[int, int]:
    """A short run of frames, inside one take, around the one on which the network sees most."""
    frames = range(plan.sources.first, plan.sources.last + 1)
    busiest = max(frames, key=lambda frame: seen_pixels(plan, frame))
    segment = plan.schedule.segment_of(busiest)
    first = max(segment.first, min(busiest, segment.last - _STEPS + 1))
    return first, min(first + _STEPS - 1, segment.last)


def _part(plan: Plan, first: int, last: int, network: Network, folder: Path) -> Plan:
    """The plan of these frames alone, written into the folder."""
    segment = plan.schedule.segment_of(first)
    schedule = Schedule(
        first=first,
        last=last,
        lower=segment.lower,
        upper=segment.upper,
        offsets=network.source_offsets,
        matte_union=plan.settings.matte_union,
        search=plan.schedule.search,
    )
    output = FileSequence.parse(folder / f"probe.####{plan.sources.output.extension}")
    layers = plan.sources.own_layers
    sources = replace(
        plan.sources, output=output, begins=first, first=first, last=last, patch=None, layers=layers
    )
    return replace(plan, sources=sources, schedule=schedule)


class _Stopwatch:
    def __init__(self) -> None:
        self._began = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the lap before."""
        now = time.perf_counter()
        seconds, self._began = now - self._began, now
        return seconds
