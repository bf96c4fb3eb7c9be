"""Fill frames that are handed over in memory: the same stages in the same order, and no file of the caller's.

The mattes are read first, all of them, since crops, motion and key frames are decided for the whole shot. The
plates come on demand: as far ahead as the schedule looks, and what lies farther behind than it looks is
forgotten. Two things look farther, and then plates are pulled and kept as they ask: painted key frames, and
the exposure of scene-linear plates.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sized
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clips.array_clip import ArrayClip
from ..clips.sequence import FileSequence
from ..errors import InputError, Interrupted, StateError, WriteError
from ..job.settings import Settings, Shot
from ..network.contract import Network
from ..network.idle import Idle
from ..network.working_size import chosen_size
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase, Watch
from ..state.folder import paint_folder
from ..state.input_log import InputLog
from ..state.saved_state import read_state, write_state
from ..state.shot_state import Moment, ShotState
from .composed import Composed
from .coverage import Covered
from .doubts import matte_doubts, tell
from .handover import HandedIn
from .pipeline import Pipeline
from .plan import Plan, make_plan
from .sources import Sources
from .stages import open_stages

Array = NDArray[Any]


def fill_arrays(
    frames: Iterable[object],
    mattes: Iterable[object] | object,
    shot: Shot,
    settings: Settings,
    network: Network,
    reporters: Reporters,
    stop: Stop,
    *,
    first: int = 1,
    folder: Path | None = None,
    state: Path | None = None,
) -> Iterator[Array]:
    """Fill frames and yield each, of the shape and the type it came in; see `api.fill`.

    Args:
        frames, mattes: see `clips.array_clip.ArrayClip`; one array (H, W) is the matte of all frames.
        shot: its color and its cuts; its paths say nothing.
        settings: what changes the pixels.
        network: fills.
        reporters: told of progress.
        stop: asked whether to go on.
        first: number of the first frame.
        folder: where the temporary folder is made; None for the system's.
        state: file to go on from where it is there, and that the state is kept in at the end, however it
            comes.

    Raises:
        InputError, ImageError, MissingFramesError: what was handed over can't be filled.
        StateError: the state is of other frames, mattes, settings or of another model.
        WriteError: the temporary folder or the state can't be written.
        Interrupted: `stop` was asked for.
    """
    with ExitStack() as stack:
        work = stack.enter_context(temporary_folder(folder))
        sources = _opened(frames, mattes, first, Path(work), reporters.watch(stop, _STOPPED))
        before = None
        if state is not None and state.exists():
            before = HandedIn(state, read_state(state))
        plan = _planned(sources, shot, settings, network, before, reporters, stop)
        filling = _Filling(plan, network, reporters, stop)
        start = filling.begin(before)
        try:
            yield from filling.frames(start)
        finally:
            if state is not None:
                filling.keep(state)


_STOPPED = "Stopped while the mattes were read."


def temporary_folder(folder: Path | None) -> tempfile.TemporaryDirectory[str]:
    """Make a folder that goes away, in another or the system's. Raises WriteError."""
    try:
        return tempfile.TemporaryDirectory(prefix="cleanplate-", dir=folder)
    except OSError as error:
        where = tempfile.gettempdir() if folder is None else folder
        raise WriteError(f"Can't make a folder in {where}: {error.strerror or error}.") from error


def _opened(
    frames: Iterable[object], mattes: Iterable[object] | object, first: int, work: Path, watch: Watch
) -> Sources:
    """Read every matte, and the first plate."""
    plate = ArrayClip(frames, "frames", work, first=first)
    if len(getattr(mattes, "shape", ())) == 2:
        matte = ArrayClip([mattes], "matte", work, first=first, mattes=True, still=True)
        if isinstance(frames, Sized):
            count = len(frames)
        else:
            count = max(_counted(plate, Phase.FRAMES, watch), default=0)
    elif isinstance(mattes, Iterable):
        matte = ArrayClip(mattes, "mattes", work, first=first, mattes=True)
        count = max(_counted(matte, Phase.MATTES, watch), default=0)
    else:
        raise InputError(
            f"mattes is of type {type(mattes).__name__}; expected an array for each frame, or one (H, W)."
        )
    if not count:
        raise InputError("There is nothing to fill: no matte was handed over, or no frame.")
    plate.expect(count)
    last = first + count - 1
    output = FileSequence.parse(work / "clean.####.exr")  # nothing is written there but key frames beside it
    header = plate.header(first)
    return Sources(plate, matte, output, first, last, first, last, first, last, header, ())


def _counted(clip: ArrayClip, phase: Phase, watch: Watch) -> Iterator[int]:
    for count in clip.pull_all():
        watch(phase, count, 0)
        yield count


def _planned(
    sources: Sources,
    shot: Shot,
    settings: Settings,
    network: Network,
    before: HandedIn | None,
    reporters: Reporters,
    stop: Stop,
) -> Plan:
    key = None if before is None else before.saved.key
    size = chosen_size(settings.working_size, key, network.working_size)
    covered = Covered(sources, reporters.watch(stop, _STOPPED))
    sized = settings.model_copy(update={"working_size": size})
    plan = make_plan(sources, shot, sized, network, watch=covered.add)
    tell(matte_doubts(covered.frames, plan.cuts), reporters, strict=False)
    for note in plan.notes:
        if str(paint_folder(sources.output)) not in note:  # it is gone before anyone could mend a key frame
            reporters.note(note)
    return plan


class _Filling:
    """One run over handed-over frames.

    All in the caller's pace: a frame is begun when it is asked for.
    """

    def __init__(self, plan: Plan, network: Network, reporters: Reporters, stop: Stop) -> None:
        assert isinstance(plan.sources.plate, ArrayClip)
        self._plan = plan
        self._plates = plan.sources.plate
        self._network = Idle(network) if plan.settings.paint == "off" else network
        self._reporters = reporters
        self._stop = stop
        self._state = ShotState(plan.key, plan.schedule, plan.lanes)
        self._inputs = InputLog(plan.schedule.input_reach)
        self._behind = plan.schedule.input_reach + plan.schedule.span
        self._moment: Moment | None = None

    def begin(self, before: HandedIn | None) -> int:
        """Put the state before the first frame to fill, and return that frame."""
        first = self._plan.sources.first
        if before is None:
            return first
        start = before.saved.frame + 1
        if not first <= before.saved.frame <= self._plan.sources.last:
            raise StateError(
                f"State file {before.path} stands after frame {before.saved.frame}, and the frames handed "
                f"over are {first}-{self._plan.sources.last}; hand over the whole shot, from its first frame."
            )
        self._forget(start)
        before.load(self._state, self._network, self._plan.sources)
        self._inputs.recall(before.saved.inputs, (), start)
        return start

    def frames(self, start: int) -> Iterator[Array]:
        """Fill from a frame on."""
        plan, sources = self._plan, self._plan.sources
        self._reporters.start(
            first=sources.first,
            last=sources.last,
            done=start - sources.first,
            output="",
            color=plan.color.name,
            copied=[frame for frame in range(start, sources.last + 1) if not plan.has_hole(frame)],
        )
        if start <= sources.last:
            yield from self._filled(start)
        self._reporters.done()

    def _filled(self, start: int) -> Iterator[Array]:
        plan = self._plan
        looking = self._reporters.watch(self._stop, "Stopped while pixels were looked for.")
        pipeline = Pipeline(plan, self._network, self._state, open_stages(plan, looking, start))
        told: set[str] = set()
        try:
            for step in plan.schedule.steps(start):
                if (code := self._stop.requested()) is not None:
                    raise Interrupted(f"Stopped before frame {step.position}.", code)
                self._forget(step.position)
                given = pipeline.read(step)
                outputs = pipeline.fill(given)
                self._inputs.add(step.position, given.prints)
                self._inputs.take_unnoted()
                if step.warmup:
                    continue
                moment = self._state.moment(self._inputs.digests)
                composed = pipeline.compose(given, outputs)
                for note in given.notes:
                    if note not in told:
                        told.add(note)
                        self._reporters.note(note)
                self._reporters.frame(step.frame)
                self._moment = moment
                yield _pixels(composed)
        finally:
            pipeline.close()

    def keep(self, path: Path) -> None:
        """Write the state after the last frame that was handed back, if one was. Raises WriteError."""
        if self._moment is not None:
            write_state(path, self._state.saved(self._network, self._moment))

    def _forget(self, position: int) -> None:
        """Give back what no step from this place on looks at; a key frame is made from any."""
        if not self._plan.keys:
            self._plates.forget_before(position - self._behind)


def _pixels(composed: Composed) -> Array:
    """Return a frame in an array that nobody else has."""
    plate = composed.clean or composed.given.plate
    assert plate is not None  # of no warm-up step
    return np.array(plate.parts[0].groups[0].pixels)
