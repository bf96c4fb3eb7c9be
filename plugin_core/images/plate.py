"""A picture in memory, kept in the file's own pixel types so that it can be written back bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError
from .color_tags import ColorTags

Slices = tuple[slice, slice]
"""Rows and columns."""


class Window(NamedTuple):
    """A data or display window, in pixel coordinates as files state them; y grows downwards."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of_data(cls, spec: oiio.ImageSpec) -> Window:
        """Read where a file's pixels lie."""
        return cls(spec.x, spec.y, spec.width, spec.height)

    @classmethod
    def of_display(cls, spec: oiio.ImageSpec) -> Window:
        """Read where its format lies."""
        return cls(spec.full_x, spec.full_y, spec.full_width, spec.full_height)


@dataclass(frozen=True)
class Header:
    """What a file says about its picture; windows, channels and types are those of the part that is filled.

    ``width`` and ``height`` are the data window's. ``fill_channels`` are indices into ``channels``: three for
    R, G, B in this order, or one for gray. ``bits`` is the number of significant bits of an integer type (10
    for 10-bit DPX), 0 for floating point. ``colorspace`` is only OpenImageIO's hint, ``color`` what the file
    says itself.
    """

    path: Path
    format: str
    width: int
    height: int
    channels: tuple[str, ...]
    types: tuple[str, ...]
    data_window: Window
    display_window: Window
    pixel_aspect: float
    colorspace: str | None
    compression: str | None
    bits: int
    is_float: bool
    part: int
    parts: int
    fill_channels: tuple[int, ...]
    color: ColorTags = field(default_factory=ColorTags)

    @property
    def is_gray(self) -> bool:
        """Whether there is one channel to fill instead of three."""
        return len(self.fill_channels) == 1


@dataclass(frozen=True)
class Group:
    """Neighbouring channels of one type: ``pixels`` is (H, W, N) of channels ``begin`` to ``begin + N``."""

    begin: int
    pixels: NDArray[Any]

    @property
    def end(self) -> int:
        """One past the last channel."""
        return self.begin + int(self.pixels.shape[2])


@dataclass(frozen=True)
class Part:
    """One part (subimage) of a file: OpenImageIO's spec with all metadata, and its pixels in native types."""

    spec: oiio.ImageSpec
    groups: tuple[Group, ...]

    def channel(self, index: int) -> NDArray[Any]:
        """A view (H, W) of one channel in its native type."""
        for group in self.groups:
            if group.begin <= index < group.end:
                view: NDArray[Any] = group.pixels[:, :, index - group.begin]
                return view
        raise IndexError(f"channel {index} of {self.groups[-1].end}")


@dataclass(frozen=True)
class Storage:
    """How the output is stored where it is not as the plate is.

    Attributes:
        compression: of the format, ``zip`` or ``dwaa:45`` for example.
        bit_depth: ``8``, ``10``, ``12``, ``16``, ``half`` or ``float``.
        encoding: the color space that integers are said to be in where they are stored as floating point.
    """

    compression: str | None = None
    bit_depth: str | None = None
    encoding: str = ""

    @property
    def is_given(self) -> bool:
        """Whether anything is asked for."""
        return self != Storage()


@dataclass(frozen=True)
class Plate:
    """One picture with everything needed to write it back.

    ``notes`` are sentences for the user about what the written file will have otherwise than the plate (a
    lossy compression replaced, a second view left unfilled). ``storage`` is how it is to be written.
    ``codes`` is whether floating-point pixels are integers' code values, which end at 0 and 1.

    The header's data window is the file's own, unless the picture was laid on a canvas (see :meth:`on`): then
    all columns and rows count in the canvas, and what the file does not reach is 0, as OpenEXR defines it.
    """

    header: Header
    parts: tuple[Part, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    storage: Storage = field(default_factory=Storage)
    codes: bool = False

    def on(self, canvas: Window) -> Plate:
        """The same picture on a canvas: a data window that holds those of all frames of a shot."""
        header = replace(self.header, data_window=canvas, width=canvas[2], height=canvas[3])
        return replace(self, header=header)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the pixels take."""
        return sum(group.pixels.nbytes for part in self.parts for group in part.groups)

    @property
    def rgb(self) -> NDArray[np.float32]:
        """The data window's color, (H, W, 3) float32; made anew at every access, see :meth:`crop` for less.

        Integer types are scaled to 0..1; floating-point values are as they are, NaN and Inf included. Gray is
        repeated three times.
        """
        return self.crop(0, 0, self.header.width, self.header.height)

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32]:
        """As :attr:`rgb` for columns x0..x1 and rows y0..y1 (ends excluded), counted in the data window."""
        part = self.parts[self.header.part]
        channels = self.header.fill_channels
        cut, place = self._reach(x0, y0, x1, y1)
        run = _run(part, channels)
        if run is not None:
            there = as_float(run[cut])
        else:
            planes = [as_float(part.channel(c)[cut]) for c in channels]
            there = np.stack(planes * (3 // len(planes)), axis=2)
        return _padded(there, place, y1 - y0, x1 - x0)

    def sampled(self, step: int) -> NDArray[np.float32]:
        """Every ``step``-th pixel of every ``step``-th row, as :attr:`rgb`."""
        part = self.parts[self.header.part]
        planes = [as_float(part.channel(c)[::step, ::step]) for c in self.header.fill_channels]
        return np.stack(planes * (3 // len(planes)), axis=2)

    def alpha_crop(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32] | None:
        """The alpha (h, w) of the layer that is filled, as :meth:`crop`; None where it has none."""
        channels = self.header.channels
        layer = channels[self.header.fill_channels[0]].rpartition(".")[0]
        name = f"{layer}.A" if layer else "A"
        if name not in channels:
            return None
        cut, place = self._reach(x0, y0, x1, y1)
        there = as_float(self.parts[self.header.part].channel(channels.index(name))[cut])
        return _padded(there, place, y1 - y0, x1 - x0)

    @property
    def is_straight(self) -> bool:
        """Whether color is not multiplied by alpha."""
        return bool(self.parts[self.header.part].spec.get_int_attribute("oiio:UnassociatedAlpha", 0))

    def reached(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
        """Which pixels (h, w) of a box on the canvas the file has."""
        whole = np.zeros((y1 - y0, x1 - x0), np.bool_)
        whole[self._reach(x0, y0, x1, y1)[1]] = True
        return whole

    def native_crop(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[Any] | None:
        """As :meth:`crop` but a view in the file's own type; None where R, G, B do not lie side by side."""
        if self.header.is_gray:
            return None
        run = _run(self.parts[self.header.part], self.header.fill_channels)
        cut, place = self._reach(x0, y0, x1, y1)
        return None if run is None else _padded(run[cut], place, y1 - y0, x1 - x0)

    def _reach(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Slices, Slices]:
        """What of a box on the canvas the file holds: its rows and columns there, and in the box."""
        spec = self.parts[self.header.part].spec
        left, top = spec.x - self.header.data_window[0], spec.y - self.header.data_window[1]
        rows, columns = _overlap(y0, y1, top, spec.height), _overlap(x0, x1, left, spec.width)
        return (rows[0], columns[0]), (rows[1], columns[1])

    def with_rgb(self, rgb: NDArray[np.float32], where: NDArray[np.bool_]) -> Plate:
        """A new picture with ``rgb`` (H, W, 3) where ``where`` (H, W); see :meth:`with_patch`."""
        return self.with_patch(rgb, where, 0, 0)

    def with_patch(
        self,
        rgb: NDArray[np.float32],
        where: NDArray[np.bool_],
        x0: int,
        y0: int,
        *,
        in_place: bool = False,
    ) -> Plate:
        """A new picture whose pixels under ``where`` (h, w) take ``rgb`` (h, w, 3), placed at column x0, row
        y0.

        Only those pixels are converted to the native type: rounded to nearest, halves limited to +-65504,
        integers clipped (NaN becomes 0). Gray takes the mean of the three. All others keep their bits. What
        lies beyond the file's own data window is left out. The pixels of this picture are not changed, and
        channels that are not filled are shared; ``in_place`` gives this picture up: the new one takes its
        pixels over, so that a small patch costs the same in a picture of any size.
        """
        self._check_patch(rgb, where, x0, y0)
        cut, place = self._reach(x0, y0, x0 + where.shape[1], y0 + where.shape[0])
        rgb, where = rgb[place], where[place]
        if not where.any():
            return self
        channels = self.header.fill_channels
        if self.header.is_gray:
            rgb = rgb.mean(axis=2, keepdims=True)
        if self.codes:
            rgb = np.clip(np.nan_to_num(rgb, nan=0.0), 0, 1)
        part = self.parts[self.header.part]
        groups = list(part.groups)
        touched = {_group_of(part, c) for c in channels}
        for index in touched:
            if not (in_place and groups[index].pixels.flags.writeable):
                groups[index] = replace(groups[index], pixels=groups[index].pixels.copy())
        for position, channel in enumerate(channels):
            group = groups[_group_of(part, channel)]
            native = to_native(rgb[..., position], group.pixels.dtype, self.header.bits)
            np.copyto(group.pixels[(*cut, channel - group.begin)], native, where=where)
        parts = list(self.parts)
        parts[self.header.part] = replace(part, groups=tuple(groups))
        return replace(self, parts=tuple(parts))

    def _check_patch(self, rgb: NDArray[np.float32], where: NDArray[np.bool_], x0: int, y0: int) -> None:
        height, width = where.shape
        fits = min(x0, y0) >= 0 and x0 + width <= self.header.width and y0 + height <= self.header.height
        if rgb.shape != (height, width, 3) or where.dtype != np.bool_ or not fits:
            raise ImageError(
                f"A fill of {rgb.shape} with a {where.dtype} mask of {where.shape} at {x0},{y0} does not "
                f"fit the {self.header.width}x{self.header.height} picture {self.header.path}; expected "
                "(h, w, 3) and a boolean (h, w) inside it."
            )


def _group_of(part: Part, channel: int) -> int:
    return next(i for i, group in enumerate(part.groups) if group.begin <= channel < group.end)


def _run(part: Part, channels: tuple[int, ...]) -> NDArray[Any] | None:
    """A (H, W, 3) view when the three channels lie side by side in one group."""
    group = part.groups[_group_of(part, channels[0])]
    at = channels[0] - group.begin
    if channels != (channels[0], channels[0] + 1, channels[0] + 2) or at + 3 > group.pixels.shape[2]:
        return None
    view: NDArray[Any] = group.pixels[:, :, at : at + 3]
    return view


def as_float(native: NDArray[Any]) -> NDArray[np.float32]:
    """Copy native pixels to float32: integers scaled to 0..1, floating-point values as they are."""
    if native.dtype.kind == "f":
        return np.array(native, dtype=np.float32, order="C")
    # OpenImageIO widens 10 and 12 bits to the whole 16-bit type, so the type's range is the right one.
    scaled: NDArray[np.float32] = np.divide(native, np.float32(np.iinfo(native.dtype).max), dtype=np.float32)
    return scaled


def _overlap(low: int, high: int, start: int, length: int) -> Slices:
    """What low..high has of a run of ``length`` from ``start`` on: counted in the run, and from low."""
    begin = max(low, start)
    end = max(begin, min(high, start + length))
    return slice(begin - start, end - start), slice(begin - low, end - low)


def _padded(there: NDArray[Any], place: Slices, height: int, width: int) -> NDArray[Any]:
    if there.shape[:2] == (height, width):
        return there
    whole = np.zeros((height, width, *there.shape[2:]), there.dtype)
    whole[place] = there
    return whole


def to_native(values: NDArray[Any], dtype: np.dtype[Any], bits: int) -> NDArray[Any]:
    """Floating-point values in a pixel type: halves limited to +-65504, integers 0..1 of their range.

    ``bits`` are the significant ones of an integer type, repeated below as OpenImageIO reads them; NaN
    becomes 0 there.
    """
    if dtype == np.float16:
        with np.errstate(invalid="ignore"):
            half: NDArray[np.float16] = np.clip(values, -65504.0, 65504.0).astype(np.float16)
            return half
    if dtype.kind == "f":
        return values.astype(dtype)
    top = np.iinfo(dtype).max
    low = np.iinfo(dtype).min / top
    scaled: NDArray[np.float64]
    if low == 0:  # the larger of no number and another is the other one
        scaled = np.fmin(np.fmax(values, 0), 1).astype(np.float64)
    else:
        scaled = np.clip(np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=1.0, neginf=low), low, 1.0)
    size = dtype.itemsize * 8
    if not 0 < bits < size:
        return np.rint(scaled * top).astype(dtype)
    short = np.rint(scaled * ((1 << bits) - 1)).astype(np.uint32)
    if bits < 8:
        return (short * np.uint32(top) // np.uint32((1 << bits) - 1)).astype(dtype)
    return ((short << (size - bits)) | (short >> max(0, 2 * bits - size))).astype(dtype)
