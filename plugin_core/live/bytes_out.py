"""A stream's frames as y4m or raw video, in the samples that they came in."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..box import bounds
from .picture import Picture
from .pipe import PipeOut
from .pixel_format import FORMATS, Layout
from .stream import Work
from .y4m import Header, can_hold


class BytesOut:
    """Writes frames to a pipe; a dropped one is the one before it again, so that the rate holds.

    All have the layout of the first: one of another size is scaled to fit.

    Args:
        pipe: to write to.
        rate: frames a second; None where nobody knows.
        header: what a y4m stream said that came in; None for all others.
        y4m: with a header, or raw; None: y4m where it holds the first frame as it is.
        drop_alpha: the alpha is the matte, and not passed on.
        reach: how far beyond its matte a fill changes a frame, in pixels.
        note: told what a person should know, in a sentence.
    """

    def __init__(
        self,
        pipe: PipeOut,
        rate: Fraction | None,
        header: Header | None,
        note: Callable[[str], None],
        *,
        y4m: bool | None,
        drop_alpha: bool,
        reach: int,
    ) -> None:
        self._pipe = pipe
        self._rate = rate
        self._header = header
        self._y4m = y4m
        self._drop_alpha = drop_alpha
        self._reach = reach
        self._note = note
        self._layout: Layout | None = None
        self._last: NDArray[np.uint8] | None = None

    def write(self, work: Work, fill: NDArray[np.uint8], missed: int) -> None:
        """Write a frame. Raises WriteError."""
        height, width = work.hole.shape
        box = bounds(work.hole)
        box = None if box is None else box.grown(self._reach).within(width, height)
        picture = work.picture.filled(fill, work.rgb, box)
        if self._drop_alpha:
            picture = picture.without_alpha()
        if self._layout is None:
            self._layout = self._begun(picture)
        data = picture.as_layout(self._layout).data
        for _ in range(missed):
            self._one(data if self._last is None else self._last)
        self._one(data)
        self._last = data

    def _one(self, data: NDArray[np.uint8]) -> None:
        if self._y4m:
            self._pipe.write(b"FRAME\n")
        self._pipe.write(data)

    def _begun(self, picture: Picture) -> Layout:
        """Write what stands before the first frame; returns the layout of all."""
        layout = picture.layout
        if self._y4m is None:
            self._y4m = can_hold(layout.pixels)
        if not self._y4m:
            self._note(
                f"Raw video is sent: -f rawvideo -pixel_format {layout.pixels.name} "
                f"-video_size {layout.width}x{layout.height}."
            )
            return layout
        if not can_hold(layout.pixels):
            layout = Layout(layout.width, layout.height, FORMATS["yuv444p"])
            self._note(
                "y4m has no RGB: frames are sent as YUV 4:4:4, and untouched pixels are rounded by it."
            )
        header = Header(layout, self._rate) if self._header is None else self._header
        if self._drop_alpha:
            header = header.opaque()
        self._pipe.write(header.line())
        return layout
