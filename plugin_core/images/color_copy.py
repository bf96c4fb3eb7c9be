"""A plate's color alone as an OpenEXR picture: for files that lie beside the output, not in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from .plate import Group, Part, Plate
from .read import header_of


def color_copy(plate: Plate, path: Path) -> Plate:
    """Return what is filled of a plate, over its canvas, as R, G, B of an EXR picture.

    Args:
        plate: of any format; its values stay as they are, integers as 0..1.
        path: what the picture will be called.

    Returns:
        Half floats where the plate has them, else floats; with the plate's windows and pixel aspect.
    """
    header = plate.header
    halves = {header.types[channel] for channel in header.fill_channels} == {"half"}
    kind, dtype = ("half", np.float16) if halves else ("float", np.float32)
    spec = oiio.ImageSpec(header.width, header.height, 3, kind)
    spec.channelnames = ("R", "G", "B")
    spec.x, spec.y = header.data_window[:2]
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = header.display_window
    spec.attribute("compression", "zip")
    spec.attribute("PixelAspectRatio", header.pixel_aspect)
    # As they are stored, where that will do: a large plate in floats takes twice the memory, and time.
    native = plate.native_crop(0, 0, header.width, header.height) if halves else None
    pixels = np.ascontiguousarray(plate.rgb if native is None else native, dtype)
    return Plate(header_of(path, "openexr", [spec]), (Part(spec, (Group(0, pixels),)),))
