"""Raw video without a header: frame after frame of samples, whose size and format the user tells."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ..errors import ImageError
from .picture import Incoming, Picture
from .pipe import PipeIn
from .pixel_format import FORMATS, Layout


class RawReader:
    """Frames of raw video; goes through them once.

    Args:
        pipe: what they come by.
        layout: of a frame.
        rate: frames a second; None where it is not known.
        with_matte: a gray picture of the same size, the matte, lies before each frame.

    Raises:
        ImageError: when it is gone through: the stream ends inside a frame.
    """

    def __init__(self, pipe: PipeIn, layout: Layout, rate: Fraction | None, *, with_matte: bool) -> None:
        self._pipe = pipe
        self.layout = layout
        self.rate = rate
        self._matte = Layout(layout.width, layout.height, FORMATS["gray"], full=True) if with_matte else None

    def __iter__(self) -> Iterator[Incoming]:
        number = 0
        while True:
            matte = None if self._matte is None else read_samples(self._pipe, self._matte, number)
            if matte is None and self._matte is not None:
                return
            picture = read_samples(self._pipe, self.layout, number, begun=matte is not None)
            if picture is None:
                return
            yield Incoming(picture, None if matte is None else matte.matte())
            number += 1

    def close(self) -> None:
        """Close what they come by."""
        self._pipe.close()


def read_samples(pipe: PipeIn, layout: Layout, number: int, *, begun: bool = False) -> Picture | None:
    """Read a frame's samples; None where the input has ended before them.

    Args:
        pipe: to read from.
        layout: of the frame.
        number: how many came before it.
        begun: something of the frame has come already, so the input must not end here.

    Raises:
        ImageError: the input ends inside the frame.
    """
    data = np.empty(layout.size, np.uint8)
    come = pipe.read_into(data)
    if come == 0 and not begun:
        return None
    if come < layout.size:
        raise ImageError(
            f"{pipe.name} ended inside frame {number + 1}, after {come} of its {layout.size} bytes "
            f"({layout}); that frame is left out."
        )
    return Picture(layout, data)
