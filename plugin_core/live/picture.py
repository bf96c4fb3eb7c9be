"""One frame of a stream, in the samples that it came in, and the fill laid back into them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ..box import Box
from ..clips.movie_color import FULL
from .pixel_format import FORMATS, Layout

_RGB = FORMATS["rgb24"]


class Picture:
    """A frame.

    Args:
        layout: of the samples.
        data: (`layout.size`,) uint8.
    """

    def __init__(self, layout: Layout, data: NDArray[np.uint8]) -> None:
        self.layout = layout
        self.data = data

    @property
    def planes(self) -> list[NDArray[Any]]:
        """Views of the samples, plane by plane."""
        return self.layout.views(self.data)

    def rgb(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8, display-referred, full range; of ``rgb24`` the samples themselves."""
        order = self.layout.pixels.order
        if not order or self.layout.pixels.deep:
            return _swscaled(self, _RGB.name)
        samples = self.planes[0]
        if order == (0, 1, 2):
            return samples
        codes = {(2, 1, 0): cv2.COLOR_BGR2RGB, (0, 1, 2, 3): cv2.COLOR_RGBA2RGB}
        return np.asarray(cv2.cvtColor(samples, codes.get(order, cv2.COLOR_BGRA2RGB)), np.uint8)

    def alpha(self) -> NDArray[Any]:
        """Return the alpha, (H, W), of a format that has it."""
        planes = self.planes
        return planes[0][..., 3] if self.layout.pixels.order else planes[-1]

    def matte(self) -> NDArray[np.bool_]:
        """Return where this, as a matte, is white: alpha where there is one, else the brightest channel."""
        layout = self.layout
        values = self.alpha() if layout.pixels.alpha else self.planes[0]
        if values.ndim == 3:
            values = values.max(axis=2)
        half = 127 << (layout.pixels.bits - 8)
        white: NDArray[np.bool_] = values > half
        return white

    def without_alpha(self) -> Picture:
        """Return the frame in the same format without alpha."""
        if not self.layout.pixels.alpha:
            return self
        layout = self.layout.opaque
        if self.layout.pixels.order:
            return Picture(layout, np.ascontiguousarray(self.planes[0][..., :3]).reshape(-1))
        return Picture(layout, self.data[: layout.size])

    def filled(self, fill: NDArray[np.uint8], rgb: NDArray[np.uint8], box: Box | None) -> Picture:
        """Return the frame with a fill; every sample whose pixel the fill left as it was keeps its bits.

        A chroma sample that several pixels share is changed where one of them is.

        Args:
            fill: (H, W, 3) uint8.
            rgb: what it was made of, as :meth:`rgb` gave it.
            box: beyond it they are the same; None where they are so everywhere.
        """
        if box is None:
            return self
        if self.layout.pixels is _RGB:
            return Picture(self.layout, np.ascontiguousarray(fill).reshape(-1))
        box = self._on_whole_samples(box)
        new = np.ascontiguousarray(fill[box.slices])
        differs = new != rgb[box.slices]
        changed = differs[..., 0] | differs[..., 1] | differs[..., 2]
        # The matrix goes by the whole frame's height.
        of_box = Layout(
            box.width, box.height, self.layout.opaque.pixels, self.layout.full, self.layout.matrix
        )
        parts = Picture(of_box, _converted(new, of_box)).planes
        done = Picture(self.layout, self.data.copy())
        for part, plane, (across, down, _) in zip(
            parts, done.planes, self.layout.pixels.planes, strict=False
        ):
            left, top = box.x0 >> across, box.y0 >> down
            there = plane[top : top + part.shape[0], left : left + part.shape[1]]
            known = _any_of(changed, across, down)
            if part.ndim == 3:
                there, known = there[..., : part.shape[2]], known[..., None]
            np.copyto(there, part, where=known)
        return done

    def _on_whole_samples(self, box: Box) -> Box:
        across = max(shape[0] for shape in self.layout.pixels.planes)
        down = max(shape[1] for shape in self.layout.pixels.planes)
        return Box(
            box.x0 >> across << across,
            box.y0 >> down << down,
            -(-box.x1 >> across) << across,
            -(-box.y1 >> down) << down,
        ).within(self.layout.width, self.layout.height)

    def as_layout(self, layout: Layout) -> Picture:
        """Return the frame in another size or format: whole, scaled to fit, on black."""
        if layout == self.layout:
            return self
        share = min(layout.width / self.layout.width, layout.height / self.layout.height)
        width, height = (max(1, round(side * share)) for side in (self.layout.width, self.layout.height))
        small = cv2.resize(self.rgb(), (width, height), interpolation=cv2.INTER_AREA)
        canvas = np.zeros((layout.height, layout.width, 3), np.uint8)
        top, left = (layout.height - height) // 2, (layout.width - width) // 2
        canvas[top : top + height, left : left + width] = small
        return Picture(layout, _converted(canvas, layout))


@dataclass(frozen=True)
class Incoming:
    """What comes at a time.

    Attributes:
        picture: the plate.
        matte: (H, W), where it is filled; None where the stream has none of its own.
        begins: a new take: nothing of the frames before is of use.
    """

    picture: Picture
    matte: NDArray[np.bool_] | None = None
    begins: bool = False


def _any_of(inside: NDArray[np.bool_], across: int, down: int) -> NDArray[np.bool_]:
    """Which chroma samples have a pixel inside."""
    if not across and not down:
        return inside
    height, width = inside.shape
    rows, columns = -(-height >> down), -(-width >> across)
    padded = np.zeros((rows << down, columns << across), bool)
    padded[:height, :width] = inside
    return np.asarray(padded.reshape(rows, 1 << down, columns, 1 << across).any(axis=(1, 3)))


def _swscaled(picture: Picture, name: str) -> NDArray[np.uint8]:
    """The picture as (H, W, 3) uint8 in a packed format."""
    layout = picture.layout
    converter = _converter(layout, threading.get_ident())
    converted = converter.reformatter.reformat(
        converter.taken(picture),
        format=name,
        src_colorspace=layout.matrix,
        dst_colorspace=layout.matrix,
        src_color_range=layout.range,
        dst_color_range=FULL,
    )
    return np.asarray(converted.to_ndarray(), np.uint8)


def _converted(rgb: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """The samples of (H, W, 3) uint8 in a layout of the same size; opaque where that has alpha."""
    if layout.pixels is _RGB:
        return rgb.reshape(-1)
    made = _way_back(threading.get_ident()).reformat(
        av.VideoFrame.from_ndarray(rgb, format=_RGB.name),
        format=layout.pixels.name,
        src_colorspace=layout.matrix,
        dst_colorspace=layout.matrix,
        src_color_range=FULL,
        dst_color_range=layout.range,
    )
    return samples_of(made, layout)


def samples_of(frame: Any, layout: Layout) -> NDArray[np.uint8]:
    """Return the samples of an ``av.VideoFrame`` of this layout without the padding of its rows."""
    data = np.empty(layout.size, np.uint8)
    for target, plane in zip(layout.views(data), frame.planes, strict=False):
        target[...] = _rows(plane, target)
    return data


def _rows(plane: Any, like: NDArray[Any]) -> NDArray[Any]:
    """A view of an ``av`` plane in the shape of samples of ours."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: like.shape[0]]
    used = rows[:, : like.nbytes // like.shape[0]]
    return used.view(like.dtype).reshape(like.shape) if used.flags.c_contiguous else _strided(used, like)


def _strided(used: NDArray[np.uint8], like: NDArray[Any]) -> NDArray[Any]:
    samples = used.view(like.dtype)
    strides = (samples.strides[0], *like.strides[1:])
    return np.lib.stride_tricks.as_strided(samples, like.shape, strides)


class _Converter:
    """Keeps what swscale has to set up, and the frame it reads from, for frames of one layout."""

    def __init__(self, layout: Layout) -> None:
        self.reformatter = VideoReformatter()
        self._frame = av.VideoFrame(layout.width, layout.height, layout.pixels.name)

    def taken(self, picture: Picture) -> Any:
        """The frame, with the picture's samples."""
        for plane, samples in zip(self._frame.planes, picture.planes, strict=True):
            _rows(plane, samples)[...] = samples
        return self._frame


@lru_cache(maxsize=8)
def _way_back(thread: int) -> VideoReformatter:
    """One for each thread; swscale keeps what it set up while size and format stay."""
    return VideoReformatter()


@lru_cache(maxsize=8)
def _converter(layout: Layout, thread: int) -> _Converter:
    """One for each layout and thread."""
    return _Converter(layout)
