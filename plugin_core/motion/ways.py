"""Where points of one frame lie in another, along the background's motion, without looking at any pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .background import MEASURED, Background, Codes

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ways:
    """Where points (h, w) of a frame lie in another.

    Attributes:
        x, y: columns and rows there, as the camera leads behind a hole.
        apart: how far from there the hole's border would have led them, in the same pixels.
        lost: true for those that leave what is looked at.
    """

    x: Floats
    y: Floats
    apart: Floats
    lost: NDArray[np.bool_]


def legs(frame: int, to: int) -> Iterator[tuple[int, int]]:
    """Yield the ends of the strides between two frames: over four where that was measured, else over one."""
    way = 1 if to > frame else -1
    here = frame
    while here != to:
        stride = MEASURED if here % MEASURED == 0 and abs(to - here) >= MEASURED else 1
        yield here, here + way * stride
        here += way * stride


def ways(background: Background, frame: int, to: int, x: Floats, y: Floats) -> Ways:
    """Follow points (h, w) of the view, columns x and rows y, from one frame to another."""
    fields = [background.field(*ends) for ends in legs(frame, to)]
    led_x, led_y, lost = _followed(background, [field.led for field in fields], x, y)
    other_x, other_y, _ = _followed(background, [field.bordered for field in fields], x, y)
    return Ways(led_x, led_y, np.hypot(led_x - other_x, led_y - other_y), lost)


def _followed(
    background: Background, fields: list[Codes], x: Floats, y: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    lost = background.outside(x, y)
    for field in fields:
        x, y, _ = background.moved(field, x, y)
        lost = lost | background.outside(x, y)
    return x, y, lost
