"""How the background moved since the frame before, and where its pixels lay some frames ago."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.dense_search import dense_search
from ..motion.flow import FINE, Flow, Seen, affine_motion, completed, fitted_affine, median, parts
from ..motion.guide import cell_centers
from ..motion.sampling import bilinear, pixel_grid
from ..motion.ways import Ways
from .view import SIDE, Floats, View

Mask = NDArray[np.bool_]

_AGREES_PX = 1.0
"""Motion is believed where there and back end so near."""

_STRAY, _STRAY_PX = 3.0, 0.5
"""What strays from the camera's motion by more than so many usual deviations, and pixels, is a mover."""

_RIGID = 0.05, 0.15
"""A view that usually strays from the camera's motion by so many pixels is rigid, and not rigid at all."""

_OTHER = 8
"""Codes by which what is shown differs from what the camera's motion would have brought there."""


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


@dataclass(frozen=True)
class Moved:
    """How a view moved.

    Attributes:
        flow: back to the frame before, behind holes and movers that of the background.
        off: (SIDE, SIDE) float32, by how many pixels of the view it may be off there.
        movers: (SIDE, SIDE), what moves against the background.
    """

    flow: Flow
    off: Floats
    movers: Mask


class Way:
    """The background's way over the last frames.

    Args:
        frames: so many are followed back.
        beside: a thread that looks one way while the other way is looked at.
    """

    def __init__(self, frames: int, beside: ThreadPoolExecutor) -> None:
        self._beside = beside
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

    def advance(self, view: View, picture: Floats, hidden: Mask, before: SeenFrame | None) -> Moved | None:
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
        backward = self._beside.submit(dense_search, there.gray, here.gray, to_the_pixel=FINE.to_the_pixel)
        forth = dense_search(here.gray, there.gray, to_the_pixel=FINE.to_the_pixel)
        back = backward.result()
        moving, usual = _movers(forth, back, here, there)
        known = Seen(here.gray, here.unknown | moving)
        flow, off = _between_leads(completed(forth, back, known, there, FINE), usual)
        self._steps.appendleft((view, flow))
        self._before = view, here
        return Moved(flow, off, moving)

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


def _between_leads(flow: Flow, usual: float) -> tuple[Flow, Floats]:
    """Let the border have a say in the motion behind a hole, where the rest of the view is not rigid.

    Args:
        flow: with both leads.
        usual: by how many pixels the view strays from the camera's motion.

    Returns:
        The flow, and by how many pixels (SIDE, SIDE) it may be off.
    """
    share = min(max(0.0, (usual - _RIGID[0]) / (_RIGID[1] - _RIGID[0])), 1.0)
    apart = np.float32(share / 2) * (flow.bordered - flow.motion)
    parted = np.sqrt(np.square(apart).sum(axis=2))
    if not flow.motion[parted > 0].any():
        return flow, np.zeros_like(parted)  # a locked-off camera: nothing is to be resampled
    doubt = flow.doubt + parted
    return replace(flow, motion=flow.motion + apart, doubt=doubt), parted + np.float32(share) * flow.doubt


def _movers(forth: Floats, back: Floats, here: Seen, before: Seen) -> tuple[Mask, float]:
    """Return where a view (SIDE, SIDE) moves against the rest of it, and by how much the rest usually does.

    What lies in a hole or is spoiled by it is as what stands nearest.
    """
    unknown = here.unknown
    x, y = pixel_grid(Box(0, 0, SIDE, SIDE))
    there = bilinear(back, x + forth[..., 0], y + forth[..., 1])
    apart = np.square(forth + there).sum(axis=2)
    seen = ~unknown & (apart < _AGREES_PX**2)
    if not seen.any():
        return np.zeros_like(unknown), 0.0
    camera = fitted_affine(*parts(forth), seen)
    along = affine_motion(camera, x, y)
    off = np.sqrt(np.square(forth - along).sum(axis=2))
    usual = 1.4826 * median(off[seen])
    stray = (off > max(_STRAY * usual, _STRAY_PX)).astype(np.uint8)
    # Where nothing can be told apart motion is anyone's: what looks the same along the camera's is no mover.
    came = cv2.remap(before.gray, x + along[..., 0], y + along[..., 1], cv2.INTER_LINEAR)
    apart_by = cv2.blur(cv2.absdiff(here.gray, came), (3, 3))
    other = ((apart_by > _OTHER) & ~unknown).astype(np.uint8)
    stray &= cv2.dilate(other, np.ones((17, 17), np.uint8))
    if unknown.any():
        nearest = _nearest(unknown)
        stray = stray.ravel()[nearest]
    moving = cv2.morphologyEx(stray, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.dilate(moving, np.ones((5, 5), np.uint8)).view(np.bool_), usual


def _nearest(unknown: Mask) -> NDArray[np.intp]:
    """Return for each pixel which one, counted along the rows, is nearest of those that are not unknown."""
    source = unknown.view(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(source, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.flatnonzero(~unknown)
    at = np.zeros(known.size + 1, np.intp)
    at[labels.ravel()[known]] = known
    return np.asarray(at[labels], np.intp)


def on_plate(field: Floats, view: View, box: Box) -> Floats:
    """Return a view's field (SIDE, SIDE, ...) over a box of the plate, between its pixels."""
    scale = view.scale
    x = (np.arange(box.x0, box.x1, dtype=np.float32) + np.float32(0.5)) / scale - np.float32(0.5) - view.x
    y = (np.arange(box.y0, box.y1, dtype=np.float32) + np.float32(0.5)) / scale - np.float32(0.5) - view.y
    columns, rows = np.meshgrid(x, y)
    sampled = cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)
