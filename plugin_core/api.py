"""The Python interface: open a model, render shots with it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from .job.settings import Run, Settings, Shot
from .network.contract import Network
from .network.session import Session
from .progress.reporters import Reporters
from .progress.stop import Stop
from .render.delivery import render
from .render.render import FrameDone


class Model:
    """A model opened on a device; renders any number of shots, one after the other.

    Use `open_model`, and the model as a context manager.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    @property
    def device(self) -> str:
        """Where the network runs: `cpu` or `cuda:N`."""
        return str(self._session.device)

    @property
    def network(self) -> Network:
        """The network itself, for tools that step it by hand."""
        return self._session

    def render(
        self,
        shot: Shot,
        settings: Settings | None = None,
        *,
        resume: bool = False,
        overwrite: bool = False,
        state_in: str | None = None,
        state_out: str | None = None,
        checkpoint_every: int = 8,
        debug: str | None = None,
        reporters: Reporters | None = None,
        stop: Stop | None = None,
    ) -> Iterator[FrameDone]:
        """Render a shot and yield each frame once its file is whole under its final name.

        Args:
            shot: where the pictures are.
            settings: what changes the pixels.
            resume: go on where an earlier render of the same output stopped.
            overwrite: start again although frames of the output exist.
            state_in, state_out: state files that hand a shot from one chunk to the next.
            checkpoint_every: frames between two saved states.
            debug: EXR sequence, or a folder for one, for what the network saw and said.
            reporters: told of progress.
            stop: asked between frames whether to go on.

        Raises:
            CleanplateError: see `plugin_core.errors`; what was written stays and can be resumed.
        """
        run = Run(
            resume=resume,
            overwrite=overwrite,
            state_in=state_in,
            state_out=state_out,
            checkpoint_every=checkpoint_every,
            debug=debug,
        )
        quiet = reporters or Reporters([])
        return render(shot, settings or Settings(), run, self._session, quiet, stop or Stop())


def open_model(model: str = "vinet", device: str = "auto", threads: int | None = None) -> Model:
    """Open a model bundle by name or path.

    Args:
        model: an installed bundle's name, or the path of one.
        device: `auto` (a CUDA card where one works, else the CPU), `cpu`, `cuda` or `cuda:N`.
        threads: processor threads on the CPU; None takes one per core.

    Raises:
        ModelError: there is no such bundle, or it is damaged.
        DeviceError: the device is not there.
    """
    return Model(Session.open(model, device=device, threads=threads))
