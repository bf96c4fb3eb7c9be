"""Check a rendered shot: `cleanplate qc`. Needs no model and no GPU, and changes nothing.

Frames are read one after the other, two at a time in memory. What can be known for sure is checked exactly
(every frame there, nothing outside the matte touched, no NaN); what an eye would see is measured against the
plate right around the fill (`frame`) and judged (`judge`); with a true clean plate the fill is held to that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..compose.fill_layers import PREFIXES
from ..errors import ImageError
from ..images import Header, Plate
from ..state.noted_origins import noted_origins
from ..state.origins import in_words
from .between import Between
from .frame import Neighbors, Scores, middle_frame, one_frame
from .judge import judge
from .patch import patch_state
from .pictures import Bools, Looked, Pictures, QcShot, own_window
from .report import FrameFound, Limits, Report
from .scores import psnr_db, squared_error, ssim_map
from .surroundings import surroundings

Tell = Callable[[str], None]

USUAL = Limits()


class Checker(ABC):
    """A result that is looked at, frame after frame in their order.

    Args:
        pictures: of it.
    """

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    @abstractmethod
    def look(self, frame: int) -> Looked:
        """Read and measure the next frame. Raises ImageError when what it was made of can't be read."""

    @abstractmethod
    def report(self) -> Report:
        """Judge what was looked at so far: at least one frame."""

    def all(self, tell: Tell = lambda doing: None) -> Report:
        """Look at every frame and judge the result."""
        for frame in self.pictures.frames:
            tell(f"frame {frame}")
            self.look(frame)
        return self.report()


class Checking(Checker):
    """A render that is looked at.

    Args:
        shot: its pictures.
        limits: what passes.
    """

    def __init__(self, shot: QcShot, limits: Limits = USUAL) -> None:
        super().__init__(shot)
        self._shot = shot
        self._limits = limits
        self._found: list[FrameFound] = []
        self._lossy = ""
        self._before: Looked | None = None
        self._pair: Neighbors | None = None

    def look(self, frame: int) -> Looked:
        """Read and measure the next frame. Raises ImageError when plate or matte can't be read."""
        looked = self._shot.look(frame)
        self._lossy = self._lossy or looked.lossy
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
    return Checking(shot, limits).all(tell)


def _look_at(shot: QcShot, looked: Looked, *, exact: bool) -> FrameFound:
    """What one frame shows by itself."""
    if looked.result is None:
        return looked.lost
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

    Channels that are not filled count inside the hole too; see `differing`.
    """
    x, y, width, height = own_window(plate)
    left, top = x - plate.header.data_window[0], y - plate.header.data_window[1]
    hole = mask[top : top + height, left : left + width]
    filled, others = differing(plate, result, added)
    return int((filled & ~hole | others).sum())


def differing(plate: Plate, result: Plate, added: tuple[str, ...] = ()) -> tuple[Bools, Bools]:
    """Return where the file's own pixels (h, w) differ from the plate's, bit for bit.

    A channel that the result lacks is not looked at: formats differ in what they can hold, and the render
    says so. Nor are those whose names begin as `added` says: the render writes its own there.

    Returns:
        Where channels that are filled differ, and where others do.
    """
    height, width = own_window(plate)[3], own_window(plate)[2]
    filled, others = np.zeros((height, width), np.bool_), np.zeros((height, width), np.bool_)
    for one, other, is_filled in _channels(plate, result, added):
        into = filled if is_filled else others
        into |= bits(one) != bits(other) if one.dtype == other.dtype else one != other
    return filled, others


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


def bits(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as integers of the same size, so that NaN equals NaN."""
    if values.dtype.kind != "f":
        return values
    whole = np.ascontiguousarray(values)
    return whole.view({2: np.uint16, 4: np.uint32, 8: np.uint64}[values.dtype.itemsize])


def _size(header: Header) -> str:
    return f"{header.width}x{header.height}"
