"""Read mattes: one value a pixel, 0 (keep) to 1 (fill), and lay them on a plate's data window."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import ImageError
from .complaints import complaint
from .plate import Header, Plate, Window
from .read import check_size, opened, parts_of, read_floats

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
LARGEST = "largest of R, G, B"
"""`Matte.channel` where color was taken for want of an alpha."""

_MATTE_NAMES = ("a", "alpha", "y", "v", "matte", "mask")


@dataclass(frozen=True)
class Matte:
    """A matte in memory: ``values`` (H, W) float32 in 0..1 over its data window; ``channel`` says what was
    used.

    ``outside`` is the value in the display window where the data window does not reach. ``unknown`` (H, W)
    are the pixels that were NaN, None where there were none: they are 1, inverted or not.
    """

    path: Path
    data_window: Window
    display_window: Window
    channel: str
    values: NDArray[np.float32] = field(repr=False)
    outside: float = 0.0
    unknown: NDArray[np.bool_] | None = field(default=None, repr=False)

    def inverted(self) -> Matte:
        """The same matte with black and white exchanged; what is unknown is still filled."""
        values = np.float32(1) - self.values
        if self.unknown is not None:
            values[self.unknown] = 1
        return replace(self, values=values, outside=1 - self.outside)


def read_matte(path: Path, channel: str = "auto", plate: Header | None = None) -> Matte:
    """Read one matte; one that does not fit ``plate`` is refused before its pixels are read.

    ``auto`` takes the only channel whatever its name; else the alpha, unless it is 1 everywhere, as in a
    picture that has no matte in its alpha: then the largest of R, G and B, so that a shape of any color
    counts; else the largest of RGB, or a channel called Y, V, matte or mask. Otherwise a channel's name
    (``R``, ``A``, ``holdout.mask``; upper and lower case count only when both are there) or ``luminance``
    (Rec. 709 weights). Integers are scaled to 0..1, all is limited to 0..1, and NaN counts as 1: an unknown
    pixel is filled rather than kept by mistake. Raises ImageError when the file can't be read or the channel
    is not in it.
    """
    with opened(path) as file:
        found = _find(file, path, channel)
        spec, names, part = found
        if plate is not None:
            _check_fits(plate, path, Window.of_display(spec))
        picked = {name: index for index, name in enumerate(names)}
        choice = _candidates(names, channel, path)
        wanted = {name: picked[name] for name in choice}
        values, used = _combine(_planes(file, part, wanted, len(names), path), channel)
    return _finished(path, Window.of_data(spec), Window.of_display(spec), values, used)


def matte_from(plate: Plate, channel: str = "auto") -> Matte:
    """The matte in a picture that is already in memory, a movie's frame for example; see
    :func:`read_matte`.
    """
    names = plate.header.channels
    part = plate.parts[plate.header.part]
    choice = _candidates(names, channel, plate.header.path)
    planes = {name: _floats(part.channel(names.index(name))) for name in choice}
    values, used = _combine(planes, channel)
    return _finished(plate.header.path, plate.header.data_window, plate.header.display_window, values, used)


def matte_on(plate: Header, matte: Matte) -> NDArray[np.float32]:
    """The matte over the plate's data window, (H, W); 0 where the matte does not reach.

    The pictures are laid on each other by the corners of their display windows. Within its display window a
    matte reaches everywhere (``Matte.outside``), beyond it only as far as its data window. Raises ImageError
    when the display windows differ in size.
    """
    _check_fits(plate, matte.path, matte.display_window)
    left = (matte.data_window[0] - matte.display_window[0]) - (plate.data_window[0] - plate.display_window[0])
    top = (matte.data_window[1] - matte.display_window[1]) - (plate.data_window[1] - plate.display_window[1])
    height, width = matte.values.shape
    if (left, top, width, height) == (0, 0, plate.width, plate.height):
        return matte.values
    placed = np.zeros((plate.height, plate.width), np.float32)
    if matte.outside:
        shown_x, shown_y = (plate.display_window[axis] - plate.data_window[axis] for axis in (0, 1))
        right, bottom = shown_x + plate.display_window[2], shown_y + plate.display_window[3]
        placed[max(0, shown_y) : max(0, bottom), max(0, shown_x) : max(0, right)] = matte.outside
    x0, x1 = max(0, left), min(plate.width, left + width)
    y0, y1 = max(0, top), min(plate.height, top + height)
    if x0 < x1 and y0 < y1:
        placed[y0:y1, x0:x1] = matte.values[y0 - top : y1 - top, x0 - left : x1 - left]
    return placed


def _check_fits(plate: Header, path: Path, display: Window) -> None:
    if plate.display_window[2:] != display[2:]:
        raise does_not_fit(plate, path, display)


def does_not_fit(plate: Header, path: Path, display: Window, fit: str = "") -> ImageError:
    """The error for a matte of another size than its plate's; ``fit`` is the way it was to be laid on it."""
    ours = plate.display_window
    sizes = (
        f"Plate {plate.path} is {ours.width}x{ours.height} and matte {path} is "
        f"{display.width}x{display.height} (display windows)"
    )
    if fit:
        rule, other = ("no larger", "crop") if fit == "pad" else ("no smaller", "pad")
        return ImageError(
            f"{sizes}; --matte-fit {fit} needs a matte that is {rule} on either side: give {other} or scale."
        )
    return ImageError(
        f"{sizes}, which must be the same: render the mattes at the plate's size, or say how they are laid "
        "on it with --matte-fit scale, pad or crop."
    )


def _find(file: oiio.ImageInput, path: Path, channel: str) -> tuple[oiio.ImageSpec, tuple[str, ...], int]:
    """The first part, or for a channel's name the first part that has it."""
    first: tuple[oiio.ImageSpec, tuple[str, ...], int] | None = None
    for part, spec in enumerate(parts_of(file)):
        check_size(spec, path)
        if spec.deep:
            raise ImageError(f"{path} is a deep picture; flatten it before using it as a matte.")
        here = (spec, tuple(spec.channelnames), part)
        first = first or here
        if channel != "auto" and _named(here[1], channel):
            return here
    complaint(file)
    if first is None:
        raise ImageError(f"{path} holds no picture.")
    return first


def _planes(
    file: oiio.ImageInput, part: int, picked: dict[str, int], channels: int, path: Path
) -> dict[str, NDArray[np.float32]]:
    """The picked channels, each (H, W): one by one of EXR, which may have a hundred; else whole pixels.

    Of other formats OpenImageIO decodes all of them anyway, and some wrongly where only one is asked for.
    """
    if file.format_name() == "openexr":
        return {name: read_floats(file, part, at, at + 1, path)[:, :, 0] for name, at in picked.items()}
    whole = read_floats(file, part, 0, channels, path)
    return {name: whole[:, :, at] for name, at in picked.items()}


def _candidates(names: tuple[str, ...], channel: str, path: Path) -> list[str]:
    """The channels that the choice looks at."""
    if channel not in ("auto", "luminance"):
        named = _named(names, channel)
        if named:
            return named
        raise ImageError(f"Matte {path} has no channel '{channel}'; it has {', '.join(names)}.")
    if len(names) == 1:
        return list(names)
    rgb = [name for color in ("R", "G", "B") for name in _named(names, color)]
    if channel == "luminance":
        if len(rgb) == 3:
            return rgb
        raise ImageError(f"Matte {path} has no R, G, B for its luminance; it has {', '.join(names)}.")
    alpha = _named(names, "A")
    if len(rgb) == 3:
        return alpha + rgb
    for wanted in _MATTE_NAMES:
        if _named(names, wanted):
            return _named(names, wanted)
    raise ImageError(f"Matte {path} has several channels ({', '.join(names)}); say which one is the matte.")


def _named(names: tuple[str, ...], channel: str) -> list[str]:
    if channel in names:
        return [channel]
    return [name for name in names if name.lower() == channel.lower()][:1]


def _combine(planes: dict[str, NDArray[np.float32]], channel: str) -> tuple[NDArray[np.float32], str]:
    if len(planes) == 1:
        name, values = next(iter(planes.items()))
        return values, name
    if channel == "luminance":
        red, green, blue = planes.values()
        return red * _LUMINANCE[0] + green * _LUMINANCE[1] + blue * _LUMINANCE[2], "luminance"
    *alphas, red, green, blue = planes.values()
    for alpha in alphas:
        if not bool((alpha == 1).all()):
            return alpha, "A"
    return np.maximum(np.maximum(red, green), blue), LARGEST


def _floats(channel: NDArray[Any]) -> NDArray[np.float32]:
    if channel.dtype.kind == "f":
        return channel.astype(np.float32)
    scaled: NDArray[np.float32] = np.divide(
        channel, np.float32(np.iinfo(channel.dtype).max), dtype=np.float32
    )
    return scaled


def _finished(path: Path, data: Window, display: Window, values: NDArray[np.float32], channel: str) -> Matte:
    unknown: NDArray[np.bool_] | None = np.isnan(values)
    if unknown is not None and unknown.any():
        values = np.where(unknown, np.float32(1), values)
    else:
        unknown = None
    return Matte(path, data, display, channel, np.clip(values, 0, 1), unknown=unknown)
