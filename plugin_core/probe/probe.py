"""Find out what a render would do, without doing it: `cleanplate probe`.

Nothing is written, but for a few frames in the system's temporary folder that are timed and removed at once.
What a render would refuse is told as a problem, beside all that could be found out before it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..clips.clip import Clip, MovieClip, SequenceClip, missing_frames, open_clip
from ..clips.movie_read import is_movie
from ..clips.sequence import compact
from ..errors import CleanplateError, Interrupted
from ..images import Header, Plate, formats_lossy
from ..job.job import Job
from ..job.settings import Shot
from ..memory import installed_memory
from ..network.bundle import Bundle, find_bundle
from ..network.contract import NetworkShape
from ..network.session import Session
from ..network.working_size import STANDARD_SIZE
from ..progress.watch import Phase, Watch, unwatched
from ..regions.hole import Hole
from ..regions.shot_mattes import ShotMattes
from ..render.coverage import Covered
from ..render.delivery import check_delivery, pictures_of
from ..render.doubts import picture_doubts
from ..render.plan import Plan, make_plan
from ..render.reference_reach import reach_of
from ..render.references import check_contents
from ..render.sources import Sources, open_sources, plate_of
from ..state.origins import Origins, in_words, shares, total
from .calibrate import Pace, cores, measure_pace, seen_pixels
from .cuts import Thumbnail, suspected_cuts, thumbnail
from .edges import MARGIN, EdgeReach, edge_reach
from .report import Cost, Crop, Frames, Output, Picture, Problem, Reach, Report, Tried
from .trial import try_frames
from .warnings import warnings_of

_EDGES = 3
"""Frames whose matte's edge is looked at."""

_SAMPLES = 384
"""Pixels across that are enough to tell a cut."""


def probe(job: Job, *, quick: bool = False, trial: bool = False, watch: Watch = unwatched) -> Report:
    """Find out what rendering a job would do.

    Args:
        job: what would be rendered.
        quick: read no plates: neither cuts nor the matte's edge are looked at, and nothing is timed.
        trial: look for pixels on frames all over the shot: how much of its holes is real?
        watch: told what is being done and how far it is; may raise to stop.
    """
    finder = _Finder(job, quick, trial, watch)
    try:
        finder.find()
    except Interrupted:
        raise
    except CleanplateError as error:
        finder.report = replace(finder.report, problem=Problem(str(error), error.exit_code))
    return replace(finder.report, warnings=warnings_of(finder.report))


class _Finder:
    """Fills in a report step by step, so that what was found before a problem is kept."""

    def __init__(self, job: Job, quick: bool, trial: bool, watch: Watch) -> None:
        self._job = job
        self._trial = trial
        self._quick = quick
        self._watch = watch
        self.report = Report(plate=job.shot.plate, matte=job.shot.needed_matte(), cuts=job.shot.cuts)

    def find(self) -> None:
        """Raises what the render would raise before its first frame."""
        shot, run = self._job.shot, self._job.run
        self._watch(Phase.FRAMES)
        self._learn(frames=_frames_of(shot))
        check_delivery(shot, run.model_copy(update={"overwrite": True}), plate_of(shot))
        sources = open_sources(pictures_of(shot), run.chunk, dry=True, watch=self._watch)
        self._learn(
            frames=_frames_within(self.report.frames, sources),
            picture=_picture_of(sources.header, _sizes(sources)),
            output=_output_of(sources, Path(shot.output)),
            notes=sources.notes,
            doubts=tuple(picture_doubts(sources, self._job.settings)),
        )
        with ExitStack() as stack:
            session = None
            network: NetworkShape
            if self._quick:
                network = Bundle.open(find_bundle(run.model))
            else:
                self._watch(Phase.MODEL)
                network = session = stack.enter_context(
                    Session.open(run.model, device=run.device, threads=run.threads)
                )
            began = time.perf_counter()
            plan = self._plan(sources, network, STANDARD_SIZE if session is None else session.working_size)
            planning = time.perf_counter() - began
            check_contents(plan, self._watch)
            if session is not None:
                self._look_at_plates(plan)
                self._learn(references=tuple(_reaches(plan, self._watch)))
                self._look_at_edges(plan)
                self._time(plan, session, planning)
            if self._trial:
                self._learn(tried=_tried(try_frames(plan, self._watch)))

    def _learn(self, **facts: object) -> None:
        self.report = replace(self.report, **facts)  # type: ignore[arg-type]

    def _plan(self, sources: Sources, network: NetworkShape, size: int) -> Plan:
        """Read the mattes; what was read counts, even where the last one is refused."""
        covered = Covered(sources, self._watch)
        settings = self._job.settings
        asked = settings.model_copy(update={"working_size": settings.working_size or size})
        try:
            plan = make_plan(
                sources,
                self._job.shot,
                asked,
                network,
                continues=self._job.run.state_in is not None,
                watch=covered.add,
            )
        finally:
            self._learn(mattes=covered.frames, reach=max(map(abs, network.source_offsets)))
        self._learn(
            grow=settings.grow,
            color=plan.color.name,
            crops=tuple(_crops_of(plan)),
            notes=tuple(dict.fromkeys((*sources.notes, *plan.notes))),
        )
        return plan

    def _look_at_plates(self, plan: Plan) -> None:
        frames = range(plan.sources.lower, plan.sources.upper + 1)

        def small() -> Iterator[Thumbnail]:
            for number, frame in enumerate(frames):
                self._watch(Phase.CUTS, number, len(frames))
                yield self._thumbnail(plan, plan.sources.plate.plate(frame))

        found = suspected_cuts(frames[0], small())
        self._learn(suspected_cuts=tuple(cut for cut in found if cut not in plan.cuts))

    def _look_at_edges(self, plan: Plan) -> None:
        self._watch(Phase.EDGES)
        sources = plan.sources
        # What the matte covers, as it stands.
        bare = self._job.settings.model_copy(update={"grow": 0, "feather": 0, "matte_soft": False})
        mattes = ShotMattes(
            sources.matte, sources.header, bare, lower=sources.lower, upper=sources.upper, cuts=plan.cuts
        )
        filled = [one.frame for one in self.report.rendered if one.share]
        chosen = [filled[(2 * part + 1) * len(filled) // (2 * _EDGES)] for part in range(_EDGES) if filled]
        found = (self._edge(plan, frame, mattes.hole(frame)) for frame in dict.fromkeys(chosen))
        self._learn(edges=tuple(edge for edge in found if edge is not None))

    def _edge(self, plan: Plan, frame: int, hole: Hole | None) -> EdgeReach | None:
        if hole is None:
            return None
        plate = plan.sources.plate.plate(frame)
        seen = hole.box.grown(MARGIN).within(plate.rgb.shape[1], plate.rgb.shape[0])
        finite = np.nan_to_num(plate.rgb[seen.slices], nan=0.0, posinf=0.0, neginf=0.0)
        return edge_reach(frame, plan.color.to_network(np.ascontiguousarray(finite)), hole.mask_on(seen))

    def _thumbnail(self, plan: Plan, plate: Plate) -> Thumbnail:
        step = max(1, plate.header.width // _SAMPLES)
        uneven = self.report.picture is not None and self.report.picture.sizes
        # Of files with windows of their own the same pixels must be compared: those of the canvas.
        picked = plate.rgb[::step, ::step] if uneven else plate.sampled(step)
        finite = np.nan_to_num(picked, nan=0.0, posinf=0.0, neginf=0.0)
        return thumbnail(plan.color.to_network(np.ascontiguousarray(finite)))

    def _time(self, plan: Plan, session: Session, planning: float) -> None:
        with tempfile.TemporaryDirectory(prefix="cleanplate-probe-") as folder:
            pace = measure_pace(plan, session, Path(folder), self._watch)
        if pace is not None:
            self._learn(cost=cost_of(plan, pace, str(session.device), planning), tried=_tried(pace.origins))


def _tried(frames: Mapping[int, Origins]) -> Tried | None:
    """Return what came of frames that were tried; None where none has a hole."""
    if not frames:
        return None
    return Tried(compact(sorted(frames)), shares(total(frames.values())), in_words(frames))


def _reaches(plan: Plan, watch: Watch) -> Iterator[Reach]:
    for reference, reached in reach_of(plan, watch).items() if plan.references else ():
        path, some = str(plan.references[reference].path), list(reached.values()) or [0.0]
        frames = compact(sorted(reached)) if reached else ""
        yield Reach(reference, path, frames, sum(some) / len(some), min(some), max(some))


def cost_of(plan: Plan, pace: Pace, device: str, planning: float = 0.0) -> Cost:
    """Return what all frames of a plan take at a pace measured on some, after the seconds of planning."""
    beside = cores() if device == "cpu" else 0
    seen = [seen_pixels(plan, frame) for frame in range(plan.sources.first, plan.sources.last + 1)]
    seconds = [pace.per_frame(pixels, beside) for pixels in seen]
    return Cost(
        device, max(seconds), planning + pace.start + sum(seconds[1:]), pace.memory_bytes, installed_memory()
    )


def _frames_of(shot: Shot) -> Frames:
    """What is on disk of the range, gaps and all. Raises InputError or MissingFramesError."""
    plate, matte = plate_of(shot), open_clip(shot.needed_matte())
    asked = shot.frame_range()
    there = plate.frames()
    first, last = (asked.first, asked.last) if asked else (there[0], there[-1]) if there else (0, 0)
    missing = [str(missing_frames(clip, first, last)) for clip in (plate, matte)]
    return Frames(first, last, 0, 0, _told(plate) or "", _told(matte), *missing)


def _told(clip: Clip) -> str | None:
    return None if clip.is_still else compact(clip.frames())


def _frames_within(found: Frames | None, sources: Sources) -> Frames:
    assert found is not None  # told before the sources were opened
    return replace(
        found,
        first=sources.first,
        last=sources.last,
        before=sources.first - sources.lower,
        after=sources.upper - sources.last,
    )


def _sizes(sources: Sources) -> dict[str, str]:
    """Frames by data window, where a plate's windows differ."""
    if not (isinstance(sources.plate, SequenceClip) and sources.plate.has_canvas):
        return {}
    by_window: dict[str, list[int]] = {}
    for frame in range(sources.lower, sources.upper + 1):
        x, y, width, height = sources.plate.header(frame).data_window
        by_window.setdefault(f"{width}x{height} at {x},{y}", []).append(frame)
    return {window: compact(frames) for window, frames in by_window.items()}


def _picture_of(header: Header, sizes: dict[str, str]) -> Picture:
    return Picture(
        format=header.format,
        width=header.width,
        height=header.height,
        data_window=header.data_window,
        display_window=header.display_window,
        pixel_aspect=header.pixel_aspect,
        channels=header.channels,
        types=header.types,
        filled=tuple(header.channels[index] for index in header.fill_channels),
        parts=header.parts,
        compression=header.compression,
        sizes=sizes,
    )


def _output_of(sources: Sources, asked: Path) -> Output:
    output, movie = sources.output, is_movie(asked)
    rendered = range(sources.first, sources.last + 1)
    there = [frame for frame in output.frames_on_disk() if frame in rendered]
    if movie and asked.exists():
        there = list(rendered)
    existing = next(path for path in (output.folder, *output.folder.absolute().parents) if path.exists())
    size = sources.plate.path(sources.first).stat().st_size
    if isinstance(sources.plate, MovieClip) or formats_lossy(sources.plate.path(sources.first).suffix):
        size = 3 * sources.header.width * sources.header.height  # as PNG, at worst
    return Output(
        path=str(asked if movie else output),
        lossy=movie or formats_lossy(output.extension),
        there=compact(there) if there else "",
        bytes_needed=size * len(rendered),
        bytes_free=shutil.disk_usage(existing).free,
        patch=None if sources.patch is None else str(sources.patch),
        layers=sources.layers,
    )


def _crops_of(plan: Plan) -> Iterator[Crop]:
    for lane in plan.lanes:
        first = max(lane.first, plan.sources.first)
        last = min(lane.last, plan.sources.last)
        if first > last:
            continue
        region = lane.region_at(first)
        height, width = region.network_size
        box = (region.crop.x0, region.crop.y0, region.crop.width, region.crop.height)
        moves = any(lane.region_at(frame) != region for frame in range(first, last + 1))
        yield Crop(first, last, box, (width, height), moves)
