"""What a viewer or a timeline lays over a shot: its matte, difference, sources and confidence, as PNG files.

``matte``       red, as opaque as the fill is laid in: the matte as it was used, grown and feathered
``difference``  what was changed, brightened as on the page; black elsewhere, and opaque
``source``      the color of each pixel's class, as on the page; of renders with ``--layers source``
``confidence``  gray over the hole: white is known, black is a guess; of the same renders

Each covers the plate's display window, 8 bits, with straight alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..color.display import Display
from ..compose.source_layers import CLASSES
from ..disk.atomic import replacing
from ..disk.folders import make_folder
from ..errors import InputError, WriteError
from ..job.job import Job
from ..qc.pictures import Looked, Pictures
from .checker import checker_of
from .pictures import DIFFERENCE_TIMES
from .sources import colored, source_layers

VIEWS = ("matte", "difference", "source", "confidence")

_MARK = ".cleanplate-views"
"""A file by which a folder is known to be ours."""

_RED = (40, 30, 230)
_MATTE_COVER = 0.65
_KNOWN = (CLASSES["found"], CLASSES["referenced"])

Codes = NDArray[np.uint8]


def write_views(job: Job, folder: Path, tell: Callable[[str], None] = lambda doing: None) -> list[str]:
    """Write the views of every frame that is there, ``folder/matte.1001.png`` and so on; returns their names.

    A frame whose views are newer than its result is left as it is.

    Raises:
        InputError: the folder holds something else.
        CleanplateError: see `checker_of`; or a picture can't be written.
    """
    shot = checker_of(job).pictures
    _make_ours(folder)
    written: set[str] = set()
    for frame in shot.frames:
        tell(f"frame {frame}")
        there = {name for name in VIEWS if _path(folder, name, frame).is_file()}
        if there and all(_is_current(shot, _path(folder, name, frame), frame) for name in there):
            written |= there
            continue
        looked = shot.look(frame)
        canvas = _Canvas(looked)
        for name, box, codes in _views(shot, looked):
            _write(_path(folder, name, frame), canvas.laid(codes, box, opaque=name == "difference"))
            written.add(name)
    return [name for name in VIEWS if name in written]


class _Canvas:
    """The plate's display window, that boxes of its data window are laid on."""

    def __init__(self, looked: Looked) -> None:
        header = looked.plate.header
        display = header.display_window
        self._size = display.height, display.width
        self._shift = header.data_window[0] - display.x, header.data_window[1] - display.y

    def laid(self, codes: Codes, box: Box, *, opaque: bool) -> Codes:
        """Return BGRA codes over a box as a whole picture, elsewhere black or (not `opaque`) nothing."""
        whole = np.zeros((*self._size, 4), np.uint8)
        if opaque:
            whole[..., 3] = 255
        placed = box.moved(*self._shift)
        shared = placed.shared(Box(0, 0, self._size[1], self._size[0]))
        if shared is not None:
            whole[shared.slices] = codes[shared.moved(-placed.x0, -placed.y0).slices]
        return whole


def _views(shot: Pictures, looked: Looked) -> Iterator[tuple[str, Box, Codes]]:
    """Return what there is to see of a frame: a view's name, its box and its BGRA codes."""
    box = Box(0, 0, 1, 1) if looked.hole is None else looked.hole.box
    alpha = np.zeros((1, 1), np.float32) if looked.hole is None else looked.hole.alpha
    yield "matte", box, _with_alpha(_RED, alpha * _MATTE_COVER)
    if looked.result is not None:
        yield "difference", *_difference(shot, looked)
    layers = source_layers(looked, shot.sources, box)
    if layers is not None:
        number, share = layers
        yield "source", box, colored(number, share)
        known = np.where(np.isin(number, _KNOWN), np.clip(np.nan_to_num(share), 0, 1), 0)
        gray = np.round(known * 255).astype(np.uint8)
        yield "confidence", box, np.dstack([gray, gray, gray, np.uint8(255) * (alpha > 0)])


def _difference(shot: Pictures, looked: Looked) -> tuple[Box, Codes]:
    header = looked.plate.header
    whole = Box(0, 0, header.width, header.height)
    assert looked.result is not None
    plate, result = looked.plate.crop(*whole), looked.result.crop(*whole)
    box = bounds(((plate != result) & ~(np.isnan(plate) & np.isnan(result))).any(axis=-1))
    if box is None:
        return Box(0, 0, 1, 1), np.array([[[0, 0, 0, 255]]], np.uint8)
    display = Display(shot.color)
    apart = np.abs(display.shown(result[box.slices]) - display.shown(plate[box.slices])) * DIFFERENCE_TIMES
    codes = np.round(np.clip(apart[..., ::-1], 0, 1) * 255).astype(np.uint8)
    return box, np.dstack([codes, np.full(codes.shape[:2], 255, np.uint8)])


def _with_alpha(color: tuple[int, int, int], alpha: NDArray[np.float32]) -> Codes:
    codes = np.empty((*alpha.shape, 4), np.uint8)
    codes[..., :3] = color
    codes[..., 3] = np.round(np.clip(alpha, 0, 1) * 255)
    return codes


def _path(folder: Path, name: str, frame: int) -> Path:
    return folder / f"{name}.{frame:04d}.png"


def _is_current(shot: Pictures, view: Path, frame: int) -> bool:
    """Whether a view is newer than all it was made of: the result and the patch beside it."""
    made_of = [] if shot.is_movie else [shot.sources.output.path(frame)]
    if shot.sources.patch is not None:
        made_of.append(shot.sources.patch.path(frame))
    if not made_of or not made_of[0].is_file():
        return False
    made = view.stat().st_mtime_ns
    return all(path.stat().st_mtime_ns < made for path in made_of if path.is_file())


def _make_ours(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; --views takes a folder.")
    mark = folder / _MARK
    if folder.is_dir() and any(folder.iterdir()) and not mark.is_file():
        raise InputError(f"{folder} holds other files than views; give --views a folder of their own.")
    try:
        make_folder(folder)
        mark.touch()
    except OSError as error:
        raise WriteError(f"Folder {folder} can't be made ({error.strerror or error}).") from error


def _write(path: Path, codes: Codes) -> None:
    done, data = cv2.imencode(".png", codes, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise WriteError(f"Can't compress a picture of {codes.shape} as PNG.")
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())
