"""Ordered sets of frame numbers, and the short way to write them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import InputError

FRAME_LIMIT = 10**15
"""Frame numbers lie between minus this and this: wide enough for anybody's, and safe to count with."""

_SPAN = re.compile(r"(-?\d+)(?:-(-?\d+))?", re.ASCII)
_STEP = re.compile(r"-?\d+--?\d+[x:y]\d+", re.ASCII)


@dataclass(frozen=True)
class FrameRange:
    """An ordered set of frame numbers, kept as spans so that a long range costs nothing.

    ``spans`` holds (first, last) pairs, both inclusive, ascending, never touching.
    """

    spans: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> FrameRange:
        """Read ``1001-1100``, ``7``, ``1-10,20-30`` or ``-5-10``.

        Raises InputError on anything else; steps (``1-10x2``) are refused, because every frame is filled from
        the one before it.
        """
        parts = [part.strip() for part in text.split(",")]
        told = text if len(text) <= 200 else f"{text[:200]}..."
        return cls(_merge([_parse_span(part, told) for part in parts]))

    @classmethod
    def of(cls, frames: Iterable[int]) -> FrameRange:
        """Hold the given frames, in any order, repeated or not."""
        return cls(_merge([(frame, frame) for frame in frames]))

    @property
    def first(self) -> int:
        """The lowest frame. Raises InputError on an empty range."""
        self._need_frames()
        return self.spans[0][0]

    @property
    def last(self) -> int:
        """The highest frame. Raises InputError on an empty range."""
        self._need_frames()
        return self.spans[-1][1]

    def _need_frames(self) -> None:
        if not self.spans:
            raise InputError("The frame range is empty; give at least one frame, for example 1001-1100.")

    def __iter__(self) -> Iterator[int]:
        for first, last in self.spans:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def __contains__(self, frame: object) -> bool:
        if not isinstance(frame, int):
            return False
        at = bisect_right(self.spans, frame, key=lambda span: span[0]) - 1
        return at >= 0 and frame <= self.spans[at][1]

    def __str__(self) -> str:
        return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in self.spans)


def compact(frames: Iterable[int]) -> str:
    """Write frames the short way: ``1001-1003,1007``. Empty for no frames."""
    return str(FrameRange.of(frames))


def frames_words(frames: Iterable[int]) -> str:
    """Write frames for a sentence: ``frame 1007``, ``frames 1001-1003,1007``."""
    found = FrameRange.of(frames)
    return f"frame{'s' if len(found) > 1 else ''} {found}"


def _parse_span(part: str, text: str) -> tuple[int, int]:
    if _STEP.fullmatch(part):
        raise InputError(
            f"Frame range '{text}' has a step ('{part[:60]}'); every frame is filled from the one before it, "
            "so give a range without a step, for example 1001-1100."
        )
    match = _SPAN.fullmatch(part)
    if match is None:
        raise InputError(
            f"Frame range '{text}' can't be read at '{part[:60]}'; expected 1001-1100, 7 or 1-10,20-30."
        )
    numbers = [number for number in match.groups() if number is not None]
    if any(len(number) > 40 or abs(int(number)) > FRAME_LIMIT for number in numbers):
        raise InputError(
            f"Frame range '{text}' has a number beyond {FRAME_LIMIT:.0e}; is a digit too many in it?"
        )
    first, last = int(numbers[0]), int(numbers[-1])
    if last < first:
        raise InputError(f"Frame range '{text}' runs backwards at '{part[:60]}'; give the lower frame first.")
    return first, last


def _merge(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
