"""How the background of a shot moves: pictures and motion of neighboring frames, each made once.

Everything here is seen at the motion view's size (see `plan`), a reduced crop of the plate around every hole
of the shot. Pictures are display-referred (0..1 for most of a plate); what is found depends on the frames
alone, never on the order in which it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .flow import Flow, flow_between
from .sampling import bilinear
from .spool import Spool

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """A frame as motion is measured on it.

    Attributes:
        picture: (H, W, 3) float32, display-referred.
        hole: (H, W), true where the frame does not show the background.
    """

    picture: Floats
    hole: NDArray[np.bool_]


class Background:
    """The motion of one shot's background.

    Args:
        look: returns a frame's picture and hole; called once for a frame while it is kept.
        height, width: of the motion view.
    """

    def __init__(self, look: Callable[[int], Look], height: int, width: int) -> None:
        self._look = look
        self.height, self.width = height, width
        self._looks = Spool(height, width, 4)
        self._forth = Spool(height, width, 5)
        self._back = Spool(height, width, 5)
        self._camera: dict[tuple[int, int], Floats] = {}
        self._latest: tuple[int, Look] | None = None

    def seen(self, frame: int, x: Floats, y: Floats) -> Floats:
        """Sample a frame at points (h, w): (h, w, 4), its RGB and how much of a hole the points touch.

        Points outside the view count as hole.
        """
        if frame not in self._looks:
            self._looked(frame)
        return self._sample(self._looks, frame, x, y)

    def motion(self, frame: int, to: int, x: Floats, y: Floats) -> Floats:
        """Sample the motion from a frame to one beside it at points (h, w): (h, w, 5) in pixels.

        The channels are x and y as the camera leads behind a hole, x and y as its border leads, and doubt.
        """
        earlier = self._measured(frame, to)
        return self._sample(self._forth if to > frame else self._back, earlier, x, y)

    def camera(self, frame: int, to: int) -> Floats:
        """Return the camera's motion from a frame to one beside it, (2, 3): see `flow.Flow`."""
        self._measured(frame, to)
        return self._camera[frame, to]

    def keep(self, lower: int, upper: int) -> None:
        """Forget what lies outside frames `lower`..`upper`."""
        for spool in (self._looks, self._forth, self._back):
            spool.keep(lower, upper)
        self._camera = {pair: model for pair, model in self._camera.items() if min(pair) in self._forth}

    def close(self) -> None:
        """Give the temporary files back."""
        for spool in (self._looks, self._forth, self._back):
            spool.close()

    def _measured(self, frame: int, to: int) -> int:
        """See that the motion between two frames is known; return the earlier one."""
        assert abs(frame - to) == 1
        earlier = min(frame, to)
        if earlier not in self._forth:
            self._measure(earlier)
        return earlier

    def _measure(self, earlier: int) -> None:
        first, second = self._looked(earlier), self._looked(earlier + 1)
        forth, back = flow_between(first.picture, first.hole, second.picture, second.hole)
        self._forth.put(earlier, _packed(forth))
        self._back.put(earlier, _packed(back))
        self._camera[earlier, earlier + 1] = forth.camera
        self._camera[earlier + 1, earlier] = back.camera

    def _looked(self, frame: int) -> Look:
        """Return a frame's look as it was stored, so that it is the same however often it is read."""
        if self._latest is not None and self._latest[0] == frame:
            return self._latest[1]
        if frame not in self._looks:
            look = self._look(frame)
            self._looks.put(frame, np.dstack([look.picture, look.hole.astype(np.float32)]))
        stored = self._looks.rows(frame, 0, self.height)
        look = Look(np.ascontiguousarray(stored[..., :3]), stored[..., 3] > 0)
        self._latest = (frame, look)
        return look

    def _sample(self, spool: Spool, frame: int, x: Floats, y: Floats) -> Floats:
        top = int(np.clip(np.floor(y.min()) - 1, 0, self.height - 1))
        bottom = int(np.clip(np.ceil(y.max()) + 2, top + 1, self.height))
        rows = spool.rows(frame, top, bottom)
        return bilinear(rows, x, y - np.float32(top))


def _packed(flow: Flow) -> Floats:
    return np.dstack([flow.motion, flow.bordered, flow.doubt])
