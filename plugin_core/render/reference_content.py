"""What of a reference frame counts: where it has alpha, or is not the plate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..color.color_map import ColorMap
from ..color.network_pixels import network_pixels
from ..errors import InputError
from ..images import Plate
from ..regions.hole import Hole

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SAME = 0.003
"""Display-referred values nearer than this are the plate's: less than one of 8 bits."""

_GAP_PX = 9
"""Within what was painted, gaps up to this wide where it happens to equal the plate count as painted."""

_AROUND_PX = 16
"""So far around a hole a reference may differ from its plate."""

_ELSEWHERE = 0.5
"""One that differs on more than this share of the picture away from the hole is no copy of its plate."""

_EXTENDED_PX = 8
"""What counts is continued so far, so that sampling at its edge brings nothing else in."""


@dataclass(frozen=True)
class Content:
    """What counts of a reference frame.

    Attributes:
        box: in pixels of the plate's data window, some pixels larger than what counts.
        picture: (h, w, 3) float32 in the network's range; continued beyond what counts.
        weight: (h, w) float32, how far it counts, 0..1.
    """

    box: Box
    picture: Floats
    weight: Floats

    def pictured(self, box: Box) -> Floats:
        """Return its picture (h, w, 3) over a box, black where it has none."""
        return self._over(box, self.picture)

    def weighed(self, box: Box) -> Floats:
        """Return how far it counts over a box, (h, w, 3): three times the same."""
        return self._over(box, np.repeat(self.weight[..., None], 3, axis=2))

    def _over(self, box: Box, values: Floats) -> Floats:
        whole = np.zeros((box.height, box.width, 3), np.float32)
        shared = self.box.shared(box)
        if shared is not None:
            inside = values[shared.moved(-self.box.x0, -self.box.y0).slices]
            whole[shared.moved(-box.x0, -box.y0).slices] = inside
        return whole


def content_of(
    path: Path, reference: Plate, plate: Plate, hole: Hole | None, crop: Box, color: ColorMap
) -> Content:
    """Return what counts of a reference frame within a crop.

    Args:
        path: the reference, for messages.
        reference: on the plate's canvas.
        plate: the frame's.
        hole: the frame's; None for none.
        crop: in pixels of the plate's data window.
        color: of plate and reference.

    Raises:
        InputError: nothing counts, or it is another picture than its plate.
    """
    values, alpha = reference.crop(*crop), _patch_alpha(reference, plate, crop)
    if alpha is not None:
        finite = np.nan_to_num(alpha, nan=0.0, posinf=1.0, neginf=0.0)
        weight = np.clip(finite, 0, 1).astype(np.float32)
        if not reference.is_straight:
            values /= np.maximum(weight, np.float32(1e-4))[..., None]
    shown, missing = network_pixels(np.ascontiguousarray(values, np.float32), color)
    if alpha is None:
        there = reference.reached(*crop)
        weight = _painted(shown, plate, there, crop, color).astype(np.float32)
        _check_alike(path, weight, there, hole, crop)
    if missing is not None:
        weight = np.where(missing, np.float32(0), weight)
    told = bounds(weight > 0)
    if told is None:
        where = (
            ""
            if crop.within(plate.header.width, plate.header.height) == _whole(plate)
            else " around the matte"
        )
        raise InputError(
            f"Reference {path} has no alpha and does not differ from its plate{where}, so it says nothing; "
            "paint on it, or take it away."
        )
    box = told.grown(_EXTENDED_PX).within(crop.width, crop.height)
    picture = _extended(shown[box.slices], weight[box.slices] > 0)
    return Content(box.moved(crop.x0, crop.y0), picture, np.ascontiguousarray(weight[box.slices]))


def _whole(plate: Plate) -> Box:
    return Box(0, 0, plate.header.width, plate.header.height)


def _patch_alpha(reference: Plate, plate: Plate, crop: Box) -> Floats | None:
    """Return the alpha (h, w) of a patch; None where it says nothing: the plate's own, or one value."""
    whole = _whole(plate)
    alpha = reference.alpha_crop(*whole)
    if alpha is None or float(alpha.min()) == float(alpha.max()):
        return None
    own = plate.alpha_crop(*whole)
    if own is not None and np.array_equal(own, alpha):
        return None
    return alpha[crop.slices]


def _painted(shown: Floats, plate: Plate, there: Mask, crop: Box, color: ColorMap) -> Mask:
    """Return where (h, w) a picture in the network's range is not that of its plate."""
    before, _ = network_pixels(plate.crop(*crop), color)
    differs = (np.abs(shown - before).max(axis=2) > 2 * _SAME) & there
    closed = cv2.morphologyEx(
        differs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((_GAP_PX, _GAP_PX), np.uint8)
    )
    return np.asarray((closed > 0) & there)


def _check_alike(path: Path, weight: Floats, there: Mask, hole: Hole | None, crop: Box) -> None:
    """Raise InputError for a whole plate that is another picture."""
    away = there.copy()
    if hole is not None:
        near = hole.mask_on(crop).astype(np.uint8)
        away &= cv2.dilate(near, np.ones((2 * _AROUND_PX + 1,) * 2, np.uint8)) == 0
    if away.sum() < away.size // 20:
        return
    share = float((weight[away] > 0).mean())
    if share > _ELSEWHERE:
        raise InputError(
            f"Reference {path} differs from its plate on {share * 100:.0f} % of the picture away from the "
            "matte: is it in another color space, or of another frame? Paint on the plate's own frame, or "
            "give a patch with alpha."
        )


def _extended(picture: Floats, known: Mask) -> Floats:
    """Continue a picture (h, w, 3) from where it is known by the nearest known pixel."""
    if known.all():
        return np.ascontiguousarray(picture)
    unknown = (~known).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colors = np.zeros((int(labels.max()) + 1, 3), np.float32)
    colors[labels[known]] = picture[known]
    return np.ascontiguousarray(colors[labels])
