"""Clips on disk, and a case's pictures: the plate to fill, the hole, and the truth to score against.

A clip is a folder with `plate/`, and optionally `matte/` and `gt/` (the true clean plate inside the matte),
each a numbered sequence. Everything here is 8-bit display-referred RGB; a scene-linear plate is brought to
the screen first.

A synthetic hole lies over plate pixels, and these are the truth. A clip's own object stays in the plate as
any other thing would, since nothing is known of what is behind it. What is handed out to be filled is black
inside the hole, so that nothing can leak.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.clips.clip import Clip, open_clip
from plugin_core.color.display import display
from plugin_core.errors import InputError
from plugin_core.images import matte_on

from .cases import Case, Mask, read_list, standard_cases

Video = list[NDArray[np.uint8]]
"""Pictures (H, W, 3), 8-bit RGB."""

MATTE_THRESHOLD = 0.05
"""A clip's own matte is hole from here on, as in the core's default settings."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class ClipFolder:
    """A clip: where it is and what it has."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def has_truth(self) -> bool:
        """Whether there is a true clean plate."""
        return (self.path / "gt").is_dir() and (self.path / "matte").is_dir()

    @cached_property
    def plate(self) -> Clip:
        """The plate's frames."""
        return open_clip(str(self.path / "plate"))

    def cases(self) -> list[Case]:
        """Return the listed cases of this clip, or those that the rule makes for it."""
        listed = read_list().get(self.name)
        count = len(self.plate.frames())
        if listed is not None and all(case.first + case.count <= count for case in listed):
            return listed
        return standard_cases(self.name, count, has_truth=self.has_truth)

    def fingerprint(self) -> list[str]:
        """Return names, sizes and times of all files, to tell whether cached scores are still of these."""
        files = sorted(path for part in ("plate", "matte", "gt") for path in (self.path / part).glob("*"))
        stats = [(path.relative_to(self.path), path.stat()) for path in files]
        return [f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats]


def find_clips(root: Path) -> list[ClipFolder]:
    """Return the clips in a folder, by name. Raises InputError when there are none."""
    folders = sorted(path.parent for path in root.glob("*/plate") if path.is_dir())
    if not folders:
        raise InputError(f"No clip in {root}: expected folders with a folder plate/ in each.")
    return [ClipFolder(path) for path in folders]


@dataclass(frozen=True)
class Footage:
    """A case's pictures.

    Attributes:
        case: which.
        plate: what is to be filled, black inside the hole.
        holes: what is to be filled, (H, W) each.
        truth: what should come out.
    """

    case: Case
    plate: Video = field(repr=False)
    holes: list[Mask] = field(repr=False)
    truth: Video = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.truth[0].shape[1], self.truth[0].shape[0]


class ClipReader:
    """Reads a clip's cases at one size, keeping pictures from one case to the next."""

    def __init__(self, clip: ClipFolder, size: tuple[int, int] | None, dilations: int = 0) -> None:
        """`size`: width and height everything is resized to, None for the clip's own; `dilations`: of
        stationary holes by a 3x3 cross.
        """
        self.clip = clip
        self._size = size
        self._dilations = dilations
        self._pictures: dict[tuple[str, int], NDArray[np.uint8]] = {}

    def footage(self, case: Case) -> Footage:
        """Read a case."""
        numbers = self.clip.plate.frames()[case.first : case.first + case.count]
        plates = [self._picture("plate", number) for number in numbers]
        height, width = plates[0].shape[:2]
        if case.hole is None:
            holes = [self._matte(number) for number in numbers]
            clean = [self._picture("gt", number) for number in numbers]
            triples = zip(plates, clean, holes, strict=True)
            truth = [np.where(hole[..., None], true, plate) for plate, true, hole in triples]
        else:
            holes = [case.hole.mask(position, width, height) for position in range(case.count)]
            if case.motion == "stationary" and self._dilations:
                holes = [_dilated(holes[0], self._dilations)] * len(holes)
            truth = plates
        emptied = [plate * ~hole[..., None] for plate, hole in zip(plates, holes, strict=True)]
        return Footage(case, emptied, holes, truth)

    def _picture(self, part: str, number: int) -> NDArray[np.uint8]:
        if (part, number) not in self._pictures:
            source = self.clip.plate if part == "plate" else open_clip(str(self.clip.path / part))
            plate = source.plate(number)
            rgb = display(plate.rgb) if plate.header.is_float else plate.rgb
            codes = np.round(np.clip(self._resized(rgb), 0, 1) * 255).astype(np.uint8)
            self._pictures[part, number] = codes
        return self._pictures[part, number]

    def _matte(self, number: int) -> Mask:
        clip = open_clip(str(self.clip.path / "matte"))
        values = matte_on(self.clip.plate.header(number), clip.matte(number, "auto"))
        return self._resized(values) >= MATTE_THRESHOLD

    def _resized(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._size is None or self._size == (picture.shape[1], picture.shape[0]):
            return picture
        return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.float32)


def _dilated(mask: Mask, times: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _CROSS, iterations=times), np.bool_)
