"""What a stream comes from: standard input, a named pipe, a movie, a camera."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..errors import SettingsError
from .decoded import Decoded, camera
from .picture import Incoming
from .pipe import STANDARD, open_in
from .pixel_format import Layout, format_named
from .raw_video import RawReader
from .y4m import Y4mReader

_MATTE_FIRST = "gray+"
_SIZE = re.compile(r"(\d{1,5})[xX](\d{1,5})")


class Reader(Protocol):
    """Frames as they come, once."""

    @property
    def rate(self) -> Fraction | None:
        """Frames a second; None where nobody knows."""
        ...

    def __iter__(self) -> Iterator[Incoming]: ...

    def close(self) -> None:
        """Let go of what they come from."""
        ...


@dataclass(frozen=True)
class Asked:
    """Where frames come from, as the user says it.

    Attributes:
        name: ``-``, a pipe, a movie; a camera's name where ``is_camera``, None for the first.
        size: of raw video; None for what has a header.
        pixels: of raw video; ``gray+...`` has the matte before each frame.
        rate: frames a second of raw video, or asked of a camera.
        loop: a movie begins again at its end.
    """

    name: str | None
    size: tuple[int, int] | None = None
    pixels: str | None = None
    rate: Fraction | None = None
    loop: bool = False
    is_camera: bool = False


def size_of(text: str) -> tuple[int, int]:
    """Read ``1920x1080``. Raises SettingsError."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise SettingsError(f"--size {text} is no size; expected one such as 1920x1080.")
    return int(found[1]), int(found[2])


def rate_of(text: str) -> Fraction:
    """Read frames a second: ``25``, ``23.976``, ``24000/1001``. Raises SettingsError."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise SettingsError(f"--rate {text} is no frame rate; expected one such as 25 or 24000/1001.")
    return rate


def open_reader(asked: Asked, hear: Callable[[], None]) -> Reader:
    """Open it. Raises CleanplateError where that can't be.

    Args:
        asked: what.
        hear: called all the while, also when nothing comes; raises Interrupted once it is to stop.
    """
    if asked.is_camera:
        options = {} if asked.size is None else {"video_size": f"{asked.size[0]}x{asked.size[1]}"}
        if asked.rate is not None:
            options["framerate"] = str(asked.rate)
        return camera(asked.name, hear, options)
    assert asked.name is not None
    if asked.size is None and asked.pixels is not None:
        raise SettingsError(f"--pix-fmt {asked.pixels} says raw video; give its --size, as 1920x1080.")
    if asked.size is not None:
        pixels = asked.pixels or "rgb24"
        with_matte = pixels.startswith(_MATTE_FIRST)
        format_ = format_named(pixels.removeprefix(_MATTE_FIRST))
        layout = Layout(*asked.size, format_, full=format_.name.startswith("gray"))
        return RawReader(open_in(asked.name, hear), layout, asked.rate, with_matte=with_matte)
    if _is_y4m(asked.name):
        return Y4mReader(open_in(asked.name, hear))
    return Decoded(asked.name, hear, loop=asked.loop)


def _is_y4m(name: str) -> bool:
    """Whatever comes by a pipe, and files that are called so."""
    path = Path(name)
    if name == STANDARD or path.suffix.lower() == ".y4m":
        return True
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)
