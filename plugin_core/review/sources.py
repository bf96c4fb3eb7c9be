"""Where the pixels of a hole come from, as a picture: of renders that wrote it down (`--layers source`)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..compose.source_layers import CLASSES
from ..errors import ImageError
from ..images import Plate, read_plate
from ..qc.pictures import Looked
from ..render.sources import Sources

COLORS: Mapping[str, str] = {
    "found": "#6f9f80",
    "referenced": "#6f93b8",
    "painted": "#c8a452",
    "entered": "#a9708f",
    "guessed": "#b9685f",
    "left": "#8a8a8a",
}
OTHER_COLOR = "#8888a8"
"""What a class of pixels is shown as, here and in the page's plots."""

_LEAST_COVER = 110
"""How opaque a pixel of a class is of which it hardly has any share, of 255."""

Floats = NDArray[np.float32]


def sources_picture(looked: Looked, sources: Sources) -> NDArray[np.uint8] | None:
    """Return a frame's sources over the hole's box as BGRA codes (h, w, 4); None where nobody wrote them.

    A pixel has the color of its class, the more opaque the larger the share it has of it.
    """
    if looked.hole is None:
        return None
    layers = source_layers(looked, sources, looked.hole.box)
    return None if layers is None else colored(*layers)


def source_layers(looked: Looked, sources: Sources, box: Box) -> tuple[Floats, Floats] | None:
    """Return the class of each pixel of a box and its share (h, w); None where nobody wrote them."""
    for picture in _written(looked, sources):
        number, share = (
            _plane(picture, looked.plate, name, box) for name in ("source.class", "source.share")
        )
        if number is not None and share is not None:
            return number, share
    return None


def _written(looked: Looked, sources: Sources) -> list[Plate]:
    """The pictures that may have the layers: the result, and the frame of the patch beside it."""
    found = [] if looked.result is None else [looked.result]
    if sources.patch is not None:
        path = sources.patch.path(looked.frame)
        # What is wrong with a patch, `qc` says.
        with contextlib.suppress(ImageError):
            found += [read_plate(path)] if path.is_file() else []
    return found


def _plane(picture: Plate, plate: Plate, name: str, box: Box) -> Floats | None:
    """Return a channel over a box of the plate's data window, 0 where the file has nothing; None for none."""
    part = picture.parts[picture.header.part]
    names = list(part.spec.channelnames)
    if name not in names:
        return None
    values = part.channel(names.index(name))
    left = part.spec.x - plate.header.data_window[0]
    top = part.spec.y - plate.header.data_window[1]
    over = np.zeros((box.height, box.width), np.float32)
    own = Box(left, top, left + values.shape[1], top + values.shape[0])
    shared = own.shared(box)
    if shared is not None:
        over[shared.moved(-box.x0, -box.y0).slices] = values[shared.moved(-left, -top).slices]
    return over


def colored(number: Floats, share: Floats) -> NDArray[np.uint8]:
    """Return what `sources_picture` says of pixels (h, w) as BGRA codes (h, w, 4)."""
    picture = np.zeros((*number.shape, 4), np.uint8)
    whole = np.clip(np.nan_to_num(share), 0, 1)
    cover = np.round(_LEAST_COVER + (255 - _LEAST_COVER) * whole).astype(np.uint8)
    known = {float(code): COLORS[name] for name, code in CLASSES.items()}
    for code in np.unique(number[number > 0]):
        here = number == code
        picture[here, :3] = _bgr(known.get(float(code), OTHER_COLOR))
        picture[here, 3] = cover[here]
    return picture


def _bgr(color: str) -> tuple[int, int, int]:
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)
