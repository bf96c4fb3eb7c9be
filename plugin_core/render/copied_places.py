"""Where the painter copied a key frame's pixels from: a picture beside the key frame, for whoever redoes it.

=========  ==================================================================================================
``R G``    the place in the same frame's plate that the pixel was copied from, an ST-map (`source_layers`);
           0 where nothing was
``B``      0
``A``      how much of the pixel is painted, 0..1; the rest was found, or is the plate's own
=========  ==================================================================================================

All are 32-bit floats, over the hole alone. What is copied has the plate's own values; the key frame has them
without the seams between pieces (`paint.lay.painted`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..compose.fill_layers import layers_over
from ..compose.source_layers import st_map
from ..images import Header
from ..images.layers import Layers
from ..paint.complete import Completion

Floats = NDArray[np.float32]


def copied_places(completion: Completion, known: Floats, crop: Box, header: Header) -> Layers:
    """Return what a completion copied from where, as a picture of layers.

    Args:
        completion: of the plate in a crop, from itself alone.
        known: (h, w) over the completion's box, 0..1: how much of each pixel was there before.
        crop: in pixels of the plate's data window.
        header: the plate's.
    """
    paint = completion.source == 0
    u, v = st_map(completion.x + crop.x0, completion.y + crop.y0, header)
    planes = {
        "R": np.where(paint, u, 0).astype(np.float32),
        "G": np.where(paint, v, 0).astype(np.float32),
        "B": np.zeros_like(known),
        "A": np.where(paint, 1 - known, 0).astype(np.float32),
    }
    return layers_over(completion.box.moved(crop.x0, crop.y0), planes, header)
