"""What a shot's new format is, and how it gets there: fields of a job, declared as those in `settings`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ..errors import SettingsError
from .about import About
from .strict import Strict

Keep = Literal["squeeze", "crop"]
Axis = Literal["x", "y"]

_AXES: dict[str, Axis] = {"x": "x", "horizontal": "x", "y": "y", "vertical": "y"}
LEAST_SIDE, MOST_SIDE = 8, 32768
"""Pixels of a picture's side."""


def aspect_of(text: str) -> Fraction:
    """Return width over height: ``9:16``, ``1.85``. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(?:[:/](\d{1,6}(?:\.\d{1,6})?))?", text.strip())
    if match is not None and float(match[1]) and float(match[2] or 1):
        aspect = Fraction(match[1]) / Fraction(match[2] or 1)
        if Fraction(1, 20) <= aspect <= 20:
            return aspect
    raise ValueError("width over height, such as 9:16 or 1.85")


def size_of(text: str) -> tuple[int, int]:
    """Return pixels across and down: ``1080x1920``. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,5})\s*[xX]\s*(\d{1,5})", text.strip())
    if match is None or not all(LEAST_SIDE <= int(side) <= MOST_SIDE for side in match.groups()):
        raise ValueError(f"pixels across and down, each {LEAST_SIDE} to {MOST_SIDE}, such as 1080x1920")
    return int(match[1]), int(match[2])


def squeeze_of(text: str) -> tuple[float, Axis]:
    """Return a ratio and the axis that it is for: ``0.5``, ``0.5,y``. Raises ValueError for anything else."""
    ratio, _, axis = text.partition(",")
    try:
        value = float(ratio)
    except ValueError:
        value = 0.0
    if not 0.05 <= value < 1 or (axis or "x") not in _AXES:
        raise ValueError("a ratio from 0.05 to below 1 and, for height, ',y', such as 0.5 or 0.5,y")
    return value, _AXES[axis or "x"]


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


_NUMBER = r"[0-9]{1,6}(\.[0-9]{1,6})?"
_Aspect = Annotated[str, _schema(f"^{_NUMBER}([:/]{_NUMBER})?$")]
_Size = Annotated[str, _schema("^[0-9]{1,5} *[xX] *[0-9]{1,5}$")]
_Squeeze = Annotated[str, _schema(r"^0?\.[0-9]{1,6}(,(x|y|horizontal|vertical))?$")]


def _text(value: object) -> object:
    """Take a number as it is typed: 1.85 as much as "1.85"."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _checked(read: Callable[[str], object]) -> AfterValidator:
    """Return what refuses a text that can't be read, and keeps one that can."""

    def checked(text: str | None) -> str | None:
        if text is not None:
            read(text)
        return text

    return AfterValidator(checked)


@dataclass(frozen=True)
class Target:
    """The format that is asked for; exactly one of the three.

    Attributes:
        aspect: width over height as it is seen on a screen.
        size: pixels across and down.
        squeeze: a ratio above 0, below 1, and the axis that it is for.
    """

    aspect: Fraction | None = None
    size: tuple[int, int] | None = None
    squeeze: tuple[float, Axis] | None = None


class Retarget(Strict):
    """What a shot is to become."""

    aspect: Annotated[
        _Aspect | None,
        BeforeValidator(_text),
        _checked(aspect_of),
        About(
            "Width over height on a screen, such as 9:16. Retargeting needs one of aspect, size and squeeze.",
            label="aspect",
            group="format",
            level="basic",
            brief="width over height on the screen, such as 9:16, 1.85",
            metavar="A",
            unset="none",
        ),
    ] = None
    size: Annotated[
        _Size | None,
        _checked(size_of),
        About(
            "Pixels across and down, such as 1080x1920.",
            label="size",
            group="format",
            level="basic",
            brief="pixels across and down, such as 1080x1920",
            metavar="WxH",
            unset="none",
        ),
    ] = None
    squeeze: Annotated[
        _Squeeze | None,
        BeforeValidator(_text),
        _checked(squeeze_of),
        About(
            "A ratio: 0.5 for half the width, 0.5,y for half the height.",
            label="squeeze",
            group="format",
            level="basic",
            brief="0.5 for half the width, 0.5,y for half the height",
            metavar="R",
            unset="none",
        ),
    ] = None
    keep: Annotated[
        Keep,
        About(
            "What becomes of the background.",
            label="background",
            group="format",
            level="basic",
            brief="squeeze the background, or crop to a window",
            choices={
                "squeeze": "it is squeezed, and objects are laid over it at their own size",
                "crop": "nothing is squeezed: a window follows the objects",
            },
        ),
    ] = "squeeze"
    clean: Annotated[
        str | None,
        About(
            "A clean plate that is there already: a sequence, folder or movie.",
            label="clean plate",
            group="format",
            level="basic",
            brief="a clean plate; else one is rendered",
            metavar="C",
            unset="one is rendered, beside the output",
            path=True,
        ),
    ] = Field(None, min_length=1)
    smooth: Annotated[
        int,
        About(
            "Frames each way over which the objects' positions are smoothed.",
            label="smoothing",
            group="format",
            metavar="N",
            unit="frames",
        ),
    ] = Field(8, ge=0, le=100)
    pixel_aspect: Annotated[
        float | None,
        About(
            "Width over height of the output's pixels; 1 makes them square.",
            label="pixel aspect",
            group="format",
            metavar="X",
            unset="the plate's",
        ),
    ] = Field(None, ge=0.1, le=10)

    def target(self) -> Target:
        """Return the format. Raises SettingsError unless exactly one is given."""
        if sum(each is not None for each in (self.aspect, self.size, self.squeeze)) != 1:
            raise SettingsError(
                "To retarget, say what the shot is to become by one of aspect (9:16), size (1080x1920) and "
                "squeeze (0.5)."
            )
        return Target(
            None if self.aspect is None else aspect_of(self.aspect),
            None if self.size is None else size_of(self.size),
            None if self.squeeze is None else squeeze_of(self.squeeze),
        )
