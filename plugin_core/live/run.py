"""One stream as it was asked for: opened, run, told of, closed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CleanplateError, Interrupted, SettingsError
from ..job.settings import Settings
from ..progress.stop import Stop
from .bytes_out import BytesOut
from .filler import OpenFiller
from .marks import Marks
from .mattes import BoxMatte, Mattes, OwnMattes, StreamedMattes
from .pipe import STANDARD, open_out
from .source import Asked, Reader, open_reader
from .stream import Control, Sink, Stream, Work
from .telling import Telling
from .viewer import Viewer
from .virtual_camera import VirtualCamera
from .y4m import Y4mReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Matte:
    """What is filled, as the user says it; with neither, the matte comes with the frames.

    Attributes:
        box: left, top, width, height.
        stream: a second stream.
        pixels: of that, where it is raw; it has the plate's size.
        invert: black is filled, in a second stream.
    """

    box: tuple[int, int, int, int] | None = None
    stream: str | None = None
    pixels: str = "gray"
    invert: bool = False

    def __post_init__(self) -> None:
        if self.box is not None and self.stream is not None:
            raise SettingsError("Give --matte or --box, not both.")


@dataclass(frozen=True)
class Output:
    """Where frames go.

    Attributes:
        pipe: ``-``, or a named pipe; None for nowhere.
        y4m: with a header or raw; None for what holds the frames as they are.
        camera: also to a virtual camera.
        camera_device: the system's name for that; None for the first.
        viewer: the port of a page to look at, and to mark what goes away; 0 for any, None for no page.
    """

    pipe: str | None = STANDARD
    y4m: bool | None = None
    camera: bool = False
    camera_device: str | None = None
    viewer: int | None = None


def run_stream(
    source: Asked,
    matte: Matte,
    output: Output,
    open_filler: OpenFiller,
    telling: Telling,
    settings: Settings,
    stop: Stop,
    *,
    realtime: bool,
    show: Callable[[str], object] = lambda address: None,
) -> None:
    """Run a stream to its end. Raises CleanplateError, after it was told.

    Args:
        source: of the frames.
        matte: what is filled.
        output: where they go.
        open_filler: opens what fills them.
        telling: tells of it.
        settings: how far a fill reaches beyond the matte is of them.
        stop: asked all the while.
        realtime: frames are dropped rather than late.
        show: called with the address of the viewer's page.
    """

    def hear() -> None:
        code = stop.requested()
        if code is not None:
            raise Interrupted("Stopped.", code)

    with contextlib.ExitStack() as closing:
        try:
            camera = VirtualCamera(output.camera_device) if output.camera else None
            pipe = None if output.pipe is None else closing.enter_context(open_out(output.pipe, hear))
            mattes = _mattes(matte, source, hear)
            reader = open_reader(source, hear)
            viewer = None
            if output.viewer is not None:
                control = Control()
                mattes = Marks(None if isinstance(mattes, OwnMattes) else mattes, control)
                viewer = Viewer(output.viewer, mattes, control, telling.meter)
                closing.callback(viewer.close)
                telling.note(f"viewer: {viewer.address} (Ctrl-C ends it)")
                show(viewer.address)
            sinks: list[Sink] = [_Started(telling, reader)]
            if camera is not None:
                camera.rate = reader.rate
                closing.callback(camera.close)
                sinks.append(camera)
            if pipe is not None:
                header = reader.header if isinstance(reader, Y4mReader) else None
                if header is not None and header.interlaced:
                    telling.note(
                        "The video is interlaced, and is filled in whole frames; deinterlace it before."
                    )
                sinks.append(
                    BytesOut(
                        pipe,
                        reader.rate,
                        header,
                        telling.note,
                        y4m=output.y4m,
                        drop_alpha=isinstance(mattes, OwnMattes),
                        reach=max(settings.grow, 0) + settings.feather + 1,
                    )
                )
            if viewer is not None:
                sinks.append(viewer)
            Stream(
                reader,
                mattes,
                open_filler,
                sinks,
                telling.meter,
                hear,
                telling.note,
                realtime=realtime,
                clock=not source.is_camera,
                control=None if viewer is None else viewer.control,
            ).run(telling.tick)
        except CleanplateError as error:
            telling.end(error)
            raise
        telling.end(None)


class _Started:
    """Tells of the first frame that is done."""

    def __init__(self, telling: Telling, reader: Reader) -> None:
        self._telling = telling
        self._reader = reader
        self._told = False

    def write(self, work: Work, fill: NDArray[np.uint8], missed: int) -> None:
        """Tell of it."""
        if not self._told:
            self._told = True
            self._telling.start(work, None if self._reader.rate is None else float(self._reader.rate))


def _mattes(matte: Matte, source: Asked, hear: Callable[[], None]) -> Mattes:
    if matte.box is not None:
        return BoxMatte(matte.box)
    if matte.stream is None:
        return OwnMattes()
    if matte.stream == source.name:
        raise SettingsError(
            f"--matte {matte.stream} is the video itself; a matte in its alpha needs no --matte."
        )
    is_video = Path(matte.stream).is_file()
    asked = Asked(
        matte.stream,
        size=None if is_video else source.size,
        pixels=None if is_video or source.size is None else matte.pixels,
        rate=source.rate,
        loop=source.loop,
    )
    return StreamedMattes(lambda: open_reader(asked, hear), matte.stream, invert=matte.invert)
