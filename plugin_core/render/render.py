"""Render a shot: its frames go through the pipeline in order, reading and writing beside the network.

One thread reads for the next steps, the caller's runs the network, one composes and writes (see `pipeline`);
between them stand queues of two. A frame counts as done once its file has its final name, and only then is it
journaled and, every few frames, the state after it saved. So whatever happens, what is on disk agrees, and a
resumed render gives the same pixels as one that was never interrupted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..disk.lock import Claim, holding
from ..errors import CleanplateError, Interrupted, OutputBusyError, WriteError
from ..job.job import Job
from ..job.settings import Run, Settings, Shot
from ..memory import give_back
from ..network.contract import Network
from ..network.idle import Idle
from ..network.working_size import chosen_size
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.watch import Phase
from ..state.checkpoints import Checkpoints
from ..state.folder import journal_path, output_folder
from ..state.input_log import InputLog
from ..state.journal import Journal, forget_elsewhere
from ..state.keeper import StateKeeper
from ..state.key import FIRST_FRAME, check_key
from ..state.origins import in_words, shares, total
from ..state.shot_state import Moment, ShotState
from .coverage import Covered
from .debug_writer import open_debug
from .doubts import matte_doubts, picture_doubts, tell
from .folder import clean_up, is_folder, leaving_nothing_behind, state_folder
from .handover import HandedIn, hand_on
from .made_by import made_by
from .patch_files import guard_patches
from .pipeline import Pipeline
from .plan import Plan, make_plan
from .present import look, refuse_mixing, refuse_precious
from .recorded import job_to_record, record
from .references import check_contents
from .resume import begin, check_whole, go_on, refuse_existing
from .side_files import check_side_files
from .sources import open_sources
from .stages import open_stages
from .step_input import StepInput
from .writer import FrameWriter, Written

_QUEUE = 2
"""Steps prepared ahead, and frames waiting to be written."""

_GIVE_BACK_EVERY = 16
"""After so many frames what was freed is given back to the system; it takes a few hundredths of a second."""


@dataclass(frozen=True)
class FrameDone:
    """A frame that is on disk under its final name.

    Attributes:
        frame: its number.
        path: its file.
        seconds: since the frame before it.
    """

    frame: int
    path: Path
    seconds: float


def render(
    shot: Shot,
    settings: Settings,
    run: Run,
    network: Network,
    reporters: Reporters,
    stop: Stop,
    *,
    asked: Shot | None = None,
    recorded: Callable[[Job], None] = lambda job: None,
) -> Iterator[FrameDone]:
    """Render a shot and yield each frame once it is written.

    Args:
        shot, settings, run: what to render and how.
        network: fills.
        reporters: told of progress.
        stop: asked whether to go on.
        asked: the shot as it was asked for, where that is a movie and `shot` its pictures.
        recorded: told the job that is left beside the output once the render has begun.

    Raises:
        InputError, MissingFramesError, ImageError: before any frame is written where that can be known.
        StateError: a resume or a handed-in state does not fit.
        OutputBusyError: another render writes this output.
        WriteError: the disk does not take a frame; what was written stays and can be resumed.
        Interrupted: `stop` was asked for; the state is saved.
    """
    check_side_files(shot, run)
    with leaving_nothing_behind(shot, asked or shot):
        yield from _render(shot, settings, run, network, reporters, stop, asked or shot, recorded)


def _render(
    shot: Shot,
    settings: Settings,
    run: Run,
    network: Network,
    reporters: Reporters,
    stop: Stop,
    asked: Shot,
    recorded: Callable[[Job], None],
) -> Iterator[FrameDone]:
    looking = reporters.watch(stop, "Stopped while looking for frames.")
    sources = open_sources(shot, run.chunk, watch=looking)
    if is_folder(shot.output):
        refuse_mixing(sources.output, range(sources.begins, sources.ends + 1))
    root, folder = output_folder(sources.output), state_folder(sources, run.chunk)
    fresh = not (run.overwrite or run.goes_on)
    covered = Covered(sources, reporters.watch(stop, "Stopped while reading mattes."))
    if fresh and not root.exists():
        # No render of ours: leave nothing behind when refusing it.
        refuse_existing(sources)
    with holding(
        root,
        str(sources.output),
        None if run.chunk is None else (sources.first, sources.last),
        wait_seconds=run.wait_seconds,
        watch=lambda: _check_stop(stop, "Stopped while waiting for another render."),
    ) as claim:
        if fresh:
            refuse_existing(sources)
        for note in sources.notes:
            reporters.note(note)
        odd = tuple(picture_doubts(sources, settings))
        tell(odd, reporters, strict=run.strict)
        clean_up(sources, run, folder)
        if run.goes_on and not run.keep_edited and Journal(journal_path(folder), {}).found_key() is not None:
            # Before the mattes are read, so that no time is lost.
            refuse_precious(sources.output, look(sources.output, range(sources.first, sources.last + 1), {}))
        handed_in = None if run.state_in is None else HandedIn.read(Path(run.state_in), sources)
        plan = make_plan(
            sources,
            shot,
            _with_size(settings, run, network, folder, handed_in),
            network,
            continues=handed_in is not None,
            watch=covered.add,
        )
        tells_places = "source" in shot.layers or run.debug is not None
        plan = replace(plan, tells_places=tells_places)
        check_contents(plan, looking)
        if not odd:  # else the same is said already
            tell(matte_doubts(covered.frames, plan.cuts), reporters, strict=run.strict)
        for note in plan.notes:
            reporters.note(note)
        if handed_in is not None:
            plan = replace(plan, key={**plan.key, FIRST_FRAME: handed_in.saved.key.get(FIRST_FRAME, "")})
        rendering = _Rendering(plan, run, network, reporters, stop, folder, claim)
        start = rendering.begin(handed_in)
        job = job_to_record(Job(shot=asked, settings=settings, run=run), sources)
        record(job, sources.output)
        recorded(job)
        yield from rendering.frames(start)


class _Rendering:
    """One render in progress: its threads, and what is told of it."""

    def __init__(
        self,
        plan: Plan,
        run: Run,
        network: Network,
        reporters: Reporters,
        stop: Stop,
        folder: Path,
        claim: Claim,
    ) -> None:
        self._plan = plan
        self._run = run
        self._network = Idle(network) if plan.settings.paint == "off" else network
        self._reporters = reporters
        self._stop = stop
        self._claim = claim
        self._journal = Journal(journal_path(folder), plan.key, made_by(network))
        self._checkpoints = Checkpoints(folder, plan.key)
        self._folder = folder
        self._state = ShotState(plan.key, plan.schedule, plan.lanes, self._checkpoints)
        self._inputs = InputLog(plan.schedule.input_reach)
        self._keeper = StateKeeper(
            self._state,
            self._network,
            self._checkpoints,
            self._inputs,
            first=plan.sources.first,
            last=plan.sources.last,
            every=run.checkpoint_every,
        )
        debug = None if run.debug is None else open_debug(run.debug, plan, network)
        self._writer = FrameWriter(plan, self._journal, self._checkpoints, debug)
        self._notes: set[str] = set()
        self._start, self._begun = plan.sources.first, 0
        self._latest: int | None = None
        self._moment: Moment | None = None

    def frames(self, start: int) -> Iterator[FrameDone]:
        """Render from a frame on, and hand the state on."""
        sources = self._plan.sources
        self._reporters.start(
            first=sources.first,
            last=sources.last,
            done=start - sources.first,
            output=str(sources.output),
            color=self._plan.color.name,
            copied=[f for f in range(start, sources.last + 1) if not self._plan.has_hole(f)],
        )
        if not self._plan.lanes:
            yield from self._copy(start)
        elif start <= sources.last:
            yield from self._fill(start)
        check_whole(self._journal, sources, self._writer.guard.kept, self._writer.patch_guard)
        self._tell_origins()
        if self._run.state_out is not None:
            hand_on(Path(self._run.state_out), self._plan, self._checkpoints)
        self._reporters.done()

    def _tell_origins(self) -> None:
        """Say where the holes' pixels came from, on all frames that are there."""
        entries = {entry.frame: entry for entry in self._journal.read_own()}
        frames = {frame: entry.origins for frame, entry in entries.items() if entry.origins}
        if message := in_words(frames):
            self._reporters.origins(message, shares(total(frames.values())))

    def begin(self, handed_in: HandedIn | None) -> int:
        """Find the first frame to render and put the state before it."""
        notes: list[str] = []
        replaces, keeps = not self._run.goes_on, self._run.keep_edited
        patches = guard_patches(self._plan.sources, notes, replaces=replaces, keep_edited=keeps)
        self._writer.patch_guard = patches
        before = None
        if handed_in is not None:
            check_key(handed_in.saved.key, self._plan.key, f"State file {handed_in.path}")
            before = handed_in if self._plan.schedule.segments[0].continues else None
        if before is not None:
            self._writer.came_from = before.digest
        if self._run.goes_on:
            start, self._writer.guard = go_on(
                self._journal,
                self._state,
                self._plan,
                self._network,
                notes,
                handed_in=before,
                need_state=self._run.state_out is not None,
                keep_edited=keeps,
                patches=patches,
                watch=self._reporters.watch(self._stop, "Stopped before another frame was written."),
            )
        else:
            self._writer.guard = begin(
                self._journal, self._state, self._plan, notes, keep_edited=keeps, patches=patches
            )
            start = self._plan.sources.first
            if before is not None and self._plan.lanes:
                before.load(self._state, self._network, self._plan.sources)
        # Only once this journal knows whose the files are that stand there.
        sources = self._plan.sources
        forget_elsewhere(output_folder(sources.output), self._folder, sources.first, sources.last)
        known = {} if handed_in is None else handed_in.saved.inputs
        self._inputs.recall(known, self._journal.read_own(), start)
        for note in notes:
            self._reporters.note(note)
        self._start = start
        return start

    def _fill(self, start: int) -> Iterator[FrameDone]:
        looking = self._reporters.watch(self._stop, "Stopped while pixels were looked for.")
        stages = open_stages(self._plan, looking, start)
        pipeline = Pipeline(self._plan, self._network, self._state, stages, self._writer)
        with ExitStack() as stack:
            stack.callback(pipeline.close)
            reading = stack.enter_context(_OneThread("read"))
            writing = stack.enter_context(_OneThread("write"))
            prepared: deque[Future[StepInput]] = deque()
            written: deque[_Writing] = deque()
            try:
                for step in self._plan.schedule.steps(start):
                    prepared.append(reading.submit(pipeline.read, step))
                    if len(prepared) > _QUEUE:
                        yield from self._next(pipeline, prepared, writing, written)
                    if self._stop.requested() is not None:
                        break
                while prepared and self._stop.requested() is None:
                    yield from self._next(pipeline, prepared, writing, written)
            except (WriteError, OutputBusyError):
                raise
            except Interrupted:
                pass  # while a step was read: it ends as between two steps
            except CleanplateError:
                # What was filled before a picture that can't be read is kept.
                yield from self._finish_writing(written)
                self._keep_state()
                raise
            yield from self._finish_writing(written)
        self._end_of_filling()

    def _next(
        self,
        pipeline: Pipeline,
        prepared: deque[Future[StepInput]],
        writing: _OneThread,
        written: deque[_Writing],
    ) -> Iterator[FrameDone]:
        """Fill the next frame once it is read, and tell of those that are written till then."""
        reading = prepared.popleft()
        while written and not reading.done():
            either: tuple[Future[Any], ...] = reading, written[0].future
            wait(either, return_when=FIRST_COMPLETED)
            if written[0].future.done():
                yield from self._take(written.popleft())
        yield from self._step(pipeline, reading.result(), writing, written)

    def _step(
        self, pipeline: Pipeline, given: StepInput, writing: _OneThread, written: deque[_Writing]
    ) -> Iterator[FrameDone]:
        self._claim.check()
        self._begun += 1
        self._reporters.phase(Phase.FILLING, self._begun, self._plan.sources.last - self._start + 1)
        outputs = pipeline.fill(given)
        self._inputs.add(given.step.position, given.prints)
        if not given.step.warmup:
            marks, moment = self._inputs.take_unnoted(), self._keeper.now()
            saved = self._keeper.due(moment)

            def finish() -> Written | None:
                # Once a stop is asked for no frame is begun; what was filled ahead is filled again.
                if self._stop.requested() is not None:
                    return None
                composed = pipeline.compose(given, outputs)
                return pipeline.write(composed, marks, saved) if self._stop.requested() is None else None

            written.append(_Writing(writing.submit(finish), moment))
        while len(written) > _QUEUE or (written and written[0].future.done()):
            yield from self._take(written.popleft())

    def _finish_writing(self, written: deque[_Writing]) -> Iterator[FrameDone]:
        while written:
            yield from self._take(written.popleft())

    def _take(self, writing: _Writing) -> Iterator[FrameDone]:
        """Tell of a frame once it is written, unless a stop came before it."""
        written = writing.future.result()
        if written is not None:
            self._moment = writing.moment
            if written.frame % _GIVE_BACK_EVERY == 0:
                give_back()
            yield self._tell(written)

    def _keep_state(self) -> None:
        """Keep the state after the last frame that was written."""
        if self._moment is not None:
            self._keeper.keep(self._moment)

    def _copy(self, start: int) -> Iterator[FrameDone]:
        for frame in range(start, self._plan.sources.last + 1):
            self._claim.check()
            _check_stop(self._stop, f"Stopped before frame {frame}; go on with --resume.")
            yield self._tell(self._writer.copy(frame))

    def _tell(self, written: Written) -> FrameDone:
        for note in written.notes:
            if note not in self._notes:
                self._notes.add(note)
                self._reporters.note(note)
        self._latest = written.frame
        return FrameDone(written.frame, written.path, self._reporters.frame(written.frame))

    def _end_of_filling(self) -> None:
        """Keep the state where a stop was asked for; the writer has finished what was begun."""
        code = self._stop.requested()
        if code is None or self._latest == self._plan.sources.last:
            return
        self._keep_state()
        if self._latest is None:
            raise Interrupted("Stopped before another frame was written; go on with --resume.", code)
        raise Interrupted(
            f"Stopped after frame {self._latest}; its state is saved, go on with --resume.", code
        )


@dataclass(frozen=True)
class _Writing:
    """A frame on its way to disk.

    Attributes:
        future: gives None where a stop came before it was begun.
        moment: the state after it.
    """

    future: Future[Written | None]
    moment: Moment


class _OneThread(ThreadPoolExecutor):
    """A worker thread whose waiting jobs are dropped when the block ends with an error."""

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1, thread_name_prefix=name)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)


def _with_size(
    settings: Settings, run: Run, network: Network, folder: Path, handed_in: HandedIn | None
) -> Settings:
    """Return the settings with the working size that is rendered at."""
    before = None if handed_in is None else handed_in.saved.key
    if before is None and run.goes_on:
        before = Journal(journal_path(folder), {}).found_key()
    size = chosen_size(settings.working_size, before, network.working_size)
    return settings.model_copy(update={"working_size": size})


def _check_stop(stop: Stop, message: str) -> None:
    code = stop.requested()
    if code is not None:
        raise Interrupted(message, code)
