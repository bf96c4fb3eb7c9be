"""Check a rendered shot: `cleanplate qc`. Needs no model and no GPU, and changes nothing.

Frames are read one after the other, two at a time in memory. What can be known for sure is checked exactly
(every frame there, nothing outside the matte touched, no NaN); what an eye would see is measured against the
plate right around the fill (`frame`) and judged (`judge`); with a true clean plate the fill is held to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import MovieClip, open_clip
from ..clips.movie_read import is_movie
from ..color.color_map import ColorMap
from ..color.shot_color import shot_color
from ..compose.fill_layers import PREFIXES
from ..errors import ImageError
from ..images import Header, Plate, Window, laid_back, read_plate
from ..images.formats import compression_lossy, formats_lossy
from ..job.job import Job
from ..regions.hole import Hole
from ..render.delivery import pictures_of
from ..render.sources import Sources, mattes_of, open_sources
from ..state.noted_origins import noted_origins
from ..state.origins import in_words
from .between import Between
from .frame import Neighbors, Scores, middle_frame, one_frame
from .judge import judge
from .patch import patch_state
from .report import FrameFound, Limits, Report
from .scores import psnr_db, squared_error, ssim_map
from .surroundings import Floats, surroundings

Bools = NDArray[np.bool_]
Tell = Callable[[str], None]

USUAL = Limits()


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


class QcShot:
    """A shot's pictures, opened to be looked at.

    Args:
        job: as it was rendered: its matte settings say what may have changed.
        truth: clip of the true clean plate, or None.

    Raises:
        CleanplateError: plate, matte or truth can't be opened. A result that can't is a fault, not an error.
    """

    def __init__(self, job: Job, truth: str | None = None) -> None:
        shot = job.shot
        self.sources: Sources = open_sources(pictures_of(shot), dry=True)
        self.frames = range(self.sources.first, self.sources.last + 1)
        self.truth = None if truth is None else open_clip(truth)
        on_disk = range(self.sources.lower, self.sources.upper + 1)
        choice = shot_color(shot, job.settings, self.sources.plate, self.sources.header, on_disk)
        self.color: ColorMap = choice.color
        self.movie = MovieClip(Path(shot.output)) if _is_there(shot.output) else None
        self.name = shot.output if is_movie(shot.output) else str(self.sources.output)
        self._mattes = mattes_of(self.sources, job.settings, tuple(sorted(set(shot.cuts))))
        self._view = shot.view or ""
        self.is_movie = is_movie(shot.output)

    def look(self, frame: int) -> Looked:
        """Read all there is of a frame. Raises ImageError when plate or matte can't be read."""
        plate = self.sources.plate.plate(frame)
        hole = self._mattes.hole(frame)
        result, problem = self._result(frame, plate)
        return Looked(frame, plate, hole, result, problem)

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

    def _result(self, frame: int, plate: Plate) -> tuple[Plate | None, str]:
        try:
            found = self._read(frame)
        except ImageError as error:
            return None, str(error)
        if found is None:
            return None, ""
        if plate.header.format == "openexr" and found.header.format != "openexr":
            found = laid_back(found, plate) or found
        ours, theirs = _own_window(found), _own_window(plate)
        if ours[2:] != theirs[2:] or (found.header.format == plate.header.format and ours != theirs):
            return None, f"{_window_words(ours)}, the plate is {_window_words(theirs)}"
        return found.on(plate.header.data_window), ""

    def _read(self, frame: int) -> Plate | None:
        """The result's frame on the plate's canvas; None where it is missing."""
        if self.is_movie:
            number = frame - self.sources.first + 1
            return (
                None if self.movie is None or number not in self.movie.frames() else self.movie.plate(number)
            )
        path = self.sources.output.path(frame)
        return read_plate(path, self._view) if path.is_file() else None


class Checking:
    """A shot that is looked at, frame after frame in their order.

    Args:
        shot: its pictures.
        limits: what passes.
    """

    def __init__(self, shot: QcShot, limits: Limits = USUAL) -> None:
        self._shot = shot
        self._limits = limits
        self._found: list[FrameFound] = []
        self._lossy = ""
        self._before: Looked | None = None
        self._pair: Neighbors | None = None

    def look(self, frame: int) -> Looked:
        """Read and measure the next frame. Raises ImageError when plate or matte can't be read."""
        looked = self._shot.look(frame)
        self._lossy = self._lossy or _lossy(looked)
        self._found.append(_look_at(self._shot, looked, exact=not self._lossy))
        if self._before is not None:
            earlier, self._pair = self._pair, _neighbors(self._shot, self._before, looked)
            self._found[-2] = self._found[-2].measured(_changes(earlier, self._pair))
        self._before = looked
        return looked

    def report(self) -> Report:
        """Judge what was looked at so far: at least one frame."""
        noted = noted_origins(self._shot.sources.output)
        found = [replace(one, origins=noted.get(one.frame, {})) for one in self._found]
        checks = judge(found, self._limits, exact=self._lossy, has_truth=self._shot.truth is not None)
        filled = {one.frame: one.origins for one in found if one.hole and one.origins}
        return Report(self._shot.name, tuple(found), checks, origins=in_words(filled))


def check(
    shot: QcShot,
    limits: Limits = USUAL,
    *,
    tell: Tell = lambda doing: None,
) -> Report:
    """Look at every frame of a shot and judge it."""
    checking = Checking(shot, limits)
    for frame in shot.frames:
        tell(f"frame {frame}")
        checking.look(frame)
    return checking.report()


def _look_at(shot: QcShot, looked: Looked, *, exact: bool) -> FrameFound:
    """What one frame shows by itself."""
    if looked.result is None:
        return FrameFound(looked.frame, "unreadable" if looked.problem else "missing", looked.problem)
    mask = looked.mask
    hole = None if looked.hole is None else looked.hole.box
    given = shot.sources, looked.frame, looked.plate, looked.result
    found = FrameFound(looked.frame, hole=int(mask.sum()), patch=patch_state(*given, hole))
    if exact:
        added = tuple(start for name in shot.sources.own_layers for start in PREFIXES[name])
        found = replace(found, touched=touched_pixels(looked.plate, looked.result, mask, added))
    box = surroundings([mask], mask.shape[1], mask.shape[0])
    if box is None:
        return found
    inside = mask[box.slices]
    values = looked.result.crop(*box)[inside]
    before = looked.plate.crop(*box)[inside]
    found = replace(
        found,
        unfilled=bool(np.array_equal(values, before, equal_nan=True) and np.ptp(before) > 0),
        not_finite=int((~np.isfinite(values)).any(axis=1).sum()),
    ).measured(one_frame(shot.view(looked.result, box), inside))
    true = shot.true(looked.frame)
    return found if true is None else _held_against(shot, found, looked.result, true, mask)


def _held_against(shot: QcShot, found: FrameFound, result: Plate, true: Plate, mask: Bools) -> FrameFound:
    if _size(true.header) != _size(result.header):
        raise ImageError(
            f"The true clean plate {true.header.path} is {_size(true.header)}, the result is "
            f"{_size(result.header)}; expected the same size."
        )
    whole = Box(0, 0, mask.shape[1], mask.shape[0])
    ours, theirs = shot.view(result, whole), shot.view(true, whole)
    error, similar = squared_error(ours, theirs), ssim_map(ours, theirs)
    return replace(
        found,
        hole_psnr_db=psnr_db(float(error[mask].mean(dtype=np.float64))),
        hole_ssim=float(similar[mask].mean(dtype=np.float64)),
        psnr_db=psnr_db(float(error.mean(dtype=np.float64))),
        ssim=float(similar.mean(dtype=np.float64)),
    )


def _neighbors(shot: QcShot, this: Looked, following: Looked) -> Neighbors | None:
    """Two frames over the holes of both and their surroundings; None where one has no hole or result."""
    if this.result is None or following.result is None or this.hole is None or following.hole is None:
        return None
    mask, next_mask = this.mask, following.mask
    box = surroundings([mask, next_mask], mask.shape[1], mask.shape[0])
    if box is None or min(box.width, box.height) < 16:
        return None
    pictures = shot.view(this.result, box), shot.view(following.result, box)
    return Neighbors(box, Between.of(*pictures, mask[box.slices], next_mask[box.slices]))


def _changes(before: Neighbors | None, after: Neighbors | None) -> Scores:
    """How a frame changes to the next, and stands between both its neighbors."""
    if after is None:
        return {}
    return {**after.scores(), **({} if before is None else middle_frame(before, after))}


def touched_pixels(plate: Plate, result: Plate, mask: Bools, added: tuple[str, ...] = ()) -> int:
    """Count pixels outside the hole that differ from the plate in any channel, bit for bit.

    Channels that are not filled count inside the hole too. A channel that the result lacks is not looked at:
    formats differ in what they can hold, and the render says so. Nor are those whose names begin as `added`
    says: the render writes its own there.
    """
    x, y, width, height = _own_window(plate)
    left, top = x - plate.header.data_window[0], y - plate.header.data_window[1]
    hole = mask[top : top + height, left : left + width]
    differs = np.zeros(hole.shape, np.bool_)
    for one, other, filled in _channels(plate, result, added):
        unlike = _bits(one) != _bits(other) if one.dtype == other.dtype else one != other
        differs |= unlike & ~hole if filled else unlike
    return int(differs.sum())


def _channels(
    plate: Plate, result: Plate, added: tuple[str, ...]
) -> Iterator[tuple[NDArray[Any], NDArray[Any], bool]]:
    """Channels that both pictures have, and whether each is filled."""
    for index, ours in zip(plate.header.fill_channels, result.header.fill_channels, strict=False):
        yield (
            plate.parts[plate.header.part].channel(index),
            result.parts[result.header.part].channel(ours),
            True,
        )
    names = plate.header.channels
    for index, name in enumerate(names):
        if index in plate.header.fill_channels or name.startswith(added):
            continue
        if name in result.header.channels:
            ours = result.header.channels.index(name)
            one = plate.parts[plate.header.part].channel(index)
            yield one, result.parts[result.header.part].channel(ours), False


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """Values as integers of the same size, so that NaN equals NaN."""
    if values.dtype.kind != "f":
        return values
    whole = np.ascontiguousarray(values)
    return whole.view({2: np.uint16, 4: np.uint32, 8: np.uint64}[values.dtype.itemsize])


def _lossy(looked: Looked) -> str:
    """Why a result can't be the plate's bit for bit; empty when it can."""
    if looked.result is None:
        return ""
    header, plate = looked.result.header, looked.plate.header
    if formats_lossy(header.path.suffix):
        return f"not checked: {header.path.suffix} is lossy"
    if header.compression is not None and compression_lossy(header.format, header.compression):
        return f"not checked: {header.compression} compression is lossy"
    ours, theirs = (one.types[one.fill_channels[0]] for one in (header, plate))
    return f"not checked: the plate is {theirs}, the result {ours}" if ours != theirs else ""


def _is_there(output: str) -> bool:
    return is_movie(output) and Path(output).is_file()


def _own_window(plate: Plate) -> Window:
    """The file's own data window: a shot whose frames differ lies on a larger canvas."""
    return Window.of_data(plate.parts[plate.header.part].spec)


def _window_words(window: Window) -> str:
    x, y, width, height = window
    return f"{width}x{height} at {x},{y}" if x or y else f"{width}x{height}"


def _size(header: Header) -> str:
    return f"{header.width}x{header.height}"
