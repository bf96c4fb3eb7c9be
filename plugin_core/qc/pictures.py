"""The pictures of a result that is looked at: what it was made of, and what came out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import MovieClip, open_clip
from ..clips.movie_read import is_movie
from ..color.color_map import ColorMap
from ..color.shot_color import shot_color
from ..errors import ImageError
from ..images import Header, Plate, Window, laid_back, read_plate
from ..images.formats import compression_lossy, formats_lossy
from ..job.job import Job
from ..regions.hole import Hole
from ..render.delivery import pictures_of
from ..render.sources import Sources, mattes_of, open_sources
from .report import FrameFound
from .surroundings import Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Looked:
    """One frame of the shot: the plate, what was filled, and what came out (None where it can't be used)."""

    frame: int
    plate: Plate
    hole: Hole | None
    result: Plate | None
    problem: str = ""

    @property
    def mask(self) -> Bools:
        """Which pixels of the plate (H, W) may have changed."""
        header = self.plate.header
        whole = Box(0, 0, header.width, header.height)
        if self.hole is None:
            return np.zeros((header.height, header.width), np.bool_)
        return self.hole.mask_on(whole)

    @property
    def lost(self) -> FrameFound:
        """What there is to say of a frame whose result is missing or can't be used."""
        return FrameFound(self.frame, "unreadable" if self.problem else "missing", self.problem)

    @property
    def lossy(self) -> str:
        """Why the result can't be the plate's bit for bit; empty when it can."""
        if self.result is None:
            return ""
        header, plate = self.result.header, self.plate.header
        if formats_lossy(header.path.suffix):
            return f"not checked: {header.path.suffix} is lossy"
        if header.compression is not None and compression_lossy(header.format, header.compression):
            return f"not checked: {header.compression} compression is lossy"
        ours, theirs = (one.types[one.fill_channels[0]] for one in (header, plate))
        return f"not checked: the plate is {theirs}, the result {ours}" if ours != theirs else ""


class Pictures(ABC):
    """A shot's pictures, opened to be looked at.

    Args:
        job: as it was made.
        sources: its inputs.
        color: what the plate's values mean.
        truth: clip of the true clean plate, or None.

    Attributes:
        header: of the pictures that are compared.
        name: of the result.
        frames: all of them.
        truth: the true clean plate, or None.
        before: what the result is held against, in words.
    """

    before = "plate"

    def __init__(self, job: Job, sources: Sources, color: ColorMap, truth: str | None = None) -> None:
        shot = job.shot
        self.sources, self.color = sources, color
        self.header: Header = sources.header
        self.frames = range(sources.first, sources.last + 1)
        self.truth = None if truth is None else open_clip(truth)
        self.is_movie = is_movie(shot.output)
        self.name = shot.output if self.is_movie else str(sources.output)
        self._movie = MovieClip(Path(shot.output)) if self.is_movie and Path(shot.output).is_file() else None
        self._view = shot.view or ""

    @abstractmethod
    def look(self, frame: int) -> Looked:
        """Read all there is of a frame. Raises ImageError when what it was made of can't be read."""

    def true(self, frame: int) -> Plate | None:
        """Read the true clean plate of a frame; None where there is none."""
        if self.truth is None or (not self.truth.is_still and frame not in self.truth.frames()):
            return None
        return self.truth.plate(frame)

    def view(self, plate: Plate, box: Box) -> Floats:
        """Return part of a picture as it is judged: display-referred, 0..1, NaN as black."""
        cut = plate.crop(*box)
        shown = self.color.to_network(np.where(np.isfinite(cut), cut, np.float32(0)))
        return np.clip((shown + 1) / 2, 0, 1)

    def result(self, frame: int, plate: Plate) -> tuple[Plate | None, str]:
        """Read what came out, on the plate's canvas; None where it is missing, or why it can't be used."""
        found, problem = self.as_it_is(frame)
        if found is None:
            return None, problem
        if plate.header.format == "openexr" and found.header.format != "openexr":
            found = laid_back(found, plate) or found
        ours, theirs = own_window(found), own_window(plate)
        if ours[2:] != theirs[2:] or (found.header.format == plate.header.format and ours != theirs):
            return None, f"{_window_words(ours)}, the plate is {_window_words(theirs)}"
        return found.on(plate.header.data_window), ""

    def as_it_is(self, frame: int) -> tuple[Plate | None, str]:
        """Read a frame of the result; None where it is missing, or why it can't be read."""
        try:
            return self._read(frame), ""
        except ImageError as error:
            return None, str(error)

    def _read(self, frame: int) -> Plate | None:
        if self.is_movie:
            number, movie = frame - self.sources.first + 1, self._movie
            return None if movie is None or number not in movie.frames() else movie.plate(number)
        path = self.sources.output.path(frame)
        return read_plate(path, self._view) if path.is_file() else None


class QcShot(Pictures):
    """The pictures of a render.

    Args:
        job: as it was rendered: its matte settings say what may have changed.
        truth: clip of the true clean plate, or None.

    Raises:
        CleanplateError: plate, matte or truth can't be opened. A result that can't is a fault, not an error.
    """

    def __init__(self, job: Job, truth: str | None = None) -> None:
        shot = job.shot
        sources = open_sources(pictures_of(shot), dry=True)
        on_disk = range(sources.lower, sources.upper + 1)
        color = shot_color(shot, job.settings, sources.plate, sources.header, on_disk).color
        super().__init__(job, sources, color, truth)
        self._mattes = mattes_of(self.sources, job.settings, tuple(sorted(set(shot.cuts))))

    def look(self, frame: int) -> Looked:
        """Read all there is of a frame. Raises ImageError when plate or matte can't be read."""
        plate = self.sources.plate.plate(frame)
        hole = self._mattes.hole(frame)
        result, problem = self.result(frame, plate)
        return Looked(frame, plate, hole, result, problem)


def own_window(plate: Plate) -> Window:
    """Return the file's own data window: a shot whose frames differ lies on a larger canvas."""
    return Window.of_data(plate.parts[plate.header.part].spec)


def _window_words(window: Window) -> str:
    x, y, width, height = window
    return f"{width}x{height} at {x},{y}" if x or y else f"{width}x{height}"
