"""The headers of a shot's plates, frame by frame: what may differ, and what must not."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ImageError
from ..images import Header, Window
from ..progress.watch import Phase, Watch, unwatched
from .clip import Clip, MovieClip, SequenceClip


def check_headers(plate: Clip, frames: range, watch: Watch = unwatched) -> tuple[Clip, Header]:
    """Read the header of every frame, and lay the plates on one canvas where their data windows differ.

    Rendered pictures are often cut to what is in them, anew on every frame. The canvas is the box around all
    these data windows; columns and rows count in it from then on, and each file keeps its own window.

    Returns:
        The clip, whose plates have the canvas as data window, and the header of its first frame.

    `watch` is called for every frame, and may raise to stop.

    Raises:
        ImageError: a header can't be read, or display windows, pixel types or colors differ.
    """
    header = plate.header(frames[0])
    if not isinstance(plate, SequenceClip):
        assert isinstance(plate, MovieClip)  # every frame of a movie has the header of the first
        return plate, header
    canvas = header.data_window
    windows = {canvas}
    for number, frame in enumerate(frames[1:], start=1):
        watch(Phase.FRAMES, number, len(frames))
        other = plate.header(frame)
        _check_alike(plate, frames[0], header, other)
        windows.add(other.data_window)
        canvas = _around(canvas, other.data_window)
    if len(windows) == 1:
        return plate, header
    return plate.on_canvas(canvas), replace(header, data_window=canvas, width=canvas[2], height=canvas[3])


def window_words(header: Header) -> str:
    """A picture's windows in words, for messages: 911x876 at 654,245 in 2048x1556."""
    x, y, _, _ = header.data_window
    full = header.display_window
    return f"{header.width}x{header.height} at {x},{y} in {full[2]}x{full[3]}"


def _check_alike(plate: Clip, first: int, header: Header, other: Header) -> None:
    # Only EXR has windows; any other format's data window is its size.
    same_size = other.display_window == header.display_window
    if not same_size or (header.format != "openexr" and other.data_window != header.data_window):
        raise ImageError(
            f"Plate {other.path} is {_size(other)}, but {plate.path(first)} is {_size(header)}; all frames "
            "of a plate must have the same size (display window)."
        )
    if _kind(other) != _kind(header):
        raise ImageError(
            f"Plate {other.path} has other channels or pixel types than {plate.path(first)}; all frames of a "
            "plate must be alike."
        )


def _size(header: Header) -> str:
    """A picture's size; its windows, where they differ."""
    plain = header.data_window == header.display_window
    return f"{header.width}x{header.height}" if plain else window_words(header)


def _kind(header: Header) -> tuple[str, ...]:
    """Format, and name and type of what is filled."""
    return header.format, *(f"{header.channels[c]} {header.types[c]}" for c in header.fill_channels)


def _around(one: Window, other: Window) -> Window:
    x0, y0 = min(one.x, other.x), min(one.y, other.y)
    x1, y1 = max(one.x + one.width, other.x + other.width), max(one.y + one.height, other.y + other.height)
    return Window(x0, y0, x1 - x0, y1 - y0)
