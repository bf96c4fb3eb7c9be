"""How near a picture is to the truth: squared error, PSNR and structural similarity.

Pure functions of arrays; used by `cleanplate qc` and by the models' evaluation, so that both mean the same by
the same name. Pictures are (H, W, 3), display-referred, 8 bits (0..255) or float32 (0..1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pictures = NDArray[Any]

PSNR_LIMIT_DB = 100.0
"""What equal pictures score: a mean over frames must not be infinite because one is perfect."""


@dataclass(frozen=True)
class Window:
    """The window that structural similarity is measured in.

    Attributes:
        size: its side in pixels, odd.
        sigma: of the Gaussian that weighs it in pixels; None weighs all pixels alike.
    """

    size: int
    sigma: float | None = None

    @property
    def reach(self) -> int:
        """Pixels from the middle to the edge."""
        return self.size // 2

    def mean(self, values: Floats) -> Floats:
        """Return the weighted mean around every pixel, mirrored at the borders."""
        side = (self.size, self.size)
        if self.sigma is None:
            return np.asarray(cv2.blur(values, side, borderType=cv2.BORDER_REFLECT_101), np.float32)
        return np.asarray(cv2.GaussianBlur(values, side, self.sigma, borderType=cv2.BORDER_REFLECT_101))

    @property
    def correction(self) -> float:
        """Factor that makes a uniform window's variance unbiased, as the field's scores have it."""
        count = self.size * self.size
        return 1.0 if self.sigma is not None else count / (count - 1)


GAUSSIAN = Window(11, 1.5)
"""As in Wang et al. 2004."""

UNIFORM_65 = Window(65)
"""As the video inpainting field scores (E2FGVI, ProPainter): uniform, 65 pixels."""


def as_floats(picture: Pictures) -> Floats:
    """Return a picture of 8 bits as float32, 0..1; a float picture as float32."""
    if picture.dtype == np.uint8:
        return picture.astype(np.float32) / np.float32(255)
    return picture.astype(np.float32)


def squared_error(a: Pictures, b: Pictures) -> Floats:
    """Return the squared difference of two pictures, mean over the channels, (H, W), in units of 0..1."""
    difference = as_floats(a) - as_floats(b)
    return np.asarray(np.square(difference).mean(axis=2), np.float32)


def psnr_db(mean_squared_error: float) -> float:
    """Return the PSNR of a mean squared error of pictures with peak 1, at most `PSNR_LIMIT_DB`."""
    if mean_squared_error <= 0:
        return PSNR_LIMIT_DB
    return min(PSNR_LIMIT_DB, float(-10 * np.log10(mean_squared_error)))


def ssim_map(a: Pictures, b: Pictures, window: Window = GAUSSIAN) -> Floats:
    """Return the structural similarity around every pixel, mean over the channels, (H, W), -1..1.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", 2004, eq. 13 with K1 = 0.01 and K2 = 0.03; each channel by itself.
    """
    # Centered, so that float32 has digits left for the variances.
    x, y = as_floats(a) - np.float32(0.5), as_floats(b) - np.float32(0.5)
    mean_x, mean_y = window.mean(x), window.mean(y)
    factor = np.float32(window.correction)
    variance_x = factor * (window.mean(x * x) - mean_x * mean_x)
    variance_y = factor * (window.mean(y * y) - mean_y * mean_y)
    covariance = factor * (window.mean(x * y) - mean_x * mean_y)
    mean_x, mean_y = mean_x + np.float32(0.5), mean_y + np.float32(0.5)
    c1, c2 = np.float32(0.01**2), np.float32(0.03**2)
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x * mean_x + mean_y * mean_y + c1) * (variance_x + variance_y + c2)
    return np.asarray((above / below).mean(axis=2), np.float32)
