"""YUV4MPEG2 (y4m): raw video with a header, as FFmpeg and mjpegtools write and read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..errors import ImageError
from .picture import Incoming
from .pipe import PipeIn
from .pixel_format import FORMATS, Layout, PixelFormat
from .raw_video import read_samples

_SIGNATURE = b"YUV4MPEG2"
_FRAME = b"FRAME"
_LONGEST = 1024
_FAMILIES = {"420": "yuv420p", "422": "yuv422p", "444": "yuv444p", "mono": "gray"}
_SPACES = {
    "420jpeg": "yuv420p",
    "420mpeg2": "yuv420p",
    "420paldv": "yuv420p",
    "411": "yuv411p",
    "444alpha": "yuva444p",
    **_FAMILIES,
    **{
        f"{space}{'' if space == 'mono' else 'p'}{bits}": f"{name}{bits}le"
        for space, name in _FAMILIES.items()
        for bits in (10, 12, 16)
    },
}
_SPACE_OF = {name: space for space, name in _SPACES.items()} | {"yuv420p": "420jpeg"}


@dataclass(frozen=True)
class Header:
    """What the first line says.

    Attributes:
        layout: size and samples.
        rate: frames a second; None where it is not told.
        others: tags that are passed on as they came: interlacing, aspect, the chroma's place, comments;
            None for a header of ours.
        space: the tag for the samples.
    """

    layout: Layout
    rate: Fraction | None
    others: tuple[str, ...] | None = None
    space: str = ""

    def line(self) -> bytes:
        """Return the header as it is written, its end of line included."""
        rate = self.rate or Fraction(0)
        told = "F0:0" if rate == 0 else f"F{rate.numerator}:{rate.denominator}"
        space = self.space or _SPACE_OF[self.layout.pixels.name]
        others = self.others
        if others is None:
            others = ("Ip", "A1:1", f"XCOLORRANGE={'FULL' if self.layout.full else 'LIMITED'}")
        words = [
            _SIGNATURE.decode(),
            f"W{self.layout.width}",
            f"H{self.layout.height}",
            told,
            f"C{space}",
            *others,
        ]
        return " ".join(words).encode("ascii", "replace") + b"\n"

    def opaque(self) -> Header:
        """Return the header of the same video without its alpha."""
        if not self.layout.pixels.alpha:
            return self
        return Header(self.layout.opaque, self.rate, self.others, "444")

    @property
    def interlaced(self) -> bool:
        """Whether the lines of a frame are of two moments."""
        return any(word in ("It", "Ib", "Im") for word in self.others or ())


def parsed(line: bytes, name: str) -> Header:
    """Read a header.

    Args:
        line: without its end.
        name: of the stream, for messages.

    Raises:
        ImageError: this is no y4m, or one that is not read here.
    """
    words = line.decode("ascii", "replace").split(" ")
    if words[0].encode() != _SIGNATURE:
        raise ImageError(
            f"{name}: no y4m header; send y4m (ffmpeg -f yuv4mpegpipe), or say what raw video it is "
            "by --size and --pix-fmt."
        )
    width = height = 0
    rate: Fraction | None = None
    space, full, others = "420jpeg", None, []
    try:
        for word in filter(None, words[1:]):
            tag, value = word[0], word[1:]
            if tag == "W":
                width = int(value)
            elif tag == "H":
                height = int(value)
            elif tag == "F":
                over, under = (int(part) for part in value.split(":"))
                rate = Fraction(over, under) if over > 0 and under > 0 else None
            elif tag == "C":
                space = value
            else:
                others.append(word)
                full = {"XCOLORRANGE=FULL": True, "XCOLORRANGE=LIMITED": False}.get(word, full)
    except ValueError:
        raise ImageError(f"{name}: its y4m header says {word!r}, which can't be read.") from None
    if space not in _SPACES:
        raise ImageError(f"{name}: its y4m header says C{space}; expected one of {', '.join(_SPACES)}.")
    pixels = FORMATS[_SPACES[space]]
    if full is None:
        full = pixels.name.startswith("gray")
    if width < 1 or height < 1:
        raise ImageError(f"{name}: its y4m header has no width and height.")
    return Header(Layout(width, height, pixels, full), rate, tuple(others), space)


def can_hold(pixels: PixelFormat) -> bool:
    """Whether y4m has such samples."""
    return pixels.name in _SPACE_OF


class Y4mReader:
    """Frames of a y4m stream. A further header among them may bring another size or format.

    Raises ImageError, when it is made or gone through, where the stream breaks the format or ends in a frame.
    """

    def __init__(self, pipe: PipeIn) -> None:
        self._pipe = pipe
        line = pipe.line(_LONGEST)
        if not line:
            raise ImageError(f"{pipe.name}: nothing came.")
        self.header = parsed(line, pipe.name)

    @property
    def rate(self) -> Fraction | None:
        """Frames a second."""
        return self.header.rate

    def __iter__(self) -> Iterator[Incoming]:
        number = 0
        while line := self._pipe.line(_LONGEST):
            if line.startswith(_SIGNATURE):
                self.header = parsed(line, self._pipe.name)
                continue
            if line.split(b" ")[0] != _FRAME:
                raise ImageError(
                    f"{self._pipe.name}: no frame begins after frame {number}, though bytes come; "
                    "some were lost or added on the way."
                )
            picture = read_samples(self._pipe, self.header.layout, number, begun=True)
            assert picture is not None
            yield Incoming(picture)
            number += 1

    def close(self) -> None:
        """Close what they come by."""
        self._pipe.close()
