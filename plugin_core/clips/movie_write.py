"""Write pictures as a ProRes 4444 movie: whole under its name, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..disk.atomic import replacing
from ..errors import ImageError, InputError, WriteError
from ..images.plate import Plate
from .movie_color import BT709, LIMITED, from_rgb
from .movie_read import MovieReader

EXTENSION = ".mov"
_PROFILE_4444 = "4"
_UNSTATED = 2


@dataclass(frozen=True)
class MovieLook:
    """What a movie says besides its pictures.

    Attributes:
        rate: frames per second.
        pixel_aspect: width of a pixel over its height.
        timecode: of the first frame; empty for none.
        primaries, transfer: by ITU-T H.273; 2 where nobody knows.
        is_rate_known: whether somebody said the rate.
    """

    rate: Fraction = Fraction(24)
    pixel_aspect: Fraction = Fraction(1)
    timecode: str = ""
    primaries: int = _UNSTATED
    transfer: int = _UNSTATED
    is_rate_known: bool = True

    @classmethod
    def of(cls, plate: Plate) -> MovieLook:
        """What a plate says of itself; 24 frames a second where it says nothing of its rate."""
        spec = plate.parts[plate.header.part].spec
        rate = spec.getattribute("FramesPerSecond")
        known = isinstance(rate, tuple) and len(rate) == 2 and min(rate) > 0
        cicp = plate.header.color.cicp or (_UNSTATED, _UNSTATED)
        return cls(
            rate=Fraction(*rate) if known else Fraction(24),
            pixel_aspect=Fraction(plate.header.pixel_aspect or 1).limit_denominator(1000),
            timecode=str(spec.get_string_attribute("smpte:TimeCode")),
            primaries=int(cicp[0]),
            transfer=int(cicp[1]),
            is_rate_known=known,
        )


def check_movie(path: Path, is_float: bool) -> None:
    """Refuse what can't be written. Raises InputError."""
    if path.suffix.lower() != EXTENSION:
        raise InputError(
            f"Movies are written as ProRes 4444 in a {EXTENSION} file, not as {path.suffix}; give "
            f"{path.with_suffix(EXTENSION).name}, or a sequence such as {path.stem}.####.png."
        )
    if is_float:
        raise InputError(
            "A movie can't hold the plate's floating-point pixels without a color transform; give a "
            f"sequence such as {path.stem}.####.exr and make the movie in the comp."
        )


def write_movie(
    plates: Iterable[Plate],
    count: int,
    path: Path,
    look: MovieLook,
    ready: Callable[[Path], None] = lambda temporary: None,
) -> None:
    """Write ``count`` pictures of integer pixels and one size, in order, with alpha where they have it.

    10 bits, BT.709 matrix, limited range. ``ready`` is told the whole file before it takes its name, and may
    raise. Raises WriteError when the disk does not take it, and whatever ``plates`` and ``ready`` raise; then
    nothing is left behind.
    """
    import av

    with replacing(path, ready) as temporary:
        try:
            with av.open(str(temporary), "w", format="mov", options={"movflags": "+write_colr"}) as container:
                _mux(container, plates, look)
        except av.FFmpegError as error:
            raise WriteError(f"Movie {path} can't be written ({error.strerror or error}).") from error
        _check(temporary, count, path)


def _mux(container: Any, plates: Iterable[Plate], look: MovieLook) -> None:
    stream: Any = None
    for index, plate in enumerate(plates):
        pixels = _pixels(plate)
        if stream is None:
            stream = _stream(container, pixels, look)
        frame = from_rgb(pixels)
        frame.pts, frame.time_base = index, 1 / look.rate
        frame.color_primaries, frame.color_trc = look.primaries, look.transfer
        container.mux(stream.encode(frame))
    if stream is not None:
        container.mux(stream.encode(None))


def _stream(container: Any, pixels: NDArray[Any], look: MovieLook) -> Any:
    height, width, channels = pixels.shape
    options = {"profile": _PROFILE_4444, "vendor": "apl0", "alpha_bits": "16" if channels == 4 else "0"}
    stream = container.add_stream("prores_ks", rate=look.rate, options=options)
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuva444p10le" if channels == 4 else "yuv444p10le"
    context = stream.codec_context
    context.time_base = 1 / look.rate
    context.sample_aspect_ratio = look.pixel_aspect
    context.colorspace, context.color_range = BT709, LIMITED
    context.color_primaries, context.color_trc = look.primaries, look.transfer
    if look.timecode:
        stream.metadata["timecode"] = look.timecode
    return stream


def _pixels(plate: Plate) -> NDArray[Any]:
    """(H, W, 3), or 4 with alpha; gray repeated."""
    part, header = plate.parts[plate.header.part], plate.header
    fill = header.fill_channels * (3 // len(header.fill_channels))
    alpha = part.spec.alpha_channel
    return np.stack([part.channel(c) for c in (*fill, *([alpha] if alpha >= 0 else []))], axis=2)


def _check(temporary: Path, count: int, path: Path) -> None:
    """Open the movie again and decode its last frame."""
    found = 0
    with suppress(ImageError), MovieReader(temporary) as reader:
        found = reader.frames.last
        reader.read(found)
    if found != count:
        raise WriteError(f"Movie {path} did not come back after writing ({found} of {count} frames).")
