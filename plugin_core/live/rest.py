"""What was never seen: filled by the network from the past alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.guide import Beside, Cells, guide_of
from ..network.contract import Carry, Guide, Mask, Network, Picture
from ..state.carry_follow import all_followed, change_between, followed
from ..state.carry_shift import shifted
from .view import Floats, View
from .way import SeenFrame, Way

_MARCHED, _MARCH_PX = np.float32(0.6), 3
"""Share of what lines that end at the hole give where they are drawn on (Telea 2004, from so many pixels
around). The network alone fills smoothly: that is worse where it has seen nothing but this frame."""

_Said = tuple[View, Floats, NDArray[np.bool_]]
"""On which view, what, and for which of its pixels."""


class Rest:
    """The network and its memory.

    Args:
        network: fills.
        beside: a thread that works while the network does.
    """

    def __init__(self, network: Network, beside: ThreadPoolExecutor) -> None:
        self._beside = beside
        self._network = network
        self._carry: tuple[View, Carry] | None = None
        self._said: _Said | None = None

    @property
    def reach(self) -> int:
        """Frames that the network looks back."""
        return max(abs(offset) for offset in self._network.source_offsets)

    def forget(self) -> None:
        """Forget everything."""
        self._carry = self._said = None

    def fill(self, view: View, here: SeenFrame, past: Sequence[SeenFrame], way: Way) -> Floats:
        """Fill what is unknown of a frame; returns the view (SIDE, SIDE, 3) float32, around 0..1.

        Args:
            view: what is filled.
            here: the frame.
            past: frames before it at the same scale, newest first.
            way: from the frame back.
        """
        network = self._network
        unknown = here.unknown[view.box.slices]
        said, self._said = self._said, None
        if said is not None and self._stands(view, unknown, said, way):
            return said[1]
        marched = self._beside.submit(_marched, here.picture[view.box.slices], unknown)
        target = shown(here, view)
        lengths = [min(abs(offset), way.length) for offset in network.source_offsets]
        frames = {length: here if length == 0 else past[length - 1] for length in lengths}
        pictures = {length: shown(frame, view) for length, frame in frames.items()}
        features = {length: network.encode(*picture) for length, picture in pictures.items()}
        scales = network.guide_scales
        guide = _guide(target, pictures, lengths, way, view, scales) if scales else None
        carry = self._carried(view, target, past, way, guided=guide is not None)
        sources = [features[length] for length in lengths]
        if guide is None:
            output = network.step(*target, sources, carry)
        else:
            output = network.step(*target, sources, carry, guide=guide)
        self._carry = view, output.carry
        picture = np.ascontiguousarray(output.fill.transpose(1, 2, 0))
        picture = np.asarray((picture + 1) / 2, np.float32)
        picture += _MARCHED * (marched.result() - picture)
        self._said = view, picture, unknown
        return picture

    def _stands(self, view: View, unknown: NDArray[np.bool_], said: _Said, way: Way) -> bool:
        """Whether what was said of the frame before will do: every second frame of a still view."""
        before, _, filled = said
        if before != view or not way.length or (unknown & ~filled).any():
            return False
        return not way.last.motion[unknown].any()

    def _carried(
        self, view: View, target: tuple[Picture, Mask], past: Sequence[SeenFrame], way: Way, *, guided: bool
    ) -> Carry:
        """Return the network's memory, where the background is now."""
        network = self._network
        if self._carry is None or not way.length or self._carry[0].scale != view.scale:
            return network.start(*target)
        before, carry = self._carry
        behind = shown(past[0], view)
        if before != view:
            right, down = view.x - before.x, view.y - before.y
            carry = shifted(network, carry, *behind, right=right, down=down)
        flow = way.last

        def moved(box: Box, cell: int) -> tuple[Floats, NDArray[np.bool_]]:
            size = box.width // cell, box.height // cell
            part = np.ascontiguousarray(flow.motion[box.slices])
            motion = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
            return motion, np.zeros(motion.shape[:2], np.bool_)

        change = change_between(behind, target, moved)
        if guided:
            return all_followed(network, carry, change, behind, target)
        return carry if change is None else followed(network, carry, change)


def shown(frame: SeenFrame, view: View) -> tuple[Picture, Mask]:
    """Return a frame's part as the network takes it."""
    picture = np.ascontiguousarray(frame.picture[view.box.slices].transpose(2, 0, 1))
    mask = frame.unknown[view.box.slices].astype(np.float32)[None]
    picture *= 2
    picture -= 1
    return picture, mask


def _marched(picture: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """Return a picture (H, W, 3) around 0..1 whose unknown part continues what ends at it."""
    codes = np.clip(np.rint(picture * np.float32(255)), 0, 255).astype(np.uint8)
    filled = cv2.inpaint(codes, unknown.view(np.uint8), _MARCH_PX, cv2.INPAINT_TELEA)
    return np.where(unknown[..., None], filled * np.float32(1 / 255), picture)


def _guide(
    target: tuple[Picture, Mask],
    pictures: dict[int, tuple[Picture, Mask]],
    lengths: Sequence[int],
    way: Way,
    view: View,
    scales: Sequence[int],
) -> Guide:
    """Return the flows to the sources, of which one that stands in several slots shares its weight."""
    beside = [
        Beside(
            Cells.of(*picture, scales),
            way.ways(view, length, scales[0]) if length else None,
            1 / max(1, length),
        )
        for length, picture in pictures.items()
    ]
    order = [list(pictures).index(length) for length in lengths]
    counts = np.array([order.count(place) for place in order], np.float32)[:, None, None]
    levels = []
    for level in guide_of(Cells.of(*target, scales), beside, scales):
        doubled = level[order]
        doubled[:, 2] /= counts
        levels.append(doubled)
    return tuple(levels)
