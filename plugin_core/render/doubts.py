"""What looks wrong with a shot's mattes before its first frame: what can't be meant, and likely slips.

`cleanplate probe` tells it, a render does too, and with ``--strict`` a render refuses what can't be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..clips.frame_range import frames_words
from ..errors import ImageError, InputError
from ..images import Header, Plate
from ..images.matte import LARGEST
from ..job.settings import Settings
from ..progress.reporters import Reporters
from .coverage import Coverage
from .sources import Sources

MUCH = 0.5
"""Share of the picture from which on a fill has little to go by."""

_ALL = 0.999
_FLICKER = 3
"""An object that is away for at most so many frames was probably forgotten in the roto."""

_JUMP = 3.0
"""How many times larger or smaller a matte may be than on the frame before."""

_SAMPLED = 3
"""Frames that are looked at for what kind of picture they are, and pixels of each along a side."""
_ACROSS = 256
_PICTURE = 0.5
"""A matte has values between black and white at its edges; a photograph has little else."""
_SOME = 0.2
"""A matte with less than this between black and white is one, however soft: its plate is not looked at."""
_TWO_TONE = 0.05
"""A plate with less than this between black and white may be a matte."""
_SAME = 0.01
"""Values that differ by less on average are the same picture's."""

_GRAVE = {"matte_is_plate", "matte_swapped", "matte_is_picture", "matte_inverted", "matte_never"}


@dataclass(frozen=True)
class Warned:
    """Something an artist would want to know before rendering: a code for machines, a sentence for people."""

    code: str
    message: str

    @property
    def is_grave(self) -> bool:
        """Whether it can't be meant."""
        return self.code in _GRAVE


def tell(found: Iterable[Warned], reporters: Reporters, *, strict: bool) -> None:
    """Tell what looks wrong. Raises InputError for what can't be meant, where that is to be refused."""
    for warned in found:
        refuse([warned] if strict else [])
        reporters.note(warned.message, warned.code)


def refuse(found: Iterable[Warned]) -> None:
    """Raise InputError for the first that can't be meant."""
    for warned in found:
        if warned.is_grave:
            raise InputError(f"{warned.message} Refused because of --strict.")


def matte_doubts(mattes: Sequence[Coverage], cuts: Sequence[int]) -> Iterator[Warned]:
    """Yield what is doubtful in how much the mattes cover, the worst first.

    Args:
        mattes: by frame, ascending.
        cuts: first frames of new takes.
    """
    yield from _size(mattes)
    yield from _empty(mattes)
    yield from _flicker(mattes)
    yield from _jumps(mattes, cuts)


def _size(mattes: Sequence[Coverage]) -> Iterator[Warned]:
    whole = [one.frame for one in mattes if one.share > _ALL]
    much = [one.frame for one in mattes if MUCH < one.share <= _ALL]
    if mattes and all(one.share > MUCH and len(one.edges) == 4 for one in mattes):
        least = min(one.share for one in mattes)
        yield Warned(
            "matte_inverted",
            f"The matte covers at least {int(least * 100)} % of the picture and all its edges on every "
            "frame: is it inverted (--matte-invert), or is it the wrong channel (--matte-channel)?",
        )
        return
    if whole:
        yield Warned(
            "matte_everything",
            f"The matte covers the whole picture on {frames_words(whole)}: nothing is left there.",
        )
    if much:
        yield Warned(
            "matte_large",
            f"The matte covers more than half of the picture on {frames_words(much)}: there is little to "
            "fill from.",
        )


def _empty(mattes: Sequence[Coverage]) -> Iterator[Warned]:
    if mattes and not any(one.share for one in mattes):
        yield Warned(
            "matte_never",
            "The matte is empty on every frame, so the plates are copied as they are: is it the wrong "
            "channel (--matte-channel), or below the threshold (--matte-threshold)?",
        )


def _flicker(mattes: Sequence[Coverage]) -> Iterator[Warned]:
    """Mattes that go away for a moment."""
    filled = [one.frame for one in mattes if one.share > 0]
    lost = [
        frame
        for before, after in pairwise(filled)
        if 1 < after - before <= _FLICKER + 1
        for frame in range(before + 1, after)
    ]
    if lost:
        yield Warned(
            "matte_flickers",
            f"The matte goes away for a moment on {frames_words(lost)}: was it forgotten there "
            "(--matte-union joins it with its neighbors)?",
        )


def _jumps(mattes: Sequence[Coverage], cuts: Sequence[int]) -> Iterator[Warned]:
    """Mattes that change their size from one frame to the next."""
    jumps = [
        after.frame
        for before, after in pairwise(mattes)
        if min(before.share, after.share) > 0 and after.frame not in cuts and _apart(before, after)
    ]
    if jumps:
        yield Warned(
            "matte_jumps",
            f"The matte's size changes more than {_JUMP:.0f} times from the frame before on "
            f"{frames_words(jumps)}: a cut, or a slip in the roto?",
        )


def _apart(before: Coverage, after: Coverage) -> bool:
    """Whether two sizes are of different things; what comes into the picture or leaves it changes fast."""
    small, large = sorted((before, after), key=lambda one: one.share)
    return large.share > _JUMP * small.share and not small.edges


def picture_doubts(sources: Sources, settings: Settings) -> Iterator[Warned]:
    """Yield what is doubtful in what the mattes' files hold; a few frames are sampled.

    Plates are read only where a matte does not look like one.
    """
    frames = _spread(sources.first, sources.last)
    plate, matte = sources.plate, sources.matte
    mattes: dict[int, NDArray[np.float32]] = {}
    looked_at = ""
    for frame in frames[:1] if matte.is_still else frames:
        with suppress(ImageError):  # told when it is read for the render
            read = matte.matte(frame, settings.matte_channel)
            mattes[frame], looked_at = _thinned(read.values), read.channel
    same = plate.path(frames[0]).absolute() == matte.path(frames[0]).absolute()
    if same and looked_at in _colors(sources.header):
        yield Warned(
            "matte_is_plate",
            f"Plate and matte are the same files, {plate.name}: give the matte's own, or the channel that is "
            "the matte (--matte-channel).",
        )
        return
    between = [_between(values) for values in mattes.values()]
    if not between or min(between) < _SOME:
        return
    plates: dict[int, NDArray[np.float32]] = {}
    for frame in mattes:
        with suppress(ImageError):
            plates[frame] = _thinned_plate(plate.plate(frame))
    if plates and all(_is_two_tone(values) for values in plates.values()):
        yield Warned(
            "matte_swapped",
            f"Plate {plate.name} is black and white alone, and matte {matte.name} is a picture: are they "
            "swapped?",
        )
    elif plates and all(_alike(mattes[frame], values) for frame, values in plates.items()):
        yield Warned(
            "matte_is_plate",
            f"Matte {matte.name} shows what plate {plate.name} shows: give the matte's own files.",
        )
    elif min(between) > _PICTURE:
        yield Warned(
            "matte_is_picture",
            f"Matte {matte.name} has {min(between) * 100:.0f} % of its pixels between black and white, as a "
            "picture has: is it the right file, and the right channel (--matte-channel)?",
        )


def _colors(plate: Header) -> set[str]:
    """Return what a matte is called that was made of a plate's color, not of its alpha or another layer."""
    return {"luminance", LARGEST, *(plate.channels[channel] for channel in plate.fill_channels)}


def _spread(first: int, last: int) -> list[int]:
    """Return some frames, spread over a range."""
    return sorted({first + (last - first) * at // (_SAMPLED - 1) for at in range(_SAMPLED)})


def _thinned(values: NDArray[np.float32]) -> NDArray[np.float32]:
    step = max(1, max(values.shape[:2]) // _ACROSS)
    return values[::step, ::step]


def _thinned_plate(plate: Plate) -> NDArray[np.float32]:
    step = max(1, max(plate.header.width, plate.header.height) // _ACROSS)
    return np.nan_to_num(plate.sampled(step), nan=1.0, posinf=1.0, neginf=0.0)


def _between(values: NDArray[np.float32]) -> float:
    """Return the share of pixels that are neither black nor white."""
    return float(((values > 0.02) & (values < 0.98)).mean())


def _is_two_tone(rgb: NDArray[np.float32]) -> bool:
    """Whether a plate (H, W, 3) is gray, and black and white alone."""
    gray = bool((np.ptp(rgb, axis=2) < _SAME).all())
    return gray and _between(rgb[..., 0]) < _TWO_TONE


def _alike(matte: NDArray[np.float32], rgb: NDArray[np.float32]) -> bool:
    """Whether a matte (H, W) has the values of a plate (H, W, 3), as one of its colors or as the largest."""
    if matte.shape != rgb.shape[:2]:
        return False
    shown = np.clip(rgb, 0, 1)
    looks = (shown.max(axis=2), *(shown[..., channel] for channel in range(3)))
    return any(float(np.abs(matte - look).mean()) < _SAME for look in looks)
