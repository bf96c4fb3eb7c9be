"""How the background moved since the frame before, and where its pixels lay some frames ago."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.flow import FINE, Flow, Seen, flow_of
from ..motion.guide import cell_centers
from ..motion.sampling import bilinear
from ..motion.ways import Ways
from .view import SIDE, Floats, View

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SeenFrame:
    """A frame reduced.

    Attributes:
        picture: (H, W, 3) float32 display-referred around 0..1, with what is remembered laid in.
        hidden: (H, W), what does not show the background.
        unknown: (H, W), what of the hole is not remembered either.
    """

    picture: Floats
    hidden: Mask
    unknown: Mask


class Way:
    """The background's way over the last frames.

    Args:
        frames: so many are followed back.
    """

    def __init__(self, frames: int) -> None:
        self._steps: deque[tuple[View, Flow]] = deque(maxlen=frames)
        self._before: tuple[View, Seen] | None = None

    def forget(self) -> None:
        """Forget all that came before."""
        self._steps.clear()
        self._before = None

    @property
    def length(self) -> int:
        """Frames that can be followed back from the last one."""
        return len(self._steps)

    @property
    def last(self) -> Flow:
        """The motion from the last frame back to the one before, on its view. Only where there was one."""
        return self._steps[0][1]

    def advance(self, view: View, picture: Floats, hidden: Mask, before: SeenFrame | None) -> Flow | None:
        """Measure the motion on a view from a frame back to the one before; None where there is none.

        Args:
            view: where.
            picture, hidden: of the frame, reduced, whole.
            before: the frame before, at the same scale.
        """
        here = Seen.of(picture[view.box.slices], hidden[view.box.slices], FINE)
        if before is None:
            self._steps.clear()
            self._before = view, here
            return None
        if self._before is not None and self._before[0] == view:
            there = self._before[1]
        else:
            there = Seen.of(before.picture[view.box.slices], before.hidden[view.box.slices], FINE)
        flow = flow_of(here, there, FINE)
        self._steps.appendleft((view, flow))
        self._before = view, here
        return flow

    def ways(self, view: View, frames: int, scale: int) -> Ways:
        """Return where the middles of a view's cells lay some frames ago, in pixels of the view."""
        x, y = cell_centers(SIDE, SIDE, scale)
        lost = np.zeros(x.shape, np.bool_)
        for place, flow in list(self._steps)[:frames]:
            right, down = np.float32(view.x - place.x), np.float32(view.y - place.y)
            moved = bilinear(flow.motion, x + right, y + down)
            x, y = x + moved[..., 0], y + moved[..., 1]
            lost |= (x < -0.5) | (y < -0.5) | (x > SIDE - 0.5) | (y > SIDE - 0.5)
        return Ways(x, y, np.zeros_like(x), lost)


def on_plate(field: Floats, view: View, box: Box) -> Floats:
    """Return a view's field (SIDE, SIDE, ...) over a box of the plate, between its pixels."""
    scale = view.scale
    x = (np.arange(box.x0, box.x1, dtype=np.float32) + np.float32(0.5)) / scale - np.float32(0.5) - view.x
    y = (np.arange(box.y0, box.y1, dtype=np.float32) + np.float32(0.5)) / scale - np.float32(0.5) - view.y
    columns, rows = np.meshgrid(x, y)
    sampled = cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)
