"""Sample mattes: what of a plate may not be borrowed, in white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..clips.clip import Clip
from ..images import Header, fitted, matte_on
from ..job.settings import Settings


def excludes(sample: Clip | None, frame: int) -> bool:
    """Whether there is a sample matte for a frame; beyond the shot's own range there may be none."""
    return sample is not None and (sample.is_still or frame in sample.frames())


def excluded(
    sample: Clip | None, frame: int, header: Header, settings: Settings, crop: Box
) -> NDArray[np.bool_]:
    """Return which pixels (h, w) of a crop of a frame may not be borrowed.

    Args:
        sample: the mattes, whose alpha counts, or the brightest color where that is 1 everywhere.
        frame: which.
        header: of the plate.
        settings: how mattes are laid on it, and from which value on they count.
        crop: in pixels of the plate's data window.

    Raises:
        ImageError: the matte can't be read or does not fit the plate.
    """
    if sample is None or not excludes(sample, frame):
        return np.zeros((crop.height, crop.width), np.bool_)
    expected = header if settings.matte_fit == "refuse" else None
    matte = sample.matte(frame, "auto", expected)
    laid = matte_on(header, fitted(matte, header, settings.matte_fit))
    return np.asarray(laid[crop.slices] >= settings.matte_threshold)
