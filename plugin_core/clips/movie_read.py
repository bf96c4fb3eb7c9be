"""Read movie files frame by frame through PyAV, in display order and to the exact frame.

A movie has no frame numbers of its own: its first frame is 1. Pixels come as RGB in full range, converted
with the matrix and range that the file states; transfer curve and primaries are left alone.

PyAV is loaded once a movie is opened: most shots are pictures, and it takes a tenth of a second.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import OpenImageIO as oiio

from ..errors import ImageError, MissingFramesError
from ..images.formats import MOVIE_EXTENSIONS
from ..images.plate import Group, Part, Plate
from ..images.read import header_of
from .movie_color import to_rgb
from .sequence import FrameRange
from .timecode import advanced, packed

MOVIE_FORMAT = "movie"
"""``Header.format`` of a movie's frames."""

_UNSTATED = 2
"""H.273: nobody knows the primaries or the transfer."""

_AHEAD = 24
"""Frames worth decoding to reach a later one before seeking is tried."""


def is_movie(path: str | Path) -> bool:
    """Whether the name is a movie file's (by extension; the file need not be there)."""
    return Path(path).suffix.lower() in MOVIE_EXTENSIONS


class MovieReader:
    """Frames of one movie, read in any order; forward is fast, going back seeks. Not for several threads at
    once.

    Opening walks through the file once to learn every frame's time, so that a number always names the same
    frame; later memory does not grow with the movie's length. Raises ImageError when there is no video to
    decode.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingFramesError(f"Movie {self.path} is not there; check the path.")
        self._container: Any = None
        self._decoded: Iterator[Any] = iter(())
        self._next = 0  # index of the frame that decoding on gives next
        self._times = self._read_times()
        self._open()
        stream = self._stream
        self.frames = FrameRange(((1, len(self._times)),))
        self.width = int(stream.codec_context.width)
        self.height = int(stream.codec_context.height)
        self.fps = float(stream.average_rate or stream.guessed_rate or 0)
        self.pixel_aspect = float(stream.sample_aspect_ratio or 1)
        self.timecode = self._read_timecode()
        # Read now: a decoder puts its own, often none, in their place.
        self._codes = int(stream.codec_context.color_primaries), int(stream.codec_context.color_trc)
        self.notes = self._notes()

    def read(self, frame: int) -> Plate:
        """One frame, counted from 1: RGB (RGBA where the movie has alpha), uint8, or uint16 above 8 bits.

        Raises ImageError when the movie has no such frame or it can't be decoded.
        """
        if frame not in self.frames:
            raise ImageError(f"Movie {self.path} has frames {self.frames}; frame {frame} is not in it.")
        import av

        try:
            picture = self._find(frame - 1)
            if picture is not None and not picture.is_corrupt:
                self._check_size(picture, frame)
                return self._plate(picture, frame)
            reason = "the file may be damaged"
        except (av.FFmpegError, EOFError, ValueError) as error:
            reason = str(error)
        self._open()
        raise ImageError(f"Frame {frame} of movie {self.path} can't be decoded ({reason}).")

    def _check_size(self, picture: Any, frame: int) -> None:
        if (picture.width, picture.height) != (self.width, self.height):
            raise ImageError(
                f"Frame {frame} of movie {self.path} is {picture.width}x{picture.height}, the others "
                f"are {self.width}x{self.height}; convert it to pictures of one size."
            )

    def close(self) -> None:
        """Close the file; reading after this fails."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def __enter__(self) -> MovieReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _stream(self) -> Any:
        return self._container.streams.video[0]

    def _open(self) -> None:
        """Open the file at its beginning."""
        import av

        self.close()
        try:
            self._container = av.open(str(self.path), metadata_errors="replace")
            if not self._container.streams.video:
                raise ImageError(f"Movie {self.path} can't be opened (no video in it).")
            if self._stream.codec_context is None:
                raise ImageError(f"Movie {self.path} can't be opened (no decoder for its video).")
            self._stream.thread_type = "AUTO"
            # A damaged frame is an error, not a picture that the decoder has made up.
            self._stream.codec_context.options = {"err_detect": "explode"}
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ImageError(
                f"Movie {self.path} can't be opened ({reason}); it may be damaged, or no movie at all."
            ) from error
        self._decoded = self._container.decode(self._stream)
        self._next = 0

    def _read_times(self) -> list[int]:
        """Presentation time of every frame, ascending."""
        import av

        self._open()
        times: list[int | None] = []
        try:
            packets = self._container.demux(self._stream)
            times.extend(_time_of(packet) for packet in packets if packet.size and not packet.is_discard)
        except av.FFmpegError as error:
            raise ImageError(f"Movie {self.path} breaks off after {len(times)} frames ({error}).") from error
        known = sorted({time for time in times if time is not None})
        if not known or len(known) < len(times):
            raise ImageError(
                f"Movie {self.path} does not give each of its frames a time; convert it to pictures."
            )
        return known

    def _find(self, index: int) -> Any:
        """The decoded frame, or None when decoding passes it by."""
        if not self._next <= index < self._next + _AHEAD:
            self._seek(index)
        picture = self._decode_to(index)
        if picture is None:  # the container sought past it
            self._open()
            picture = self._decode_to(index)
        return picture

    def _seek(self, index: int) -> None:
        import av

        with suppress(av.FFmpegError):
            self._container.seek(self._times[index], stream=self._stream, backward=True, any_frame=False)
        self._decoded = self._container.decode(self._stream)

    def _decode_to(self, index: int) -> Any:
        wanted = self._times[index]
        for picture in self._decoded:
            if picture.pts is None:
                continue
            self._next = bisect_right(self._times, picture.pts)
            if picture.pts >= wanted:
                return picture if picture.pts == wanted else None
        return None

    def _read_timecode(self) -> str:
        """Timecode of the first frame: of the video, of the file, or of a timecode track."""
        said = [self._stream.metadata, self._container.metadata]
        said += [stream.metadata for stream in self._container.streams if stream.type == "data"]
        return next((str(tags["timecode"]) for tags in said if tags.get("timecode")), "")

    def _notes(self) -> tuple[str, ...]:
        steps = {after - before for before, after in pairwise(self._times)}
        if not steps or max(steps) < 1.5 * min(steps):
            return ()
        return (
            f"Movie {self.path} has no constant frame rate: its frames are counted as they come, whatever "
            "time lies between them.",
        )

    def _plate(self, picture: Any, frame: int) -> Plate:
        pixels = to_rgb(picture)
        height, width, channels = pixels.shape
        spec = oiio.ImageSpec(width, height, channels, str(pixels.dtype))
        spec.attribute("PixelAspectRatio", self.pixel_aspect)
        rate = Fraction(self._stream.average_rate or 0)
        if rate:
            spec.attribute("FramesPerSecond", "rational", (rate.numerator, rate.denominator))
        timecode = packed(advanced(self.timecode, frame - 1, rate))
        if timecode is not None:
            spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), timecode)
        if _UNSTATED not in self._codes:
            spec.attribute("CICP", oiio.TypeDesc("int[4]"), (*self._codes, 0, 1))  # RGB in full range
        header = header_of(self.path, MOVIE_FORMAT, [spec])
        return Plate(header, (Part(spec, (Group(0, pixels),)),), self.notes)


def _time_of(packet: Any) -> int | None:
    time: int | None = packet.pts if packet.pts is not None else packet.dts
    return time
