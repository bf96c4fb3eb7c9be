"""Frames of a movie or a camera, decoded by PyAV."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av

from ..clips.movie_color import FULL, color_range, matrix
from ..errors import ImageError, MissingFramesError
from .picture import Incoming, Picture, samples_of
from .pixel_format import FORMATS, Layout

_SAME_SAMPLES = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p", "yuvj411p": "yuv411p"}
_SPREAD = {"nv12": "yuv420p", "nv21": "yuv420p", "yuyv422": "yuv422p", "uyvy422": "yuv422p"}
"""The same samples in other places."""

_WITH_ALPHA = ("argb", "abgr", "gbrap", "yuva", "ya")

_CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_FIRST = {"linux": "/dev/video0", "darwin": "0", "win32": "video=0"}


class Decoded:
    """Frames of a movie or a camera.

    Args:
        name: the movie's path, or what the system calls the camera.
        hear: called before each frame; raises Interrupted once it is to stop.
        loop: begin again at the end; each round is a take of its own.
        device: FFmpeg's name of the kind of device; None for a movie.
        options: for FFmpeg: `video_size`, `framerate`, `input_format` of a camera.

    Raises:
        ImageError: it can't be opened or decoded.
        MissingFramesError: it is not there.
    """

    def __init__(
        self,
        name: str,
        hear: Callable[[], None],
        *,
        loop: bool = False,
        device: str | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self._name = name
        self._hear = hear
        self._loop = loop
        self._device = device
        self._options = options or {}
        self._container = self._opened()
        stream = self._stream
        rate = stream.average_rate or stream.guessed_rate
        self.rate = Fraction(rate) if rate else None

    @property
    def _stream(self) -> Any:
        stream = self._container.streams.video[0]
        # Frame threads hold frames back: as many as there are.
        stream.thread_type = "AUTO" if self._device is None else "SLICE"
        return stream

    def _opened(self) -> Any:
        try:
            container = av.open(self._name, "r", format=self._device, options=self._options)
        except FileNotFoundError:
            raise MissingFramesError(f"{self._name} is not there; check its name.") from None
        except (av.FFmpegError, OSError) as error:
            raise ImageError(f"{self._name} can't be opened: {_why(error)}.") from None
        if not container.streams.video:
            container.close()
            raise ImageError(f"{self._name} has no pictures.")
        return container

    def __iter__(self) -> Iterator[Incoming]:
        number = 0
        while True:
            begins, before = number > 0, number
            try:
                for frame in self._container.decode(self._stream):
                    self._hear()
                    yield Incoming(_taken(frame), begins=begins)
                    begins = False
                    number += 1
            except (av.FFmpegError, OSError) as error:
                raise ImageError(
                    f"{self._name} can't be decoded after frame {number - before}: {_why(error)}."
                ) from None
            if not self._loop or number == before:
                return
            self._container.close()
            self._container = self._opened()

    def close(self) -> None:
        """Close it."""
        self._container.close()


def camera(name: str | None, hear: Callable[[], None], options: dict[str, str]) -> Decoded:
    """Open a camera by the system's name for it; None for the first. Raises as `Decoded` does."""
    return Decoded(
        name or _FIRST.get(sys.platform, ""),
        hear,
        device=_CAMERAS.get(sys.platform, "v4l2"),
        options=options,
    )


def _taken(frame: Any) -> Picture:
    name = frame.format.name
    plain = _SAME_SAMPLES.get(name, _SPREAD.get(name, name))
    if plain not in FORMATS:
        plain = "rgba" if name.startswith(_WITH_ALPHA) else "rgb24"
    full = name in _SAME_SAMPLES or color_range(frame) == FULL
    layout = Layout(frame.width, frame.height, FORMATS[plain], full, matrix(frame))
    if name != plain and name not in _SAME_SAMPLES:
        frame = frame.reformat(
            format=plain,
            src_colorspace=layout.matrix,
            dst_colorspace=layout.matrix,
            src_color_range=color_range(frame),
            dst_color_range=layout.range,
        )
    return Picture(layout, samples_of(frame, layout))


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
