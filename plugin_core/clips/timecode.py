"""SMPTE timecode (ST 12-1): as text, as a count of frames, and as the two words that EXR and DPX store."""

from __future__ import annotations

import re
from fractions import Fraction

_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)")


def advanced(text: str, frames: int, rate: Fraction) -> str:
    """The timecode a number of frames later, drop-frame where it is written with ``;``.

    Args:
        text: ``01:00:00:00``; what is no timecode gives an empty string.
        frames: how many later.
        rate: frames per second.
    """
    match = _TEXT.fullmatch(text)
    base = round(rate)
    if match is None or not 1 <= base <= 120:
        return ""
    hours, minutes, seconds, sign, frame = match.groups()
    drop = _dropped(base) if sign in ";," else 0
    whole_minutes = int(hours) * 60 + int(minutes)
    count = (whole_minutes * 60 + int(seconds)) * base + int(frame)
    count -= drop * (whole_minutes - whole_minutes // 10)
    return _text((count + frames) % _a_day(base, drop), base, drop)


def packed(text: str) -> tuple[int, int] | None:
    """The words of the attribute ``smpte:TimeCode``: decimal digits in four bits each, no user bits."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    word = 0
    for place, digits in zip((24, 16, 8, 0), match.group(1, 2, 3, 5), strict=True):
        word |= (int(digits) // 10 << 4 | int(digits) % 10) << place
    return (word | (1 << 6 if match.group(4) in ";," else 0)), 0


def _dropped(base: int) -> int:
    """Numbers left out at the start of nine minutes of ten: 2 at 29.97, 4 at 59.94."""
    return base // 15


def _a_day(base: int, drop: int) -> int:
    return 24 * 6 * (600 * base - 9 * drop)


def _text(count: int, base: int, drop: int) -> str:
    if drop:
        tens, rest = divmod(count, 600 * base - 9 * drop)
        count += 9 * drop * tens + drop * max(0, (rest - drop) // (60 * base - drop))
    seconds, frame = divmod(count, base)
    sign = ";" if drop else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{sign}{frame:02d}"
