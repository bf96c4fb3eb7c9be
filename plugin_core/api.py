"""The Python interface: open a model, render shots with it, look before and check after.

What is public, and may be relied on, is listed in docs/api.md.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from numpy.typing import NDArray

from .errors import SettingsError, translated
from .job.job import Job
from .job.settings import Run, Settings, Shot, with_options
from .network.contract import Network
from .network.session import Session
from .progress.reporters import JsonLines, Reporters, reporting
from .progress.stop import Stop
from .progress.watch import Phase, Watch, counted, unwatched
from .render.render import FrameDone
from .render.side_files import check_side_files
from .work import carry_out, foretell

if TYPE_CHECKING:
    from .probe.forecast import Forecast
    from .probe.report import Report as ProbeReport
    from .qc.report import Limits as QcLimits
    from .qc.report import Report as QcReport
    from .restore.run import Restored

__all__ = [
    "Model",
    "ProbeReport",
    "QcLimits",
    "QcReport",
    "Restored",
    "fill",
    "forecast_job",
    "open_model",
    "probe_job",
    "qc_job",
    "restore_job",
    "retarget_job",
]

_HOMES = {
    "ProbeReport": (".probe.report", "Report"),
    "QcLimits": (".qc.report", "Limits"),
    "QcReport": (".qc.report", "Report"),
    "Restored": (".restore.run", "Restored"),
}
"""What is loaded when it is first used: a render needs none of it."""

Tell = Callable[[str], None]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _HOMES[name]
    return getattr(import_module(module, __package__), own)


class Model:
    """A model opened on a device; renders any number of shots, one after the other.

    Use `open_model`, and the model as a context manager.

    Args:
        network: a session, or any other network that keeps the contract (`plugin_core.network.contract`).
        opened: the `Run` whose `model`, `device` and `threads` it was opened with; None where none was.
    """

    def __init__(self, network: Network, opened: Run | None = None) -> None:
        self._network = network
        self._opened = opened

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._network, Session):
            self._network.close()

    @property
    def device(self) -> str:
        """Where the network runs: `cpu` or `cuda:N`; empty for a network that is no session."""
        return str(self._network.device) if isinstance(self._network, Session) else ""

    @property
    def network(self) -> Network:
        """The network itself, for tools that step it by hand."""
        return self._network

    @overload
    def render(
        self, shot: Job, *, reporters: Reporters | None = None, stop: Stop | None = None, **fields: Any
    ) -> Iterator[FrameDone]: ...

    @overload
    def render(
        self,
        shot: Shot,
        settings: Settings | None = None,
        run: Run | None = None,
        *,
        reporters: Reporters | None = None,
        stop: Stop | None = None,
        **fields: Any,
    ) -> Iterator[FrameDone]: ...

    def render(
        self,
        shot: Shot | Job,
        settings: Settings | None = None,
        run: Run | None = None,
        *,
        reporters: Reporters | None = None,
        stop: Stop | None = None,
        **fields: Any,
    ) -> Iterator[FrameDone]:
        """Render a shot and yield each frame once its file is whole under its final name.

        Args:
            shot: where the pictures are; or a whole job, which has settings and run of its own, and may ask
                for something else than a render.
            settings: what changes the pixels; None for the defaults.
            run: how it is rendered; None for the defaults.
            reporters: told of progress, beside the run's `progress_file`.
            stop: asked inside every long loop whether to go on; the run's `cancel_file` is watched too.
            fields: of `Run`, over those in `run`: ``resume=True``, ``chunk="1001-1050"``.

        Raises:
            SettingsError: a field is unknown or out of range, or the run asks for a model, a device or a
                number of threads that this model was not opened with.
            CleanplateError: see `plugin_core.errors`; what was written stays and can be resumed.
        """
        if isinstance(shot, Job):
            if settings is not None or run is not None:
                raise SettingsError("A job has its settings and its run in it; give none beside it.")
            job = shot
        else:
            job = Job(shot=shot, settings=settings or Settings(), run=run or Run())
        if fields:
            chosen = with_options(job.run.model_dump(exclude_unset=True), fields)
            job = job.model_copy(update={"run": Run(**chosen)})
        self._check_opened(job.run)
        return self._frames(job, reporters, stop or Stop())

    def _check_opened(self, run: Run) -> None:
        """Refuse what was settled when the model was opened, rather than drop it without a word."""
        for name in ("model", "device", "threads") if self._opened is not None else ():
            asked, opened = getattr(run, name), getattr(self._opened, name)
            if name in run.model_fields_set and asked != opened:
                raise SettingsError(
                    f"The run asks for {name} {asked!r}, and this model was opened with {opened!r}: leave it "
                    "out, or open the model with it."
                )

    def _frames(self, job: Job, reporters: Reporters | None, stop: Stop) -> Iterator[FrameDone]:
        yield from _carried_out(job, lambda: self._network, reporters, stop)


def open_model(
    model: str | os.PathLike[str] = "vinet", device: str = "auto", threads: int | None = None
) -> Model:
    """Open a model bundle by name or path.

    Args:
        model: an installed bundle's name, or the path of one.
        device: `auto` (a CUDA card where one works, else the CPU), `cpu`, `cuda` or `cuda:N`.
        threads: processor threads on the CPU; None takes one per core.

    Raises:
        ModelError: there is no such bundle, or it is damaged.
        DeviceError: the device is not there.
        SettingsError: the number of threads is out of range.
    """
    opened = Run(model=os.fspath(model), device=device, threads=threads)
    return Model(Session.open(opened.model, device=device, threads=threads), opened)


def restore_job(
    job: Job, *, reporters: Reporters | None = None, stop: Stop | None = None
) -> Iterator[Restored]:
    """Find film damage, or take a matte of it, and repair it: `cleanplate restore`. Needs no model.

    Args:
        job: its `do` is ``restore``, or ``detect``: then mattes of the damage are written.
        reporters: told of progress, beside the run's `progress_file`.
        stop: asked before each frame whether to go on; the run's `cancel_file` is watched too.

    Yields:
        Each frame once its file is whole, and what was found on it.

    Raises:
        SettingsError: the job asks for something else.
        CleanplateError: see `plugin_core.errors`; what was written stays and can be resumed.
    """
    from .restore.run import Restored

    _check_asked(job, "restore", "detect")
    return (
        one for one in _carried_out(job, _no_network, reporters, stop or Stop()) if isinstance(one, Restored)
    )


def retarget_job(
    job: Job,
    *,
    model: Model | None = None,
    reporters: Reporters | None = None,
    stop: Stop | None = None,
) -> Iterator[FrameDone]:
    """Give a shot another aspect: `cleanplate retarget`.

    Args:
        job: its `do` is ``retarget``.
        model: renders the clean plate, where the job gives none; None opens the one that the job asks for,
            where it is needed.
        reporters, stop: as of `restore_job`.

    Yields:
        Each frame once its file is whole.

    Raises:
        SettingsError: the job asks for something else.
        CleanplateError: see `plugin_core.errors`; what was written stays and can be resumed.
    """
    _check_asked(job, "retarget")

    def made() -> Iterator[FrameDone]:
        with contextlib.ExitStack() as stack:

            def network() -> Network:
                run = job.run
                ours = model or stack.enter_context(open_model(run.model, run.device, run.threads))
                return ours.network

            yield from _carried_out(job, network, reporters, stop or Stop())

    return made()


def forecast_job(job: Job, watch: Watch = unwatched) -> Forecast:
    """Say what a job would do, whatever it asks for: `--dry-run`. Raises what stops it before it begins.

    Args:
        job: what would be done.
        watch: told how it gets on; may raise to stop.
    """
    return foretell(job, watch).forecast


def fill(
    frames: Iterable[Any],
    mattes: Iterable[Any] | Any,
    settings: Settings | None = None,
    *,
    model: Model | str | os.PathLike[str] = "vinet",
    device: str = "auto",
    threads: int | None = None,
    colorspace: str = "auto",
    ocio_config: str | os.PathLike[str] | None = None,
    cuts: Sequence[int] = (),
    first: int = 1,
    folder: str | os.PathLike[str] | None = None,
    state: str | os.PathLike[str] | None = None,
    reporters: Reporters | None = None,
    stop: Stop | None = None,
) -> Iterator[NDArray[Any]]:
    """Fill frames in memory: the pixels that a render of the same frames in files gives (docs/arrays.md).

    Args:
        frames: (H, W, 3) or (H, W, 4) arrays of uint8, uint16, float16 or float32, all alike, or whatever
            NumPy takes as such; pulled on demand. A fourth channel is handed back as it is. Integers are
            display-referred and floating-point values scene-linear Rec.709, unless `colorspace` says
            otherwise.
        mattes: one for each frame, 1 (255, 65535, True) where it is filled: (H, W), or with channels as a
            matte file; or one array (H, W) for all. All are read before the first frame is filled.
        settings: what changes the pixels; None for the defaults. With `look_ahead=0` a frame and its matte
            are read when that frame is asked for, and no more (docs/live.md).
        model: an open one, or the name or path of one that is opened for this.
        device, threads: that it is opened with; see `open_model`.
        colorspace, ocio_config: of the frames, as in `Shot`.
        cuts: first frames of new takes, counted as `first` is.
        first: number of the first frame: grain and key frames depend on it.
        folder: where frames are kept that are looked at again, in a temporary folder; None for the system's.
        state: a file: where it is there the frames after it are filled, and the state after the last frame
            that was yielded is written there when the iterator ends or is closed.
        reporters: told of progress.
        stop: asked inside every long loop whether to go on.

    Yields:
        An array of its own for each frame, of the shape and the type of the frames. Outside the matte not
        a bit differs.

    Raises:
        SettingsError: at once, for cuts or a number of threads that make no sense.
        CleanplateError: see `plugin_core.errors`; a picture is called by its index, ``frames[12]``.
    """
    shot = Shot(
        plate="frames",
        matte="mattes",
        output="clean.####.exr",
        colorspace=colorspace,
        ocio_config=None if ocio_config is None else os.fspath(ocio_config),
        cuts=tuple(cuts),
    )
    opened = (
        Run() if isinstance(model, Model) else Run(model=os.fspath(model), device=device, threads=threads)
    )
    at, kept = (None if path is None else Path(path) for path in (folder, state))

    def filled() -> Iterator[NDArray[Any]]:
        with contextlib.ExitStack() as stack:
            everyone = stack.enter_context(_telling(reporters, None))
            stack.enter_context(_telling_errors(everyone))
            ours = model if isinstance(model, Model) else open_model(opened.model, device, threads)
            if ours is not model:
                stack.enter_context(ours)
            given = shot, settings or Settings(), ours.network, everyone, stop or Stop()
            if given[1].look_ahead is None:
                from .render.in_memory import fill_arrays as filling
            else:
                from .live.arrays import fill_as_they_come as filling
            yield from filling(frames, mattes, *given, first=first, folder=at, state=kept)

    return filled()


def probe_job(
    job: Job, *, quick: bool = False, trial: bool = False, tell: Tell = lambda doing: None
) -> ProbeReport:
    """Find out what rendering a job would do and take, without rendering it: `cleanplate probe`.

    Args:
        job: what would be rendered.
        quick: read no plates: look for no cuts, time nothing.
        trial: look for pixels on frames all over the shot: how much of its holes is real?
        tell: told what is being done and how far it is, several times a second; may raise to stop.

    What the render would refuse is the report's `problem`, and not raised.
    """

    def watch(phase: Phase | None = None, done: int = 0, total: int = 0) -> None:
        if phase is not None:
            tell(counted(phase, done, total))

    from .probe.probe import probe

    return probe(job, quick=quick, trial=trial, watch=watch)


def qc_job(
    job: Job,
    truth: str | os.PathLike[str] | None = None,
    limits: QcLimits | None = None,
    *,
    sheet: str | os.PathLike[str] | None = None,
    tell: Tell = lambda doing: None,
) -> QcReport:
    """Check what a job has made against its plate: `cleanplate qc`. Needs no model.

    Args:
        job: as it was run: the matte settings of a render say what may have changed.
        truth: a true clean plate to hold a render's fill against.
        limits: what passes, of a render; None for the usual ones.
        sheet: a PNG to write, a contact sheet of the frames that stand out.
        tell: told of each frame, for those who wait.

    Raises:
        CleanplateError: plate, matte or truth can't be read, or the sheet can't be written. Faults of the
            result are in the report, and not raised.
    """
    from .qc.report import Limits
    from .qc.sheet import write_qc_sheet
    from .review.checker import checker_of

    checker = checker_of(job, limits or Limits(), None if truth is None else os.fspath(truth))
    report = checker.all(tell)
    if sheet is not None:
        write_qc_sheet(checker.pictures, report, Path(sheet))
    return report


def _check_asked(job: Job, *known: str) -> None:
    if job.do not in known:
        raise SettingsError(f"The job is to {job.do}, and this is to {known[0]}: set its field 'do'.")


def _no_network() -> Network:
    raise AssertionError("a restoration asks for no network")


def _carried_out(
    job: Job, network: Callable[[], Network], reporters: Reporters | None, stop: Stop
) -> Iterator[FrameDone]:
    check_side_files(job.shot, job.run, beside=job.beside())
    with _telling(reporters, job.run.progress_file) as everyone, _telling_errors(everyone):
        yield from carry_out(job, network, everyone, stop)


@contextlib.contextmanager
def _telling_errors(everyone: Reporters) -> Iterator[None]:
    """Tell of what ends a render, as an error of ours where it can be said as one."""
    try:
        yield
    except Exception as error:
        ours = translated(error)
        if ours is not None:
            everyone.error(str(ours), ours.exit_code)
        if ours is None or ours is error:
            raise
        raise ours from error


@contextlib.contextmanager
def _telling(reporters: Reporters | None, progress_file: str | None) -> Iterator[Reporters]:
    """Whom to tell of a render: those given, and the progress file."""
    if reporters is None:
        with reporting("none", progress_file) as quiet:
            yield quiet
    elif progress_file is None:
        yield reporters
    else:
        with reporters.also(JsonLines.file(Path(progress_file))):
            yield reporters
