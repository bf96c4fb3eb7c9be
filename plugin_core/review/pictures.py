"""The pictures of a page: WebP, display-referred, each no larger than a second of them may take.

A frame is shown whole by its plate, reduced where it is large, and at its own resolution around the hole. The
result is a cut-out that lies on the plate: where it is the plate's, the page shows the very same picture, so
that a flip shows what was changed and not how two pictures were compressed. It covers the hole and every
other pixel that differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..color.display import Display
from ..errors import WriteError
from ..images import Plate
from ..qc.pictures import Looked
from ..qc.surroundings import RING_PX

BYTES_A_SECOND = 2_000_000
"""What all pictures of a second may take."""

DIFFERENCE_TIMES = 8
"""How much larger than it is a difference is shown."""

_WHOLE_PX, _CUT_PX = 1280, 1280
_BEST, _WORST, _STEP = 85, 25, 10
_SMALLER = 0.7
_EVERYWHERE = 0.02
"""A larger share of a frame that differs outside the hole is no slip of a few pixels."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Layer:
    """One picture of a frame.

    Attributes:
        name: ``plate`` (all of it), ``detail`` (the plate around the hole), ``result``, ``difference``,
            ``whole`` (all of the result, where that differs everywhere), ``matte``, ``sources``.
        box: what it covers, in pixels of the plate's data window.
        data: WebP.
    """

    name: str
    box: Box
    data: bytes


@dataclass(frozen=True)
class _Drawn:
    """A picture before it is compressed: (h, w), (h, w, 3) BGR or (h, w, 4) BGRA, 0..255."""

    name: str
    box: Box
    codes: Codes


class Encoder:
    """Compresses frame after frame, as well as there is room for.

    Args:
        display: brings plates to the screen.
        frames_a_second: of the shot; with it `BYTES_A_SECOND` says how large a frame's pictures may be.
    """

    def __init__(self, display: Display, frames_a_second: float) -> None:
        self._display = display
        self._room = int(BYTES_A_SECOND / max(1.0, frames_a_second))
        self._quality = _BEST

    def frame(self, looked: Looked, sources: Codes | None = None) -> list[Layer]:
        """Return the pictures of a frame; of one without a hole and a change, the plate alone.

        Args:
            looked: the frame.
            sources: where the hole's pixels come from, over its box, (h, w, 4); None where nobody says.

        Raises WriteError where OpenCV can't compress them.
        """
        drawn = list(_drawn(looked, self._display))
        if sources is not None and looked.hole is not None:
            drawn.append(_fitted(_Drawn("sources", looked.hole.box, sources)))
        quality = min(_BEST, self._quality + _STEP // 2)
        while True:
            layers = [Layer(one.name, one.box, _webp(one, quality)) for one in drawn]
            if sum(len(layer.data) for layer in layers) <= self._room:
                self._quality = quality
                return layers
            if quality - _STEP >= _WORST:
                quality -= _STEP
            else:
                drawn = [_reduced(one, _SMALLER) for one in drawn]


def thumbnail(looked: Looked, display: Display, width: int) -> Codes:
    """Return the result (the plate where there is none) as BGR codes (h, w, 3), so many pixels wide."""
    picture = looked.plate if looked.result is None else looked.result
    header = looked.plate.header
    codes = _codes(display.shown(_small(picture, width)))
    height = max(2, round(width * header.height / header.width / (header.pixel_aspect or 1)) // 2 * 2)
    return np.asarray(cv2.resize(codes, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _small(picture: Plate, width: int) -> NDArray[np.float32]:
    """Part of a picture's pixels, few but enough to be reduced to a width."""
    return picture.sampled(max(1, picture.header.width // (2 * width)))


def _drawn(looked: Looked, display: Display) -> Iterator[_Drawn]:
    header = looked.plate.header
    whole = Box(0, 0, header.width, header.height)
    plate = looked.plate.crop(*whole)
    yield _Drawn("plate", whole, _codes(display.shown(_to_fit(plate))))
    result = None if looked.result is None else looked.result.crop(*whole)
    mask = looked.mask
    changed = mask if result is None else mask | _differs(plate, result)
    box = bounds(changed)
    if box is None:
        return
    hole = bounds(mask)
    # A result that is stored with loss differs everywhere: all of it is shown, and cut out near the hole.
    everywhere = float((changed & ~mask).mean()) > _EVERYWHERE
    around = hole if everywhere and hole is not None else box
    near = around.grown(RING_PX).within(header.width, header.height)
    if max(header.width, header.height) > _WHOLE_PX:
        yield _fitted(_Drawn("detail", near, _codes(display.shown(plate[near.slices]))))
    if looked.hole is not None:
        alpha = np.round(looked.hole.alpha * 255).astype(np.uint8)
        yield _fitted(_Drawn("matte", looked.hole.box, alpha))
    if result is None:
        return
    if everywhere:
        yield _Drawn("whole", whole, _codes(display.shown(_to_fit(result))))
        box = near
    before, after = display.shown(plate[box.slices]), display.shown(result[box.slices])
    cut = _codes(after)
    if not everywhere:
        cut = np.dstack([cut, changed[box.slices].astype(np.uint8) * 255])
    yield _fitted(_Drawn("result", box, cut))
    yield _fitted(_Drawn("difference", box, _codes(np.abs(after - before) * DIFFERENCE_TIMES)))


def _differs(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where two pictures (H, W, 3) are not the same, NaN being as NaN."""
    differs = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return np.asarray(differs.any(axis=-1))


def _to_fit(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a plate's values (H, W, 3) at the size that all of it is shown at."""
    height, width = rgb.shape[:2]
    scale = _WHOLE_PX / max(height, width)
    if scale >= 1:
        return rgb
    finite = np.nan_to_num(rgb, nan=0.0, posinf=6e4, neginf=0.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(finite, size, interpolation=cv2.INTER_AREA), np.float32)


def _codes(shown: NDArray[np.float32]) -> Codes:
    """Display-referred RGB 0..1 as BGR codes."""
    return np.asarray(np.round(np.clip(shown, 0, 1)[..., ::-1] * 255), np.uint8)


def _fitted(one: _Drawn) -> _Drawn:
    side = max(one.codes.shape[:2])
    return one if side <= _CUT_PX else _reduced(one, _CUT_PX / side)


def _reduced(one: _Drawn, scale: float) -> _Drawn:
    height, width = (max(1, round(side * scale)) for side in one.codes.shape[:2])
    codes = cv2.resize(one.codes, (width, height), interpolation=cv2.INTER_AREA)
    return _Drawn(one.name, one.box, np.asarray(codes, np.uint8))


def _webp(one: _Drawn, quality: int) -> bytes:
    done, data = cv2.imencode(".webp", one.codes, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise WriteError(f"Can't compress a picture of {one.codes.shape} as WebP.")
    return data.tobytes()
