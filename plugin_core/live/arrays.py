"""Frames in memory filled from the past alone: each is handed back before the next is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.array_clip import ArrayClip
from ..color.color_map import ColorMap, choose_color
from ..color.exposure import exposure_note, measure_stops
from ..color.network_pixels import native_pixels, network_pixels
from ..compose.paste import Fill, laid_in
from ..errors import InputError, Interrupted, SettingsError
from ..images import Plate
from ..job.settings import Settings, Shot
from ..network.contract import Network
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..regions.hole import Hole
from ..regions.shot_mattes import ShotMattes
from ..render.in_memory import temporary_folder
from .past import PastFiller
from .view import Pixels

_FAR = 1 << 40
"""Frames to come: nobody knows how many there are."""


def fill_as_they_come(
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
) -> Iterator[NDArray[Any]]:
    """Fill frames and yield each, of the shape and the type it came in, before the next is pulled.

    Args:
        frames, mattes: see `clips.array_clip.ArrayClip`; one array (H, W) is the matte of all frames.
        shot: its color and its cuts.
        settings: of them the matte's, grow, feather and exposure count.
        network: fills what was never seen.
        reporters: told of progress.
        stop: asked before each frame whether to go on.
        first: number of the first frame.
        folder: where the temporary folder is made, which takes one frame at a time; None for the system's.
        state: refused: what is remembered is kept in no file.

    Raises:
        InputError, ImageError, MissingFramesError: what was handed over can't be filled.
        SettingsError: mattes are to be joined with later ones, or a state was asked for.
        WriteError: the folder can't be written.
        Interrupted: `stop` was asked for.
    """
    if settings.matte_union:
        raise SettingsError(
            f"look_ahead 0 can't join mattes with those of later frames: matte_union is "
            f"{settings.matte_union}, leave it at 0."
        )
    if state is not None:
        raise SettingsError("With look_ahead 0 no state is kept: leave state out.")
    with temporary_folder(folder) as work:
        coming = _Coming(frames, mattes, Path(work), first)
        reporters.start(first=first, last=_last(frames, first), done=0, output="", color="", copied=[])
        yield from _each(coming, shot, settings, PastFiller(network), reporters, stop)
    reporters.done()


class _Coming:
    """Frames and mattes, pulled side by side."""

    def __init__(
        self, frames: Iterable[object], mattes: Iterable[object] | object, folder: Path, first: int
    ) -> None:
        self.first = first
        self.plate = ArrayClip(frames, "frames", folder, first=first)
        if len(getattr(mattes, "shape", ())) == 2:
            self.matte = ArrayClip([mattes], "matte", folder, first=first, mattes=True, still=True)
        elif isinstance(mattes, Iterable):
            self.matte = ArrayClip(mattes, "mattes", folder, first=first, mattes=True)
        else:
            raise InputError(
                f"mattes is of type {type(mattes).__name__}; expected an array for each frame, or one (H, W)."
            )

    def frames(self) -> Iterator[int]:
        """Yield the numbers of frames as long as there are any; each is forgotten when the next is asked."""
        frame = None
        for count in (self.plate if self.matte.is_still else self.matte).pull_all():
            frame = self.first + count - 1
            yield frame
            for clip in (self.plate, self.matte):
                clip.forget_before(frame + 1)
        if frame is None:
            raise InputError("There is nothing to fill: no matte was handed over, or no frame.")
        for _ in self.plate.pull_all():
            raise InputError(
                "There are more frames than mattes; hand over a matte for every frame: an empty one where "
                "nothing is to be filled."
            )


def _each(
    coming: _Coming, shot: Shot, settings: Settings, filler: PastFiller, reporters: Reporters, stop: Stop
) -> Iterator[NDArray[Any]]:
    color, holes = None, None
    for frame in coming.frames():
        if (code := stop.requested()) is not None:
            raise Interrupted(f"Stopped before frame {frame}.", code)
        plate = coming.plate.plate(frame)
        if color is None or holes is None:
            color, notes = _color(shot, settings, plate)
            for note in notes:
                reporters.note(note)
            first = coming.first
            holes = ShotMattes(coming.matte, plate.header, settings, lower=first, upper=_FAR, cuts=shot.cuts)
        if frame in shot.cuts:
            filler.cut()
        clean = _filled(filler, plate, holes.hole(frame), color)
        reporters.frame(frame)
        yield np.array(clean.parts[0].groups[0].pixels)


def _last(frames: Iterable[object], first: int) -> int:
    """Return the last frame, as far as that is known; else the first."""
    count = len(frames) if isinstance(frames, Sized) else 1
    return first + max(count, 1) - 1


def _color(shot: Shot, settings: Settings, plate: Plate) -> tuple[ColorMap, tuple[str, ...]]:
    """Decide how plates are shown, by the first of them."""
    choice = choose_color(shot.colorspace, plate.header, shot.ocio_config)
    if settings.exposure != "auto":
        return choice.color.exposed(int(settings.exposure)), choice.notes
    stops = measure_stops(choice.color, [plate])
    return choice.color.exposed(stops), choice.notes + exposure_note(stops)


def _filled(filler: PastFiller, plate: Plate, hole: Hole | None, color: ColorMap) -> Plate:
    fill = filler.fill(_shown(plate, color), hole)
    if hole is None or fill is None:
        return plate
    return laid_in(plate, [Fill(hole, color.from_network(2 * fill - 1))], in_place=True)


def _shown(plate: Plate, color: ColorMap) -> Pixels:
    """Return a plate as on a display: 8 bits as they are, else float32 around 0..1."""
    native = native_pixels(plate, Box(0, 0, plate.header.width, plate.header.height))
    if native.dtype == np.uint8 and color.encoding == "display" and color.conversion is None:
        return np.ascontiguousarray(native)
    picture, _ = network_pixels(native, color)
    return np.asarray((picture + 1) / 2, np.float32)
